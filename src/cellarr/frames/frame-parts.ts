import { LimitError } from "../../errors.js";
import { type CategoricalColumn, Frame, type FrameColumn, type TextColumn } from "../../util/frame.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { TextBuilder } from "./text-builder.js";

/** Small operations on frames and their columns: rows by position, row numbers as names. */

/** Row names "0", "1", ... or the given numbers. */
export function numberedIndex(rows: number | Uint32Array): TextColumn {
  const count = typeof rows === "number" ? rows : rows.length;
  const offsets = new Uint32Array(count + 1);
  const data = new Uint8Array(count * MOST_DIGITS);
  let end = 0;
  for (let at = 0; at < count; at++) {
    let left = typeof rows === "number" ? at : rows[at]!;
    end += digitsOf(left);
    for (let digit = end; ; ) {
      const rest = Math.floor(left / 10);
      data[--digit] = ZERO + left - rest * 10;
      if (rest === 0) break;
      left = rest;
    }
    offsets[at + 1] = end;
  }
  return { kind: "text", offsets, data: data.slice(0, end) };
}

/** Of 32-bit numbers. */
const MOST_DIGITS = 10;
const ZERO = 0x30;

function digitsOf(number: number): number {
  let digits = 1;
  for (let limit = 10; number >= limit; limit *= 10) digits++;
  return digits;
}

/** Numbers of the rows [start, end). */
export function runRows(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, at) => start + at);
}

/** The same values in memory of their own. */
export function copyColumn<C extends FrameColumn>(column: C): C {
  const copies: Partial<Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(column)) {
    if (ArrayBuffer.isView(value)) copies[key] = (value as Uint8Array).slice();
    else if (key === "categories") copies[key] = copyColumn(value as FrameColumn);
  }
  return { ...column, ...copies };
}

/** The rows at `positions`, in that order; a position may come more than once. */
export function takeRows(column: FrameColumn, positions: Uint32Array): FrameColumn {
  if (column.kind === "text") return takeText(column, positions);
  if (column.kind === "categorical") {
    const taken: CategoricalColumn = { ...column, codes: takeValues(column.codes, positions) };
    return taken;
  }
  const { validity } = column;
  const taken = { ...column, values: takeValues(column.values, positions) };
  return (
    validity === undefined ? taken : { ...taken, validity: takeValues(validity, positions) }
  ) as typeof column;
}

/** The same of strictly ascending positions: rows that follow one another are copied at once. */
export function takeSorted(column: FrameColumn, positions: Uint32Array): FrameColumn {
  const first = positions[0] ?? 0;
  const end = first + positions.length;
  if (positions.length > 0 && positions.at(-1) !== end - 1) return takeRows(column, positions);
  if (column.kind === "categorical") return { ...column, codes: column.codes.slice(first, end) };
  const validity = column.validity && { validity: column.validity.slice(first, end) };
  if (column.kind !== "text") {
    return { ...column, values: column.values.slice(first, end), ...validity } as typeof column;
  }
  const start = column.offsets[first]!;
  const offsets = column.offsets.slice(first, end + 1);
  if (start !== 0) for (let row = 0; row < offsets.length; row++) offsets[row]! -= start;
  return { ...column, offsets, data: column.data.slice(start, column.offsets[end]), ...validity };
}

/** All columns of the rows at `positions`, with the rows' names. */
export function takeFrameRows(frame: Frame, positions: Uint32Array): Frame {
  const columns = new Map<string, FrameColumn>();
  for (const [name, column] of frame.columns) columns.set(name, takeRows(column, positions));
  return new Frame(takeText(frame.index, positions), columns, frame.indexName);
}

function takeValues<T extends TypedArray>(values: T, positions: Uint32Array): T {
  const Type = values.constructor as new (length: number) => T;
  const taken = new Type(positions.length);
  for (let at = 0; at < positions.length; at++) taken[at] = values[positions[at]!]!;
  return taken;
}

/** The texts at `positions`, in that order. */
export function takeText(column: TextColumn, positions: Uint32Array): TextColumn {
  const { offsets, data, validity } = column;
  if (validity === undefined) return takeBytes(offsets, data, positions);
  const builder = new TextBuilder();
  for (const row of positions) {
    if (validity?.[row] === 0) builder.pushMissing();
    else builder.pushBytes(data, offsets[row], offsets[row + 1]);
  }
  return builder.finish();
}

/** Texts are short: bytes are copied one by one. */
function takeBytes(offsets: Uint32Array, data: Uint8Array, positions: Uint32Array): TextColumn {
  const starts = new Uint32Array(positions.length + 1);
  let size = 0;
  for (let at = 0; at < positions.length; at++) {
    size += offsets[positions[at]! + 1]! - offsets[positions[at]!]!;
    starts[at + 1] = size;
  }
  if (size > 0xffffffff) throw new LimitError(`${size} bytes of text in one column, at most 4 GiB`);
  const taken = new Uint8Array(size);
  for (let at = 0; at < positions.length; at++) {
    const end = starts[at + 1]!;
    for (let to = starts[at]!, from = offsets[positions[at]!]!; to < end; ) taken[to++] = data[from++]!;
  }
  return { kind: "text", offsets: starts, data: taken };
}
