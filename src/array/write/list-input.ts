import { ValueError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import { bytesOf, concatBytes } from "../../util/typed-arrays.js";
import type { Column } from "../columns.js";
import type { Field } from "../fields.js";
import { isInteger, typeRange } from "../integer-types.js";
import type { CellValue } from "./write-types.js";

/** The column that a list of values stands for; meant for small and for nullable input. */
export function columnOfList(field: Field, list: readonly (CellValue | null)[], where: string): Column {
  return field.isVar ? varColumn(field, list, where) : fixedColumn(field, list, where);
}

type Nulls = { validity?: Uint8Array };

function nullsOf(list: readonly (CellValue | null)[]): Nulls {
  if (!list.includes(null)) return {};
  return { validity: Uint8Array.from(list, (value) => (value === null ? 0 : 1)) };
}

function varColumn(field: Field, list: readonly (CellValue | null)[], where: string): Column {
  const offsets = new Uint32Array(list.length + 1);
  const parts: Uint8Array[] = new Array(list.length);
  for (let cell = 0; cell < list.length; cell++) {
    parts[cell] = bytesOfValue(field, list[cell] ?? null, cell, where);
    offsets[cell + 1] = offsets[cell]! + parts[cell]!.byteLength;
  }
  return { kind: "var", datatype: field.datatype, offsets, data: concatBytes(parts), ...nullsOf(list) };
}

const encoder = new TextEncoder();
const none = new Uint8Array(0);

function bytesOfValue(field: Field, value: CellValue | null, cell: number, where: string): Uint8Array {
  if (value === null) return none;
  if (value instanceof Uint8Array) return value;
  const { kind } = datatypeInfo(field.datatype);
  if (typeof value === "string" && (kind === "string" || kind === "char" || kind === "blob")) {
    return textBytes(field.datatype, value);
  }
  throw misfit(field, value, cell, where);
}

/** Text in the encoding of a string type. */
function textBytes(datatype: Datatype, text: string): Uint8Array {
  const { bytes } = datatypeInfo(datatype);
  if (bytes === 2) return bytesOf(Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
  if (bytes === 4) return bytesOf(Uint32Array.from([...text], (character) => character.codePointAt(0)!));
  return encoder.encode(text);
}

function fixedColumn(field: Field, list: readonly (CellValue | null)[], where: string): Column {
  const { datatype, cellValNum, cellBytes } = field;
  const values = new (datatypeInfo(datatype).array)(list.length * cellValNum);
  const raw = bytesOf(values);
  for (let cell = 0; cell < list.length; cell++) {
    const value = list[cell] ?? null;
    if (value === null) continue;
    if (typeof value === "string" || value instanceof Uint8Array) {
      const bytes = bytesOfValue(field, value, cell, where);
      if (bytes.byteLength !== cellBytes) throw misfit(field, value, cell, where);
      raw.set(bytes, cell * cellBytes);
      continue;
    }
    if (cellValNum !== 1) throw misfit(field, value, cell, where);
    const number = numberFor(field, value, cell, where);
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[cell] = BigInt(number);
    else values[cell] = Number(number);
  }
  return { kind: "fixed", datatype, cellValNum, values, ...nullsOf(list) };
}

function numberFor(
  field: Field,
  value: number | bigint | boolean,
  cell: number,
  where: string,
): number | bigint {
  const { kind } = datatypeInfo(field.datatype);
  if (kind === "float") {
    if (typeof value === "boolean") throw misfit(field, value, cell, where);
    return Number(value);
  }
  if (kind === "bool") {
    if (value === true || value === false || value === 0 || value === 1) return Number(value);
    throw misfit(field, value, cell, where);
  }
  if (!isInteger(field.datatype) || typeof value === "boolean") throw misfit(field, value, cell, where);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw misfit(field, value, cell, where);
  const [smallest, largest] = typeRange(field.datatype);
  if (BigInt(value) < smallest || BigInt(value) > largest) throw misfit(field, value, cell, where);
  return value;
}

function misfit(field: Field, value: CellValue, cell: number, where: string): ValueError {
  const shown = typeof value === "string" ? `'${value}'` : String(value);
  const shape = field.isVar ? field.datatype : `${field.datatype} of ${field.cellValNum} per cell`;
  return new ValueError(`write: '${field.name}', cell ${cell}: ${shown} is no value of ${shape}`, { where });
}
