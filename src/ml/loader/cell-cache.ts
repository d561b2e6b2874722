import type { SparseMatrix } from "../../h5ad/matrix.js";
import type { TypedArray } from "../../util/typed-arrays.js";

/**
 * Cells that were read, as they are stored, so that further epochs decode nothing. Tiles hold several cells, and whoever
 * wants some of them decodes all: so blocks of consecutive cells are read whole and kept, until the memory is full; from
 * then on the other cells are read as without.
 */

/** Cells of a block. */
const BLOCK = 128;

/** Rows of a CSR matrix. */
export type CellRows = Pick<SparseMatrix, "indptr" | "indices" | "data">;

/** What a fetch reads. */
interface Reading {
  /** Ascending, each once. */
  readonly cells: Uint32Array;
  /** Blocks that are read whole, and where their cells begin among those read. */
  readonly whole: readonly (readonly [block: number, start: number])[];
}

export class CellCache {
  readonly #limit: number;
  readonly #cellCount: number;
  /** Estimate. */
  readonly #blockBytes: number;
  readonly #blocks = new Map<number, CellRows>();
  #bytes = 0;

  /** @param valuesPerCell mean number of stored values, to know before reading how many blocks there is room for */
  constructor(limit: number, cellCount: number, valuesPerCell: number) {
    this.#limit = limit;
    this.#cellCount = cellCount;
    this.#blockBytes = BLOCK * (valuesPerCell * 8 + 4);
  }

  /** Bytes of what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The rows of `cells`, which are ascending, each once; `read` gives those of any such cells. */
  async fetch(cells: Uint32Array, read: (cells: Uint32Array) => Promise<CellRows>): Promise<CellRows> {
    const reading = this.#reading(cells);
    const kept = new Map(blocksOf(cells).map((block) => [block, this.#blocks.get(block)]));
    const nothingKept = reading.whole.length === 0 && reading.cells.length === cells.length;
    if (nothingKept) return read(cells);
    const fresh = reading.cells.length === 0 ? null : await read(reading.cells);
    const sources: CellRows[] = [];
    const rows = new Uint32Array(cells.length);
    for (let at = 0, next = 0; at < cells.length; at++) {
      const block = Math.floor(cells[at]! / BLOCK);
      const own = kept.get(block);
      if (own === undefined) while (reading.cells[next] !== cells[at]) next++;
      sources.push(own ?? fresh!);
      rows[at] = own === undefined ? next : cells[at]! - block * BLOCK;
    }
    if (fresh !== null) for (const [block, start] of reading.whole) this.#keep(block, fresh, start);
    return gather(sources, rows);
  }

  #reading(cells: Uint32Array): Reading {
    const numbers: number[] = [];
    const whole: [number, number][] = [];
    let room = this.#limit - this.#bytes;
    for (let at = 0; at < cells.length; ) {
      const block = Math.floor(cells[at]! / BLOCK);
      const from = at;
      while (at < cells.length && cells[at]! < (block + 1) * BLOCK) at++;
      if (this.#blocks.has(block)) continue;
      if (room >= this.#blockBytes) {
        room -= this.#blockBytes;
        whole.push([block, numbers.length]);
        const end = Math.min((block + 1) * BLOCK, this.#cellCount);
        for (let cell = block * BLOCK; cell < end; cell++) numbers.push(cell);
      } else for (let i = from; i < at; i++) numbers.push(cells[i]!);
    }
    return { cells: Uint32Array.from(numbers), whole };
  }

  #keep(block: number, { indptr, indices, data }: CellRows, start: number): void {
    const count = Math.min(BLOCK, this.#cellCount - block * BLOCK);
    const [from, to] = [indptr[start]!, indptr[start + count]!];
    const starts = Uint32Array.from({ length: count + 1 }, (_, row) => indptr[start + row]! - from);
    const rows = { indptr: starts, indices: indices.slice(from, to), data: data.slice(from, to) };
    const bytes = starts.byteLength + rows.indices.byteLength + rows.data.byteLength;
    if (this.#blocks.has(block) || this.#bytes + bytes > this.#limit) return;
    this.#blocks.set(block, rows);
    this.#bytes += bytes;
  }
}

function blocksOf(cells: Uint32Array): number[] {
  return [...new Set(Array.from(cells, (cell) => Math.floor(cell / BLOCK)))];
}

/** A row of each source, one after the other. */
function gather(sources: readonly CellRows[], rows: Uint32Array): CellRows {
  const indptr = new Uint32Array(rows.length + 1);
  for (const [at, { indptr: starts }] of sources.entries()) {
    indptr[at + 1] = indptr[at]! + starts[rows[at]! + 1]! - starts[rows[at]!]!;
  }
  const Values = sources[0]!.data.constructor as new (length: number) => TypedArray;
  const indices = new Int32Array(indptr[rows.length]!);
  const data = new Values(indptr[rows.length]!);
  for (const [at, source] of sources.entries()) {
    const [from, to] = [source.indptr[rows[at]!]!, source.indptr[rows[at]! + 1]!];
    indices.set(source.indices.subarray(from, to), indptr[at]);
    copyValues(data, source.data, from, to, indptr[at]!);
  }
  return { indptr, indices, data };
}

/** Both of the same type. */
function copyValues(target: TypedArray, source: TypedArray, from: number, to: number, at: number): void {
  const width = target.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  bytes.set(new Uint8Array(source.buffer, source.byteOffset + from * width, (to - from) * width), at * width);
}
