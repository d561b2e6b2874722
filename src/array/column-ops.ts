import { LimitError } from "../errors.js";
import { type Datatype, datatypeInfo } from "../format/datatype.js";
import { bytesOf, type TypedArray, type TypedArrayConstructor, viewAs } from "../util/typed-arrays.js";
import type { Column, FixedColumn, VarColumn } from "./columns.js";
import type { VarCells } from "./directory/stored-field.js";
import type { Selection } from "./read/selection.js";

/** Taking cells out of columns and putting columns together. */

export function columnCells(column: Column): number {
  if (column.kind === "var") return column.offsets.length - 1;
  return column.values.length / column.cellValNum;
}

/** Memory for `length` values; LimitError where the platform does not give it. */
export function allocate<T extends TypedArray>(
  type: TypedArrayConstructor<T>,
  length: number,
  what: string,
): T {
  try {
    return new type(length);
  } catch (cause) {
    throw new LimitError(`cannot take ${length * type.BYTES_PER_ELEMENT} bytes for ${what}`, { cause });
  }
}

/** A column of decoded bytes; `validity` as in columns. */
export function fixedColumn(
  datatype: Datatype,
  cellValNum: number,
  bytes: Uint8Array,
  validity?: Uint8Array,
): FixedColumn {
  const values = viewAs(bytes, datatypeInfo(datatype).array);
  return { kind: "fixed", datatype, cellValNum, values, ...(validity && { validity }) };
}

export function varColumn(datatype: Datatype, cells: VarCells, validity?: Uint8Array): VarColumn {
  return { kind: "var", datatype, offsets: cells.offsets, data: cells.data, ...(validity && { validity }) };
}

/** The selected cells, in order, in memory of their own unless they are all. */
export function selectCells(column: Column, selection: Selection): Column {
  if (selection.kind === "list") return takeCells(column, selection.cells);
  const { from, to } = selection;
  if (from === 0 && to === columnCells(column)) return column;
  const validity = column.validity?.slice(from, to);
  if (column.kind === "fixed") {
    const n = column.cellValNum;
    return { ...column, values: column.values.slice(from * n, to * n), ...(validity && { validity }) };
  }
  const start = column.offsets[from]!;
  const offsets = column.offsets.slice(from, to + 1);
  for (let i = 0; i < offsets.length; i++) offsets[i] = offsets[i]! - start;
  const data = column.data.slice(start, start + offsets[to - from]!);
  return { ...column, offsets, data, ...(validity && { validity }) };
}

/** The cells at those positions, in that order; positions may repeat. */
export function takeCells(column: Column, cells: Uint32Array): Column {
  const validity = column.validity && takeValues(column.validity, cells, 1);
  if (column.kind === "fixed") {
    const values = takeValues(column.values, cells, column.cellValNum);
    return { ...column, values, ...(validity && { validity }) };
  }
  return { ...column, ...takeVar(column, cells), ...(validity && { validity }) };
}

function takeValues<T extends TypedArray>(values: T, cells: Uint32Array, perCell: number): T {
  const type = values.constructor as TypedArrayConstructor<T>;
  const taken = allocate(type, cells.length * perCell, "selected cells");
  copyCells(values, cells, perCell, taken, 0);
  return taken;
}

/**
 * Copies cells of `values` to `target` from cell `at` on. Both have the same array type. Bits are copied as unsigned
 * words: no bigint per cell, no NaN changed, and loops that see three array types instead of eleven.
 */
export function copyCells(
  values: TypedArray,
  cells: Uint32Array,
  perCell: number,
  target: TypedArray,
  at: number,
): void {
  const from = wordsOf(values);
  const to = wordsOf(target);
  const words = values.BYTES_PER_ELEMENT === 8 ? 2 * perCell : perCell;
  if (words === 1) {
    for (let i = 0; i < cells.length; i++) to[at + i] = from[cells[i]!]!;
    return;
  }
  if (words === 2) {
    for (let i = 0; i < cells.length; i++) {
      const cell = 2 * cells[i]!;
      to[2 * (at + i)] = from[cell]!;
      to[2 * (at + i) + 1] = from[cell + 1]!;
    }
    return;
  }
  let next = at * words;
  for (const cell of cells) {
    const start = cell * words;
    for (let w = 0; w < words; w++) to[next++] = from[start + w]!;
  }
}

