import { datatypeInfo } from "../../format/datatype.js";
import type { Column } from "../columns.js";
import type { OpenedArray } from "../opened-array.js";
import {
  checkComparable,
  checkOrder,
  describeField,
  type Field,
  memberBytes,
  numericValue,
  positionOf,
  textBytes,
} from "./condition-field.js";
import { conditionFields } from "./condition-fields.js";
import * as numbers from "./number-masks.js";
import type { ComparisonOperator, ConditionValue, QueryCondition } from "./query-condition.js";
import * as texts from "./text-masks.js";

/**
 * Conditions over columns. A condition is prepared once per query: names checked, values of enumerated attributes turned
 * into positions, negations pushed down to the comparisons (so that a null, which satisfies no comparison, satisfies no
 * negated one either, as in the official library). Then it gives a byte per cell for any number of blocks.
 */

/** A byte per cell: 1 where the condition holds. Cells without a column of a field satisfy no comparison with it. */
export type PreparedCondition = (columns: ReadonlyMap<string, Column>, count: number) => Uint8Array;

/** Throws NotFoundError, ArgumentError or UnsupportedError for a condition that the array cannot answer. */
export async function prepareCondition(
  condition: QueryCondition,
  array: OpenedArray,
  { positions = false }: PrepareOptions = {},
): Promise<PreparedCondition> {
  const fields = new Map<string, Field>();
  for (const name of conditionFields(condition)) {
    fields.set(name, await describeField(array, name, positions));
  }
  return prepare(condition, false, fields);
}

export interface PrepareOptions {
  /** Enumerated attributes are compared by position, not by value. */
  readonly positions?: boolean;
}

function prepare(
  condition: QueryCondition,
  negated: boolean,
  fields: ReadonlyMap<string, Field>,
): PreparedCondition {
  switch (condition.kind) {
    case "not":
      return prepare(condition.operand, !negated, fields);
    case "and":
    case "or": {
      const operands = condition.operands.map((operand) => prepare(operand, negated, fields));
      return combine(operands, (condition.kind === "and") !== negated);
    }
    case "null": {
      const wanted = condition.negated !== negated ? 1 : 0;
      return (columns, count) => nullMask(columns.get(condition.field), count, wanted);
    }
    case "compare": {
      const op = negated ? opposites[condition.op] : condition.op;
      return comparison(fields.get(condition.field)!, op, condition.value);
    }
    case "in":
      return membership(fields.get(condition.field)!, condition.values, condition.negated !== negated);
  }
}

export const opposites: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};

function combine(operands: readonly PreparedCondition[], all: boolean): PreparedCondition {
  return (columns, count) => {
    const mask = new Uint8Array(count).fill(all ? 1 : 0);
    for (const operand of operands) {
      const one = operand(columns, count);
      if (all) for (let i = 0; i < count; i++) mask[i]! &= one[i]!;
      else for (let i = 0; i < count; i++) mask[i]! |= one[i]!;
    }
    return mask;
  };
}

function nullMask(column: Column | undefined, count: number, wanted: number): Uint8Array {
  const mask = new Uint8Array(count);
  if (column === undefined) return mask;
  const { validity } = column;
  for (let i = 0; i < count; i++) mask[i] = (validity?.[i] === 0 ? 0 : 1) === wanted ? 1 : 0;
  return mask;
}

function comparison(field: Field, op: ComparisonOperator, value: ConditionValue): PreparedCondition {
  checkComparable(field);
  if (field.enumeration !== null) return enumeratedComparison(field, op, value);
  if (field.comparesFirstByte) return onText(field, texts.firstByteTest(op, textBytes(field, value)));
  if (field.isText) return onText(field, texts.comparisonTest(op, textBytes(field, value)));
  return onNumbers(field, numbers.comparisonTest(op, numericValue(field.name, field.datatype, value)));
}

function enumeratedComparison(
  field: Field,
  op: ComparisonOperator,
  value: ConditionValue,
): PreparedCondition {
  checkOrder(field, op);
  const position = positionOf(field, value);
  if (position === undefined) {
    // A value that is not among the enumeration's equals none; comparisons of order are false, as in the core.
    const all = op === "!=" ? 1 : 0;
    return onNumbers(field, (_, mask) => mask.fill(all));
  }
  return onNumbers(field, numbers.comparisonTest(op, numericValue(field.name, field.datatype, position)));
}

function membership(field: Field, values: readonly ConditionValue[], negated: boolean): PreparedCondition {
  checkComparable(field);
  const { name, datatype, isText, enumeration } = field;
  if (isText && enumeration === null) {
    const wanted = values.map((value) => memberBytes(field, value));
    return onText(field, texts.membershipTest(wanted, negated));
  }
  const members = memberNumbers(field, values).map((value) => numericValue(name, datatype, value));
  return onNumbers(field, numbers.membershipTest(datatypeInfo(datatype).array, members, negated));
}

/** The values, or their positions in the field's enumeration as far as they are in it. */
export function memberNumbers(field: Field, values: readonly ConditionValue[]): readonly ConditionValue[] {
  if (field.enumeration === null) return values;
  return values.flatMap((value) => positionOf(field, value) ?? []);
}

function onNumbers(field: Field, test: numbers.NumberTest): PreparedCondition {
  return (columns, count) => {
    const column = columns.get(field.name);
    const mask = new Uint8Array(count);
    if (column?.kind !== "fixed") return mask;
    test(column.values, mask);
    return clearNulls(mask, column);
  };
}

function onText(field: Field, test: texts.TextTest): PreparedCondition {
  return (columns, count) => {
    const column = columns.get(field.name);
    const mask = new Uint8Array(count);
    if (column === undefined) return mask;
    texts.fillText(column, test, mask);
    return clearNulls(mask, column);
  };
}

function clearNulls(mask: Uint8Array, { validity }: Column): Uint8Array {
  if (validity !== undefined) for (let i = 0; i < mask.length; i++) if (validity[i] === 0) mask[i] = 0;
  return mask;
}
