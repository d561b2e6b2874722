import { type Column, type Datatype, datatypeInfo } from "../../src/tiledb.js";

/** Columns as test/python/core_cells.py takes and gives them, and values as test/python/wire.py writes them. */

export interface WireColumn {
  /** Of a fixed field. */
  readonly values?: Uint8Array;
  /** Of a variable-length field: uint32, cells + 1. */
  readonly offsets?: Uint8Array;
  readonly data?: Uint8Array;
  readonly validity?: Uint8Array;
}

const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export function toWireColumn(column: Column): WireColumn {
  const validity = column.validity === undefined ? {} : { validity: bytes(column.validity) };
  if (column.kind === "fixed") return { values: bytes(column.values), ...validity };
  return { offsets: bytes(column.offsets), data: bytes(column.data), ...validity };
}

export function toWireColumns(columns: Readonly<Record<string, Column>>): Record<string, WireColumn> {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, toWireColumn(column)]));
}

/** A column of the peer's answer (already through `fromWire`). */
export function fromWireColumn(wire: WireColumn, datatype: Datatype, cellValNum: number): Column {
  const validity = wire.validity === undefined ? {} : { validity: wire.validity };
  if (wire.values === undefined) {
    const offsets = new Uint32Array(wire.offsets!.slice().buffer);
    return { kind: "var", datatype, offsets, data: wire.data!, ...validity };
  }
  const values = new (datatypeInfo(datatype).array)(wire.values.slice().buffer);
  return { kind: "fixed", datatype, cellValNum, values, ...validity };
}

/** An answer of the peer with {"base64"} as bytes and {"integer"} as bigint, in place of the raw JSON. */
export function fromWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromWire);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1) {
    const [[key, item]] = entries as [[string, unknown]];
    if (key === "base64" && typeof item === "string") return new Uint8Array(Buffer.from(item, "base64"));
    if (key === "integer" && typeof item === "string") return BigInt(item);
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, fromWire(item)]));
}
