import fc from "fast-check";
import type { AttributeInput, ConditionValue, Datatype, QueryCondition } from "../../src/tiledb.js";
import { datatypeInfo } from "../../src/tiledb.js";
import type { Axis } from "./arbitraries.js";
import { columnOf, WIDE_WORDS, WORDS } from "./cell-values.js";

/** Query conditions for property tests, about values that the cells are likely to have. */

interface Field {
  readonly name: string;
  readonly value: fc.Arbitrary<ConditionValue>;
  readonly nullable: boolean;
}

const OPERATORS = ["==", "!=", "<", "<=", ">", ">="] as const;

/** A condition on some of the fields that the official library compares; undefined where none is drawn. */
export function conditionOf(
  axes: readonly Axis[],
  attributes: readonly AttributeInput[],
): fc.Arbitrary<QueryCondition | undefined> {
  const fields = [...axes.map(ofAxis), ...attributes.map(ofAttribute)].filter((field) => field !== null);
  if (fields.length === 0) return fc.constant(undefined);
  const leaf = fc.constantFrom(...fields).chain(leafOf);
  const joined = fc.record({
    kind: fc.constantFrom("and" as const, "or" as const),
    operands: fc.array(leaf, { minLength: 2, maxLength: 3 }),
  });
  const tree: fc.Arbitrary<QueryCondition> = fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: joined },
    fc.oneof(leaf, joined).map((operand) => ({ kind: "not" as const, operand })),
  );
  return fc.option(tree, { nil: undefined, freq: 2 });
}

function leafOf({ name, value, nullable }: Field): fc.Arbitrary<QueryCondition> {
  const field = fc.constant(name);
  const compare = fc.record({
    kind: fc.constant("compare" as const),
    field,
    op: fc.constantFrom(...OPERATORS),
    value,
  });
  const among = fc.record({
    kind: fc.constant("in" as const),
    field,
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 4 }),
    negated: fc.boolean(),
  });
  const isNull = fc.record({ kind: fc.constant("null" as const), field, negated: fc.boolean() });
  return nullable ? fc.oneof(compare, among, isNull) : fc.oneof(compare, among);
}

function ofAxis({ input: { name }, span, at }: Axis): Field {
  return { name, value: fc.nat(span).map(at), nullable: false };
}

function ofAttribute({ name, datatype, cellValNum, nullable = false }: AttributeInput): Field | null {
  const value = cellValue(datatype, cellValNum);
  return value === null ? null : { name, value, nullable };
}

/** Values of a type as they are in its cells; null where its cells do not compare. */
function cellValue(
  datatype: Datatype,
  cellValNum: number | "var" | undefined,
): fc.Arbitrary<ConditionValue> | null {
  if (cellValNum === "var") {
    if (datatype === "string_ascii") return fc.constantFrom(...WORDS);
    return datatype === "string_utf8" ? fc.constantFrom(...WIDE_WORDS) : null;
  }
  const { kind } = datatypeInfo(datatype);
  if (cellValNum !== 1 || kind === "string" || kind === "char" || kind === "blob") return null;
  return fc
    .oneof(fc.nat(12), fc.nat(1_000_000))
    .map((one) => scalar(datatype, one))
    .filter((value) => typeof value !== "number" || Number.isFinite(value));
}

function scalar(datatype: Datatype, one: number): ConditionValue {
  const column = columnOf({ datatype, cellValNum: 1, nullable: false }, [one]);
  return column.kind === "var" ? 0 : column.values[0]!;
}
