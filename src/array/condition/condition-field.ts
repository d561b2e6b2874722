import { ArgumentError, NotFoundError, UnsupportedError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { type Enumeration, enumerationValues } from "../../format/enumeration.js";
import { bytesOfText } from "../../format/text-bytes.js";
import { isInteger, typeRange } from "../integer-types.js";
import type { OpenedArray } from "../opened-array.js";
import type { ComparisonOperator, ConditionValue } from "./query-condition.js";

/**
 * Fields of conditions, and values in the form in which they compare with them. As in the official library
 *
 * - null tests are for all fields; comparisons for numbers, datetimes and bool of one value a cell, and for char,
 *   string_ascii and string_utf8 of any length;
 * - of char cells of a fixed length, comparisons look at the first byte alone, as a signed number. `in` looks at the
 *   whole cell, of texts of a fixed length with members of just that length.
 */

/** A field of a condition, as it compares. */
export interface Field {
  readonly name: string;
  readonly datatype: Datatype;
  readonly cellValNum: number;
  readonly isText: boolean;
  /** Of fixed char: all but `in` look at the first byte alone. */
  readonly comparesFirstByte: boolean;
  readonly enumeration: FieldEnumeration | null;
}

/** By value; comparisons of order follow the positions. */
export interface FieldEnumeration {
  readonly datatype: Datatype;
  readonly ordered: boolean;
  readonly positions: ReadonlyMap<string, number>;
}

/** With `positions` enumerated attributes are compared by position, not by value. */
export async function describeField(array: OpenedArray, name: string, positions: boolean): Promise<Field> {
  const { datatype, cellValNum, enumeration } = findField(array.schema, name, array.uri);
  return {
    name,
    datatype,
    cellValNum,
    isText: isTextType(datatype),
    comparesFirstByte: datatype === "char" && cellValNum !== VAR_NUM,
    enumeration:
      enumeration === null || positions ? null : enumerationOf(await array.enumeration(enumeration)),
  };
}

function findField(schema: ArraySchema, name: string, where: string) {
  const attribute = schema.attributes.find((one) => one.name === name);
  if (attribute !== undefined) return attribute;
  const dimension = schema.dimensions.find((one) => one.name === name);
  if (dimension !== undefined) return { ...dimension, enumeration: null };
  const names = [...schema.attributes, ...schema.dimensions].map((one) => `'${one.name}'`);
  throw new NotFoundError(
    `condition: no attribute or dimension '${name}', the array has ${names.join(", ")}`,
    { where },
  );
}

function isTextType(datatype: Datatype): boolean {
  const { kind, bytes } = datatypeInfo(datatype);
  return (kind === "string" && bytes === 1) || kind === "char";
}

function enumerationOf(enumeration: Enumeration): FieldEnumeration {
  const { datatype, ordered } = enumeration;
  const positions = new Map<string, number>();
  for (const [i, value] of enumerationValues(enumeration).entries()) {
    if (!(value instanceof Uint8Array)) positions.set(keyOf(value), i);
  }
  return { datatype, ordered, positions };
}

/** Throws UnsupportedError for a field whose cells cannot be compared. */
export function checkComparable({ name, datatype, cellValNum, isText }: Field): void {
  if (isText) return;
  if (cellValNum !== 1) {
    const values = cellValNum === VAR_NUM ? "a variable number of" : cellValNum;
    throw new UnsupportedError(
      `condition on '${name}' (${values} values of ${datatype} a cell): as in the official library, cells of ` +
        "several values have null tests only",
    );
  }
  const { kind } = datatypeInfo(datatype);
  if (kind !== "string" && kind !== "blob") return;
  throw new UnsupportedError(
    `condition on '${name}': as in the official library, ${datatype} has null tests only`,
  );
}

/** Numbers, bigints and booleans of one value are one key; texts are told from numbers. */
function keyOf(value: ConditionValue): string {
  if (typeof value === "string") return `'${value}`;
  return typeof value === "boolean" || Number(value) === 0 ? `${Number(value)}` : `${value}`;
}

/** Position of a value among those of the field's enumeration; undefined if it is none of them. */
export function positionOf({ name, enumeration }: Field, value: ConditionValue): number | undefined {
  const { datatype, positions } = enumeration!;
  if (isTextType(datatype)) return positions.get(keyOf(textValue(name, datatype, value)));
  const number = numericValue(name, datatype, value);
  return positions.get(keyOf(number));
}

/** Throws ArgumentError for comparisons of order where the enumeration has none. */
export function checkOrder({ name, enumeration }: Field, op: ComparisonOperator): void {
  if (enumeration === null || enumeration.ordered || op === "==" || op === "!=") return;
  throw new ArgumentError(`condition: '${name}' has an unordered enumeration, so ${op} means nothing`);
}

function textValue(name: string, datatype: Datatype, value: ConditionValue): string {
  if (typeof value === "string") return value;
  throw new ArgumentError(`condition: '${name}' is ${datatype}, ${value} is no text`);
}

/** The bytes that a text field's cells are compared with. */
export function textBytes({ name, datatype }: Field, value: ConditionValue): Uint8Array {
  return bytesOfText(textValue(name, datatype, value));
}

/** A member of a list of texts. Throws ArgumentError where no cell can be equal to it. */
export function memberBytes(field: Field, value: ConditionValue): Uint8Array {
  const bytes = textBytes(field, value);
  if (field.cellValNum === VAR_NUM || bytes.byteLength === field.cellValNum) return bytes;
  throw new ArgumentError(
    `condition: '${field.name}' has cells of ${field.cellValNum} bytes, '${value}' in the list has ${bytes.byteLength}`,
  );
}

/**
 * The value in the type in which cells compare: bigint of 64-bit integers, rounded to float32 of those. A fraction
 * stays one: it lies between integers. Integers must be in the range of an integer type, as in the official library.
 */
export function numericValue(name: string, datatype: Datatype, value: ConditionValue): number | bigint {
  if (typeof value === "string") {
    throw new ArgumentError(`condition: '${name}' is ${datatype}, '${value}' is no number`);
  }
  const number = typeof value === "boolean" ? Number(value) : value;
  if (!isInteger(datatype)) {
    return datatype === "float32" ? Math.fround(Number(number)) : Number(number);
  }
  const [low, high] = typeRange(datatype);
  if (number < low || number > high) {
    throw new ArgumentError(`condition: '${name}' is ${datatype}, ${number} is not in ${low} to ${high}`);
  }
  const isWide = datatypeInfo(datatype).bytes === 8;
  if (!isWide) return Number(number);
  return typeof number === "bigint" || !Number.isInteger(number) ? number : BigInt(number);
}
