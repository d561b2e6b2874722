import { LimitError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column, FixedColumn, VarColumn } from "../columns.js";
import type { Field } from "../fields.js";

const FIRST_CELLS = 4096;
/** Offsets within a tile are 32 bits wide here. */
const MAX_VAR_BYTES = 0xffffffff;

/** Cells of one field that wait for their tile to fill. Memory grows with the cells that are there. */
export class TileBuffer {
  readonly #field: Field;
  #cells = 0;
  #values: TypedArray;
  #offsets: Uint32Array;
  #data = new Uint8Array(0);
  #validity: Uint8Array;

  constructor(field: Field) {
    this.#field = field;
    const { array } = datatypeInfo(field.datatype);
    this.#values = new array(field.isVar ? 0 : FIRST_CELLS * field.cellValNum);
    this.#offsets = new Uint32Array(field.isVar ? FIRST_CELLS + 1 : 1);
    this.#validity = new Uint8Array(field.nullable ? FIRST_CELLS : 0);
  }

  /** Copies cells [start, end) of a column. */
  append(column: Column, start: number, end: number): void {
    const cells = this.#cells + end - start;
    if (column.kind === "var") this.#appendVar(column, start, end);
    else this.#appendFixed(column, start, end);
    if (column.validity !== undefined) {
      if (cells > this.#validity.length) this.#validity = grown(this.#validity, cells);
      this.#validity.set(column.validity.subarray(start, end), this.#cells);
    }
    this.#cells = cells;
  }

  /** The cells as a column over the buffer's own memory: good until the next `append`. */
  column(): Column {
    const { datatype, cellValNum, isVar, nullable } = this.#field;
    const validity = nullable ? { validity: this.#validity.subarray(0, this.#cells) } : {};
    if (isVar) {
      const offsets = this.#offsets.subarray(0, this.#cells + 1);
      return { kind: "var", datatype, offsets, data: this.#data, ...validity };
    }
    const values = this.#values.subarray(0, this.#cells * cellValNum);
    return { kind: "fixed", datatype, cellValNum, values, ...validity };
  }

  clear(): void {
    this.#cells = 0;
  }

  #appendFixed({ values, cellValNum }: FixedColumn, start: number, end: number): void {
    const at = this.#cells * cellValNum;
    const part = values.subarray(start * cellValNum, end * cellValNum);
    if (at + part.length > this.#values.length) this.#values = grown(this.#values, at + part.length);
    copyInto(this.#values, part, at);
  }

  #appendVar({ offsets, data }: VarColumn, start: number, end: number): void {
    const [from, to] = [offsets[start]!, offsets[end]!];
    const before = this.#offsets[this.#cells]!;
    const size = before + to - from;
    if (size > MAX_VAR_BYTES) {
      throw new LimitError(`write: a tile of '${this.#field.name}' would exceed ${MAX_VAR_BYTES} bytes`);
    }
    const cells = this.#cells + end - start;
    if (cells + 1 > this.#offsets.length) this.#offsets = grown(this.#offsets, cells + 1);
    for (let cell = start; cell < end; cell++) {
      this.#offsets[this.#cells + cell - start + 1] = before + offsets[cell + 1]! - from;
    }
    if (size > this.#data.byteLength) this.#data = grown(this.#data, size);
    this.#data.set(data.subarray(from, to), before);
  }
}

/** The array in memory for at least `length` elements; at least doubled, so that growing is cheap on average. */
function grown<T extends TypedArray>(array: T, length: number): T {
  const type = array.constructor as new (length: number) => T;
  const larger = new type(Math.max(length, array.length * 2));
  copyInto(larger, array, 0);
  return larger;
}

/** Copies between arrays of one type, bigint or not. */
export function copyInto(to: TypedArray, from: TypedArray, at: number): void {
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) to.set(from as BigInt64Array, at);
  else to.set(from as Uint8Array, at);
}
