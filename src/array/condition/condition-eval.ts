import { ArgumentError } from "../../errors.js";
import { bytesOfText, compareBytes } from "../../format/text-bytes.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import { columnCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import type { OpenedArray } from "../opened-array.js";
import { ByteStringSet } from "./byte-string-set.js";
import {
  checkComparable,
  describeField,
  enumerationKey,
  type Field,
  memberBytes,
  numericValue,
  textValue,
} from "./condition-field.js";
import type { ComparisonOperator, ConditionValue, QueryCondition } from "./query-condition.js";

/**
 * Conditions over columns. A condition is prepared once per query: names checked, values of enumerated attributes turned
 * into positions, negations pushed down to the comparisons (so that a null, which satisfies no comparison, satisfies no
 * negated one either, as in the official library). Then it gives a byte per cell for any number of blocks.
 */

/** A byte per cell: 1 where the condition holds. Cells without a column of a field satisfy no comparison with it. */
export type PreparedCondition = (columns: ReadonlyMap<string, Column>, count: number) => Uint8Array;

/** Names of the attributes and dimensions that the condition needs. */
export function conditionFields(condition: QueryCondition): string[] {
  const names = new Set<string>();
  const visit = (one: QueryCondition): void => {
    switch (one.kind) {
      case "and":
      case "or":
        one.operands.forEach(visit);
        break;
      case "not":
        visit(one.operand);
        break;
      default:
        names.add(one.field);
    }
  };
  visit(condition);
  return [...names];
}

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
  if (field.isText) {
    const bytes = bytesOfText(textValue(field, value));
    const test = textTests[op];
    if (field.comparesFirstByte) {
      // A cell has a byte at least; an empty text counts as a NUL.
      const first = (bytes[0] ?? 0) ^ 0x80;
      return onText(field, (text) => test((text[0]! ^ 0x80) - first));
    }
    return onText(field, (text) => test(compareBytes(text, bytes)));
  }
  const operand = numericValue(field, value);
  const test = numericTests[op];
  return onNumbers(field, (values, mask) => test(values, operand, mask));
}

function enumeratedComparison(
  field: Field,
  op: ComparisonOperator,
  value: ConditionValue,
): PreparedCondition {
  const { ordered, positions } = field.enumeration!;
  if (op !== "==" && op !== "!=" && !ordered) {
    throw new ArgumentError(
      `condition: '${field.name}' has an unordered enumeration, so ${op} means nothing`,
    );
  }
  const position = positions.get(enumerationKey(value));
  if (position === undefined) {
    // A value that is not among the enumeration's equals none; comparisons of order are false, as in the core.
    const all = op === "!=" ? 1 : 0;
    return onNumbers(field, (_, mask) => mask.fill(all));
  }
  const operand = numericValue(field, position);
  return onNumbers(field, (values, mask) => numericTests[op](values, operand, mask));
}

function membership(field: Field, values: readonly ConditionValue[], negated: boolean): PreparedCondition {
  checkComparable(field);
  const [inside, outside] = negated ? [0, 1] : [1, 0];
  if (field.isText && field.enumeration === null) {
    const wanted = new ByteStringSet(values.map((value) => memberBytes(field, value)));
    return onText(field, (text) => (wanted.has(text) ? inside === 1 : outside === 1));
  }
  const wanted = new Set<number | bigint>();
  for (const value of values) {
    const position =
      field.enumeration === null ? value : field.enumeration.positions.get(enumerationKey(value));
    if (position !== undefined) wanted.add(numericValue(field, position));
  }
  return onNumbers(field, (cells, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = wanted.has(cells[i]!) ? inside : outside;
  });
}

type NumericTest = (values: TypedArray, operand: number | bigint, mask: Uint8Array) => void;

const numericTests: Readonly<Record<ComparisonOperator, NumericTest>> = {
  "==": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i] === x ? 1 : 0;
  },
  "!=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i] !== x ? 1 : 0;
  },
  "<": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! < x ? 1 : 0;
  },
  "<=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! <= x ? 1 : 0;
  },
  ">": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! > x ? 1 : 0;
  },
  ">=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! >= x ? 1 : 0;
  },
};

const textTests: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function onNumbers(field: Field, test: (values: TypedArray, mask: Uint8Array) => void): PreparedCondition {
  return (columns, count) => {
    const column = columns.get(field.name);
    const mask = new Uint8Array(count);
    if (column?.kind !== "fixed") return mask;
    test(column.values, mask);
    return clearNulls(mask, column);
  };
}

function onText(field: Field, test: (text: Uint8Array) => boolean): PreparedCondition {
  return (columns, count) => {
    const column = columns.get(field.name);
    const mask = new Uint8Array(count);
    if (column === undefined) return mask;
    const cell = cellBytes(column);
    for (let i = 0; i < columnCells(column); i++) mask[i] = test(cell(i)) ? 1 : 0;
    return clearNulls(mask, column);
  };
}

function cellBytes(column: Column): (i: number) => Uint8Array {
  if (column.kind === "var") {
    const { offsets, data } = column;
    return (i) => data.subarray(offsets[i]!, offsets[i + 1]!);
  }
  const bytes = bytesOf(column.values);
  const width = column.cellValNum * column.values.BYTES_PER_ELEMENT;
  return (i) => bytes.subarray(i * width, (i + 1) * width);
}

function clearNulls(mask: Uint8Array, { validity }: Column): Uint8Array {
  if (validity !== undefined) for (let i = 0; i < mask.length; i++) if (validity[i] === 0) mask[i] = 0;
  return mask;
}
