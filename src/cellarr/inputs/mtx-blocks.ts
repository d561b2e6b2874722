import { FormatError, throwIfAborted } from "../../errors.js";
import type { MatrixDtype, MatrixShape } from "../../h5ad/matrix.js";
import { blockEnd, maxCellsOf, relativeIndptr } from "../../h5ad/row-blocks.js";
import type { BlockOptions, CsrBlock, MatrixSource } from "../../h5ad/source.js";
import { type MtxEntries, type MtxHeader, MtxParser } from "./mtx-parser.js";
import { type TextFile, textPieces, whereOf } from "./text-pieces.js";

/**
 * The matrix of a Matrix Market file by blocks of cells. A first pass counts the entries of each cell. Where they come
 * cell after cell, as Cell Ranger writes them, a second one makes the blocks; otherwise the file is read once for every
 * 4 blocks. Memory: a block (or four), and 12 bytes a cell.
 */

const BLOCKS_PER_PASS = 4;

interface CellCounts {
  /** Positions of cells, cells + 1. */
  readonly indptr: Float64Array;
  /** Whether the entries come cell after cell. */
  readonly sorted: boolean;
}

export class MtxMatrix implements MatrixSource {
  readonly name: string;
  readonly shape: MatrixShape;
  readonly storage = "csr";
  readonly dtype: MatrixDtype;
  readonly nonZeroCount: number;
  readonly #file: TextFile;
  readonly #cellsAreRows: boolean;
  #counts: CellCounts | null = null;

  constructor(name: string, file: TextFile, header: MtxHeader, cellsAreRows: boolean) {
    const { rows, columns, entries, field } = header;
    this.name = name;
    this.shape = cellsAreRows ? [rows, columns] : [columns, rows];
    this.dtype = field === "real" ? "float64" : "int32";
    this.nonZeroCount = entries;
    this.#file = file;
    this.#cellsAreRows = cellsAreRows;
  }

  async *blocks(options: BlockOptions = {}): AsyncGenerator<CsrBlock> {
    const maxCells = maxCellsOf(options);
    this.#counts ??= await this.#count(options.signal);
    const { indptr, sorted } = this.#counts;
    if (sorted) yield* this.#sortedBlocks(indptr, maxCells, options.signal);
    else yield* this.#gatheredBlocks(indptr, maxCells, options.signal);
  }

  async #count(signal: AbortSignal | undefined): Promise<CellCounts> {
    const [cellCount] = this.shape;
    const indptr = new Float64Array(cellCount + 1);
    let sorted = true;
    let last = 0;
    for await (const { cells } of this.#entries(signal)) {
      for (let at = 0; at < cells.length; at++) {
        const cell = cells[at]!;
        if (cell < last) sorted = false;
        last = cell;
        indptr[cell + 1]!++;
      }
    }
    for (let cell = 0; cell < cellCount; cell++) indptr[cell + 1]! += indptr[cell]!;
    return { indptr, sorted };
  }

  async *#sortedBlocks(
    indptr: Float64Array,
    maxCells: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<CsrBlock> {
    const [cellCount] = this.shape;
    let block = cellCount === 0 ? null : this.#newBlock(indptr, 0, blockEnd(indptr, 0, maxCells));
    let filled = 0;
    const next = (): void => {
      const first = block!.firstRow + block!.rowCount;
      block = first >= cellCount ? null : this.#newBlock(indptr, first, blockEnd(indptr, first, maxCells));
      filled = 0;
    };
    for await (const { genes, values } of this.#entries(signal)) {
      for (let at = 0; at < genes.length; ) {
        while (block !== null && filled === block.indices.length) {
          yield block;
          next();
        }
        if (block === null) throw this.#changed();
        const count = Math.min(genes.length - at, block.indices.length - filled);
        block.indices.set(genes.subarray(at, at + count), filled);
        this.#setValues(block, values.subarray(at, at + count), filled);
        filled += count;
        at += count;
      }
    }
    while (block !== null) {
      if (filled !== block.indices.length) throw this.#changed();
      yield block;
      next();
    }
  }

  async *#gatheredBlocks(
    indptr: Float64Array,
    maxCells: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<CsrBlock> {
    const [cellCount] = this.shape;
    for (let first = 0; first < cellCount; ) {
      const end = blockEnd(indptr, first, maxCells * BLOCKS_PER_PASS);
      const all = await this.#gather(indptr, first, end, signal);
      for (let row = 0; row < end - first; ) {
        throwIfAborted(signal);
        const next = blockEnd(all.indptr, row, maxCells);
        const [from, to] = [all.indptr[row]!, all.indptr[next]!];
        yield {
          firstRow: first + row,
          rowCount: next - row,
          indptr: relativeIndptr(all.indptr, row, next),
          indices: all.indices.slice(from, to),
          values: all.values.slice(from, to),
        };
        row = next;
      }
      first = end;
    }
  }

  async #gather(
    indptr: Float64Array,
    first: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<CsrBlock> {
    const block = this.#newBlock(indptr, first, end);
    const next = block.indptr.slice();
    const target = block.values as Float64Array | Int32Array;
    for await (const { cells, genes, values } of this.#entries(signal)) {
      for (let at = 0; at < cells.length; at++) {
        const row = cells[at]! - first;
        if (row < 0 || row >= end - first) continue;
        const to = next[row]!++;
        block.indices[to] = genes[at]!;
        target[to] = values[at]!;
      }
      this.#checkIntegers(values);
    }
    return block;
  }

  #newBlock(indptr: Float64Array, first: number, end: number): CsrBlock {
    const count = indptr[end]! - indptr[first]!;
    return {
      firstRow: first,
      rowCount: end - first,
      indptr: relativeIndptr(indptr, first, end),
      indices: new Int32Array(count),
      values: this.dtype === "float64" ? new Float64Array(count) : new Int32Array(count),
    };
  }

  #setValues(block: CsrBlock, values: Float64Array, at: number): void {
    this.#checkIntegers(values);
    (block.values as Float64Array | Int32Array).set(values, at);
  }

  #checkIntegers(values: Float64Array): void {
    if (this.dtype === "float64") return;
    for (let at = 0; at < values.length; at++) {
      if ((values[at]! | 0) === values[at]) continue;
      const problem = `value ${values[at]} in a matrix of integers, expected a whole number of 32 bits`;
      throw new FormatError(problem, { where: whereOf(this.#file) });
    }
  }

  async *#entries(
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ cells: Int32Array; genes: Int32Array; values: Float64Array }> {
    const parser = new MtxParser(whereOf(this.#file));
    const oriented = ({ rows, columns, values }: MtxEntries) =>
      this.#cellsAreRows ? { cells: rows, genes: columns, values } : { cells: columns, genes: rows, values };
    for await (const piece of textPieces(this.#file, signal)) {
      for (const entries of parser.push(piece)) yield oriented(entries);
    }
    for (const entries of parser.finish()) yield oriented(entries);
  }

  #changed(): FormatError {
    return new FormatError("the file changed while it was read", { where: whereOf(this.#file) });
  }
}

/** The header of a file, for which only its beginning is read. */
export async function mtxHeader(file: TextFile, signal?: AbortSignal): Promise<MtxHeader> {
  const parser = new MtxParser(whereOf(file));
  for await (const piece of textPieces(file, signal)) {
    const parsing = parser.push(piece);
    parsing.next();
    if (parser.header !== null) return parser.header;
  }
  throw new FormatError("no header of a Matrix Market file", { where: whereOf(file) });
}
