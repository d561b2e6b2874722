import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import { compareBytes } from "../../format/text-bytes.js";
import { viewAs } from "../../util/typed-arrays.js";
import type { OpenedArray } from "../opened-array.js";
import { memberNumbers, opposites } from "./condition-eval.js";
import {
  checkComparable,
  describeField,
  type Field,
  memberBytes,
  numericValue,
  positionOf,
  textBytes,
} from "./condition-field.js";
import { conditionFields } from "./condition-fields.js";
import type { ComparisonOperator, ConditionValue, QueryCondition } from "./query-condition.js";

/**
 * Which tiles a condition can hold for at all, by their statistics. As in condition-eval.ts negations are pushed down, a
 * null satisfies no comparison, and nothing holds for a field that the fragment does not have.
 */

/** What is known of the cells of one tile in one field. */
export interface FieldBounds {
  /** Null where it is not known. */
  readonly nullCount: number | null;
  /** Of valid cells, both inclusive: bytes of one cell. Null where they are not known. */
  readonly min: Uint8Array | null;
  readonly max: Uint8Array | null;
}

/** Bounds of a field by name; "missing" where the fragment has no such field. */
export type BoundsOf = (name: string) => FieldBounds | "missing";

/** False if the condition holds for none of the tile's `cells` cells. */
export type TileTest = (bounds: BoundsOf, cells: number) => boolean;

export async function prepareTileTest(condition: QueryCondition, array: OpenedArray): Promise<TileTest> {
  const fields = new Map<string, Field>();
  for (const name of conditionFields(condition)) fields.set(name, await describeField(array, name, false));
  return prepare(condition, false, fields);
}

function prepare(condition: QueryCondition, negated: boolean, fields: ReadonlyMap<string, Field>): TileTest {
  switch (condition.kind) {
    case "not":
      return prepare(condition.operand, !negated, fields);
    case "and":
    case "or": {
      const tests = condition.operands.map((operand) => prepare(operand, negated, fields));
      if ((condition.kind === "and") !== negated) {
        return (bounds, cells) => tests.every((test) => test(bounds, cells));
      }
      return (bounds, cells) => tests.some((test) => test(bounds, cells));
    }
    case "null":
      return nullTest(condition.field, condition.negated !== negated);
    case "compare": {
      const field = fields.get(condition.field)!;
      return comparison(field, negated ? opposites[condition.op] : condition.op, condition.value);
    }
    case "in":
      return membership(fields.get(condition.field)!, condition.values, condition.negated !== negated);
  }
}

function nullTest(name: string, wantsValid: boolean): TileTest {
  return (boundsOf, cells) => {
    const bounds = boundsOf(name);
    if (bounds === "missing") return false;
    if (bounds.nullCount === null) return true;
    return wantsValid ? bounds.nullCount < cells : bounds.nullCount > 0;
  };
}

/** True of bounds that leave it open whether a valid cell passes. */
type BoundsTest = (min: Uint8Array, max: Uint8Array) => boolean;

function onBounds(name: string, test: BoundsTest): TileTest {
  return (boundsOf, cells) => {
    const bounds = boundsOf(name);
    if (bounds === "missing" || bounds.nullCount === cells) return false;
    return bounds.min === null || bounds.max === null || test(bounds.min, bounds.max);
  };
}

function comparison(field: Field, op: ComparisonOperator, value: ConditionValue): TileTest {
  checkComparable(field);
  if (field.enumeration !== null) {
    const position = positionOf(field, value);
    if (position === undefined) return op === "!=" ? onBounds(field.name, () => true) : () => false;
    return numericComparison(field, op, numericValue(field.name, field.datatype, position));
  }
  if (!field.isText) return numericComparison(field, op, numericValue(field.name, field.datatype, value));
  if (field.comparesFirstByte) {
    const [first = 0] = textBytes(field, value);
    // Bounds are of unsigned bytes: of the others, which are signed, they say nothing.
    return onBounds(field.name, (min, max) => op !== "==" || (min[0]! <= first && first <= max[0]!));
  }
  const text = untilNul(textBytes(field, value));
  return onBounds(field.name, (min, max) => {
    if (op === "!=") return true;
    const aboveMin = compareBytes(untilNul(min), text) <= 0;
    const belowMax = compareBytes(text, untilNul(max)) <= 0;
    if (op === "==") return aboveMin && belowMax;
    return op === "<" || op === "<=" ? aboveMin : belowMax;
  });
}

type Numeric = number | bigint;

function numericComparison({ name, datatype }: Field, op: ComparisonOperator, x: Numeric): TileTest {
  const test: Readonly<Record<ComparisonOperator, (min: Numeric, max: Numeric) => boolean>> = {
    "==": (min, max) => min <= x && x <= max,
    "!=": (min, max) => !(min === x && max === x),
    "<": (min) => min < x,
    "<=": (min) => min <= x,
    ">": (_, max) => max > x,
    ">=": (_, max) => max >= x,
  };
  return onBounds(name, (min, max) => test[op](numberOf(min, datatype), numberOf(max, datatype)));
}

function membership(field: Field, values: readonly ConditionValue[], negated: boolean): TileTest {
  checkComparable(field);
  const { name, datatype } = field;
  if (field.isText && field.enumeration === null) {
    // Outside of a set of texts there is always room: what is equal up to a NUL need not be equal.
    if (negated) return onBounds(name, () => true);
    const wanted = values.map((value) => untilNul(memberBytes(field, value))).sort(compareBytes);
    return onBounds(name, (min, max) => {
      const [low, high] = [untilNul(min), untilNul(max)];
      const at = firstNotBelow(wanted, (one) => compareBytes(one, low) < 0);
      return at < wanted.length && compareBytes(wanted[at]!, high) <= 0;
    });
  }
  const wanted: Numeric[] = memberNumbers(field, values).map((value) => numericValue(name, datatype, value));
  // Bounds say nothing of NaN among the cells.
  if (wanted.some((one) => Number.isNaN(one))) return onBounds(name, () => true);
  wanted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return onBounds(name, (minBytes, maxBytes) => {
    const [min, max] = [numberOf(minBytes, datatype), numberOf(maxBytes, datatype)];
    const at = firstNotBelow(wanted, (one) => one < min);
    const hit = at < wanted.length && wanted[at]! <= max;
    // Of zeros there are two, which are equal as bounds and different in a list.
    return negated ? !(hit && min === max && Number(min) !== 0) : hit;
  });
}

/** Position of the first that is not below, in a list sorted so that those come first. */
function firstNotBelow<T>(sorted: readonly T[], isBelow: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function numberOf(bytes: Uint8Array, datatype: Datatype): Numeric {
  return viewAs(bytes, datatypeInfo(datatype).array)[0]!;
}

/** Statistics of texts compare them so. */
function untilNul(text: Uint8Array): Uint8Array {
  const end = text.indexOf(0);
  return end < 0 ? text : text.subarray(0, end);
}