/** The memory as unsigned integers of the elements' width; 64-bit elements are two words each. */
function wordsOf(values: TypedArray): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = values;
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function takeVar({ offsets, data }: VarCells, cells: Uint32Array): VarCells {
  const taken = new Uint32Array(cells.length + 1);
  let size = 0;
  for (let i = 0; i < cells.length; i++) {
    size += offsets[cells[i]! + 1]! - offsets[cells[i]!]!;
    taken[i + 1] = size;
  }
  checkVarSize(size);
  const bytes = allocate(Uint8Array, size, "selected cells");
  for (let i = 0; i < cells.length; i++) {
    const start = offsets[cells[i]!]!;
    const end = offsets[cells[i]! + 1]!;
    let to = taken[i]!;
    // Most texts are short: a loop beats a view and a copy per cell.
    if (end - start < 64) for (let from = start; from < end; from++) bytes[to++] = data[from]!;
    else bytes.set(data.subarray(start, end), to);
  }
  return { offsets: taken, data: bytes };
}

/** One column of all parts, in order. Parts have the same datatype; at least one is given. */
export function concatColumns(parts: readonly Column[]): Column {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const cells = parts.reduce((sum, part) => sum + columnCells(part), 0);
  const nullable = parts.some((part) => part.validity !== undefined);
  const validity = nullable ? concatValidity(parts, cells) : undefined;
  if (first!.kind === "fixed") {
    const type = datatypeInfo(first!.datatype).array;
    const values = allocate(type, cells * first!.cellValNum, "cells");
    let at = 0;
    for (const part of parts as readonly FixedColumn[]) {
      bytesOf(values).set(bytesOf(part.values), at);
      at += part.values.byteLength;
    }
    return { ...first!, values, ...(validity && { validity }) };
  }
  return { ...first!, ...concatVar(parts as readonly VarColumn[], cells), ...(validity && { validity }) };
}

function concatVar(parts: readonly VarColumn[], cells: number): VarCells {
  const size = parts.reduce((sum, part) => sum + part.data.byteLength, 0);
  checkVarSize(size);
  const offsets = allocate(Uint32Array, cells + 1, "offsets");
  const data = allocate(Uint8Array, size, "cells of variable length");
  let cell = 0;
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i + 1 < part.offsets.length; i++) offsets[cell++] = at + part.offsets[i]!;
    data.set(part.data, at);
    at += part.data.byteLength;
  }
  offsets[cells] = at;
  return { offsets, data };
}

function concatValidity(parts: readonly Column[], cells: number): Uint8Array {
  const validity = allocate(Uint8Array, cells, "validity").fill(1);
  let at = 0;
  for (const part of parts) {
    if (part.validity !== undefined) validity.set(part.validity, at);
    at += columnCells(part);
  }
  return validity;
}

function checkVarSize(size: number): void {
  if (size <= 0xffffffff) return;
  throw new LimitError(
    `${size} bytes of variable-length cells in one column, at most 4 GiB; read fewer cells`,
  );
}

/** `count` times the same fixed cell. */
export function repeatCell(
  datatype: Datatype,
  cellValNum: number,
  cell: Uint8Array,
  count: number,
): FixedColumn {
  const type = datatypeInfo(datatype).array;
  const values = allocate(type, count * cellValNum, "cells");
  const bytes = bytesOf(values);
  if (count > 0) bytes.set(cell);
  // Doubling copies: as fast as fill for any width.
  for (let done = cell.byteLength; done > 0 && done < bytes.byteLength; done *= 2) {
    bytes.copyWithin(done, 0, Math.min(done, bytes.byteLength - done));
  }
  return { kind: "fixed", datatype, cellValNum, values };
}

/** `count` times the same variable-length cell. */
export function repeatVarCell(datatype: Datatype, cell: Uint8Array, count: number): VarColumn {
  checkVarSize(cell.byteLength * count);
  const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => i * cell.byteLength);
  const data = bytesOf(
    repeatCell("uint8", Math.max(1, cell.byteLength), cell, cell.byteLength === 0 ? 0 : count).values,
  );
  return { kind: "var", datatype, offsets, data };
}
