import { ArgumentError, NotFoundError, UnsupportedError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { type Enumeration, enumerationValues } from "../../format/enumeration.js";
import { bytesOfText } from "../../format/text-bytes.js";
import { isInteger } from "../integer-types.js";
import type { OpenedArray } from "../opened-array.js";
import type { ConditionValue } from "./query-condition.js";

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
  readonly enumeration: { readonly ordered: boolean; readonly positions: ReadonlyMap<string, number> } | null;
}

export async function describeField(array: OpenedArray, name: string, positions: boolean): Promise<Field> {
  const { datatype, cellValNum, enumeration } = findField(array.schema, name, array.uri);
  const { kind, bytes } = datatypeInfo(datatype);
  return {
    name,
    datatype,
    cellValNum,
    isText: (kind === "string" && bytes === 1) || kind === "char",
    comparesFirstByte: kind === "char" && cellValNum !== VAR_NUM,
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
    {
      where,
    },
  );
}

function enumerationOf(enumeration: Enumeration): NonNullable<Field["enumeration"]> {
  const positions = new Map<string, number>();
  for (const [i, value] of enumerationValues(enumeration).entries()) {
    positions.set(value instanceof Uint8Array ? "" : enumerationKey(value), i);
  }
  return { ordered: enumeration.ordered, positions };
}

/** Numbers and bigints of one value are one key; texts are told from numbers. */
export function enumerationKey(value: ConditionValue): string {
  return typeof value === "string" ? `'${value}` : `${Number(value) === 0 ? 0 : value}`;
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

export function textValue(field: Field, value: ConditionValue): string {
  if (typeof value === "string") return value;
  throw new ArgumentError(`condition: '${field.name}' is ${field.datatype}, ${value} is no text`);
}

/** A member of a list of texts. Throws ArgumentError where no cell can be equal to it. */
export function memberBytes(field: Field, value: ConditionValue): Uint8Array {
  const bytes = bytesOfText(textValue(field, value));
  if (field.cellValNum === VAR_NUM || bytes.byteLength === field.cellValNum) return bytes;
  throw new ArgumentError(
    `condition: '${field.name}' has cells of ${field.cellValNum} bytes, '${value}' in the list has ${bytes.byteLength}`,
  );
}

/** The value in the type in which the field's cells compare: bigint of 64-bit integers, rounded to float32 of those. */
export function numericValue(field: Field, value: ConditionValue): number | bigint {
  if (typeof value === "string") {
    throw new ArgumentError(`condition: '${field.name}' is ${field.datatype}, '${value}' is no number`);
  }
  const number = typeof value === "boolean" ? Number(value) : value;
  const { bytes } = datatypeInfo(field.datatype);
  if (isInteger(field.datatype) && bytes === 8) return Number.isInteger(number) ? BigInt(number) : number;
  if (typeof number === "bigint") return Number(number);
  return field.datatype === "float32" ? Math.fround(number) : number;
}
