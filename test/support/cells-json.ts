import type { Column, ReadResult, TileDBArray } from "../../src/tiledb.js";
import { datatypeInfo, enumerationValues } from "../../src/tiledb.js";

/**
 * A read's result as the JSON of the fixtures (test/python/content.py has the rules), written without any of the
 * package's own conversions: 64-bit integers and datetimes as decimal strings; NaN and infinities as strings; blobs as
 * base64; text with undecodable bytes as lone surrogates; null; several values of a cell as a list.
 */

export type JsonCell = null | number | string | boolean | JsonCell[];

/** Enumerated attributes as positions in their enumerations unless `enumerations` has the values. */
export function jsonRows(
  result: ReadResult,
  enumerations: ReadonlyMap<string, readonly JsonCell[]> = new Map(),
): Record<string, JsonCell>[] {
  const columns = Object.entries(result.columns).map(([name, column]) => {
    const cells = jsonCells(column, result.cellCount);
    const values = enumerations.get(name);
    const shown = values === undefined ? cells : cells.map((cell) => enumerated(cell, values));
    return [name, shown] as const;
  });
  return Array.from({ length: result.cellCount }, (_, row) =>
    Object.fromEntries(columns.map(([name, cells]) => [name, cells[row]!])),
  );
}

/** The values of each enumerated attribute by the attribute's name. */
export async function jsonEnumerations(array: TileDBArray): Promise<Map<string, JsonCell[]>> {
  const found = new Map<string, JsonCell[]>();
  for (const attribute of array.schema.attributes) {
    if (attribute.enumeration === null) continue;
    const values = enumerationValues(await array.enumeration(attribute.enumeration));
    found.set(
      attribute.name,
      values.map((value) => {
        if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
        if (typeof value === "bigint") return String(value);
        return typeof value === "number" ? jsonNumber(value) : value;
      }),
    );
  }
  return found;
}

function enumerated(cell: JsonCell, values: readonly JsonCell[]): JsonCell {
  if (cell === null) return null;
  return values[Number(cell)] ?? null;
}

/** Each cell of a column. */
export function jsonCells(column: Column, count: number): JsonCell[] {
  return Array.from({ length: count }, (_, cell) => {
    if (column.validity !== undefined && column.validity[cell] === 0) return null;
    return jsonCell(column, cell);
  });
}

function jsonCell(column: Column, cell: number): JsonCell {
  const { kind, bytes } = datatypeInfo(column.datatype);
  const data = cellBytes(column, cell);
  if (kind === "string" || kind === "char") {
    const text = decode(data, bytes);
    return column.kind === "var" ? text : text.replace(/\0+$/, "");
  }
  if (kind === "blob") return data.toString("base64");
  const values: JsonCell[] = [];
  for (let at = 0; at < data.length; at += bytes) values.push(value(column, data, at));
  return column.kind === "var" || column.cellValNum !== 1 ? values : values[0]!;
}

function cellBytes(column: Column, cell: number): Buffer {
  if (column.kind === "var") {
    const { buffer, byteOffset } = column.data;
    const [start, end] = [column.offsets[cell]!, column.offsets[cell + 1]!];
    return Buffer.from(buffer, byteOffset + start, end - start);
  }
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = column.values;
  const size = BYTES_PER_ELEMENT * column.cellValNum;
  return Buffer.from(buffer, byteOffset + cell * size, size);
}

function value(column: Column, data: Buffer, at: number): JsonCell {
  const { kind, bytes } = datatypeInfo(column.datatype);
  if (kind === "bool") return data[at] !== 0;
  if (kind === "float") return jsonNumber(bytes === 4 ? data.readFloatLE(at) : data.readDoubleLE(at));
  if (bytes === 8) return String(kind === "uint" ? data.readBigUInt64LE(at) : data.readBigInt64LE(at));
  return kind === "uint" ? data.readUIntLE(at, bytes) : data.readIntLE(at, bytes);
}

function jsonNumber(number: number): JsonCell {
  return Number.isFinite(number) ? number : String(number);
}

function decode(data: Buffer, unit: number): string {
  if (unit === 2) return data.toString("utf16le");
  if (unit === 4) {
    const codes = Array.from({ length: data.length / 4 }, (_, i) => data.readUInt32LE(i * 4));
    return codes.map((code) => String.fromCodePoint(code)).join("");
  }
  const text = data.toString("utf8");
  if (Buffer.from(text, "utf8").equals(data)) return text;
  // As Python's surrogateescape, good enough for bytes that are not UTF-8 at all.
  return [...data].map((byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
}
