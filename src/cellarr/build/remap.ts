import type { CsrBlock } from "../../h5ad/source.js";
import { ReusedArrays } from "../../util/reused-arrays.js";
import type { NumberArray, TypedArrayConstructor } from "../../util/typed-arrays.js";
import type { Combiner } from "./combine.js";
import { asNumbers } from "./fit-values.js";

/**
 * From the columns of one file to the genes of the store: drops genes that the store does not have, renumbers, brings
 * each row into ascending order and combines columns of the same gene. Works on typed arrays, a block at a time.
 */

/** Where each column of one file goes. */
export interface ColumnMap {
  /** Per column of the file: the gene's position in the store, or -1. */
  readonly genes: Int32Array;
  /** Genes of the store. */
  readonly geneCount: number;
  /** True if ascending columns go to strictly ascending genes: sorted rows stay sorted. */
  readonly increasing: boolean;
  /** Where several columns go to one gene: each column's position among those; null if none do. */
  readonly ranks: Int32Array | null;
  /** Columns per gene; empty where `ranks` is null. */
  readonly columnCounts: Int32Array;
}

/** Cells of a block in the store's numbering, in row-major order, each cell and gene once. */
export interface RemappedBlock {
  /** Cell in the store: row of the file + its offset. */
  readonly cells: Uint32Array;
  readonly genes: Uint32Array;
  readonly values: NumberArray;
}

export interface RemapOptions {
  readonly cellOffset: number;
  readonly dropZeros: boolean;
  /** Where the result lies; of the next block too. Default memory of its own. */
  readonly memory?: ReusedArrays | undefined;
}

/** Looks at a file's columns once. `geneCount` is the store's. */
export function columnMap(genes: Int32Array, geneCount: number): ColumnMap {
  const counts = new Int32Array(geneCount);
  const ranks = new Int32Array(genes.length);
  let increasing = true;
  let repeated = false;
  let last = -1;
  for (let column = 0; column < genes.length; column++) {
    const gene = genes[column]!;
    if (gene < 0) continue;
    if (gene <= last) increasing = false;
    last = gene;
    ranks[column] = counts[gene]!;
    counts[gene] = counts[gene]! + 1;
    if (ranks[column]! > 0) repeated = true;
  }
  return repeated
    ? { genes, geneCount, increasing, ranks, columnCounts: counts }
    : { genes, geneCount, increasing, ranks: null, columnCounts: new Int32Array(0) };
}

/**
 * Remaps a block. With `dropZeros` no zero is kept; otherwise zeros that the file stores are stored too, as Python
 * does for sparse sources. Combining always drops zeros, as Python's detour through a dense matrix does.
 */
export function remapBlock(
  block: CsrBlock,
  map: ColumnMap,
  combine: Combiner,
  options: RemapOptions,
): RemappedBlock {
  const firstCell = options.cellOffset + block.firstRow;
  const memory = options.memory ?? new ReusedArrays();
  if (!map.increasing && map.ranks === null) {
    const sorted = sortRows(block, firstCell, map, options.dropZeros, memory);
    if (sorted !== null) return sorted;
  }
  const kept = keepMapped(block, firstCell, map, options.dropZeros || map.ranks !== null, memory);
  if (kept.ascending) return kept;
  const order = sortedOrder(kept, firstCell, block.rowCount, map.geneCount);
  return map.ranks === null ? gatherSums(kept, order) : gatherCombined(kept, order, map, map.ranks, combine);
}

/**
 * Rows whose columns go to genes in another order, each column to a gene of its own: a row's genes are marked in a bit
 * map that is then read in order. Null where a row has a column twice.
 */
function sortRows(
  block: CsrBlock,
  firstCell: number,
  map: ColumnMap,
  dropZeros: boolean,
  memory: ReusedArrays,
): RemappedBlock | null {
  const { indptr, indices } = block;
  const values = asNumbers(block.values);
  const stored = indptr[block.rowCount]!;
  const { cells, genes, kept } = takeCells(memory, values, stored);
  const marks = new Int32Array((map.geneCount + 31) >>> 5);
  const valueAt = emptyLike(values, map.geneCount);
  let count = 0;
  for (let row = 0; row < block.rowCount; row++) {
    const start = count;
    const end = indptr[row + 1]!;
    for (let at = indptr[row]!; at < end; at++) {
      const gene = map.genes[indices[at]!]!;
      const value = values[at]!;
      if (gene < 0 || (dropZeros && value === 0)) continue;
      const word = marks[gene >>> 5]!;
      const marked = word | (1 << (gene & 31));
      if (marked === word) return null;
      marks[gene >>> 5] = marked;
      valueAt[gene] = value;
      count++;
    }
    takeMarked(marks, genes, start);
    for (let at = start; at < count; at++) kept[at] = valueAt[genes[at]!]!;
    cells.fill(firstCell + row, start, count);
  }
  return {
    cells: cells.subarray(0, count),
    genes: genes.subarray(0, count),
    values: kept.subarray(0, count),
  };
}

/** Writes the positions of marked bits, ascending, from `at` on, and clears them. */
function takeMarked(marks: Int32Array, positions: Uint32Array, at: number): void {
  let next = at;
  for (let index = 0; index < marks.length; index++) {
    let word = marks[index]!;
    if (word === 0) continue;
    marks[index] = 0;
    const first = (index << 5) + 31;
    for (; word !== 0; word &= word - 1) positions[next++] = first - Math.clz32(word & -word);
  }
}

interface KeptCells extends RemappedBlock {
  /** Column in the file of each kept value; only where columns are combined. */
  readonly columns: Int32Array | null;
  /** True if in row-major order without repeats already. */
  readonly ascending: boolean;
}

function keepMapped(
  block: CsrBlock,
  firstCell: number,
  map: ColumnMap,
  dropZeros: boolean,
  memory: ReusedArrays,
): KeptCells {
  const { indptr, indices } = block;
  const values = asNumbers(block.values);
  const stored = indptr[block.rowCount]!;
  const { cells, genes, kept } = takeCells(memory, values, stored);
  const columns = map.ranks === null ? null : new Int32Array(stored);
  let ascending = map.ranks === null;
  let count = 0;
  for (let row = 0; row < block.rowCount; row++) {
    let last = -1;
    const end = indptr[row + 1]!;
    for (let at = indptr[row]!; at < end; at++) {
      const gene = map.genes[indices[at]!]!;
      const value = values[at]!;
      if (gene < 0 || (dropZeros && value === 0)) continue;
      if (gene <= last) ascending = false;
      last = gene;
      cells[count] = firstCell + row;
      genes[count] = gene;
      kept[count] = value;
      if (columns !== null) columns[count] = indices[at]!;
      count++;
    }
  }
  return {
    cells: cells.subarray(0, count),
    genes: genes.subarray(0, count),
    values: kept.subarray(0, count),
    columns: columns === null ? null : columns.subarray(0, count),
    ascending,
  };
}

/** Positions of the kept cells in row-major order, equal ones in the file's order: two counting passes. */
function sortedOrder(kept: KeptCells, firstCell: number, cellCount: number, geneCount: number): Uint32Array {
  const byGene = countingPass(kept.genes, 0, geneCount, null);
  return countingPass(kept.cells, firstCell, cellCount, byGene);
}

/** A stable counting sort of `order` (null: of 0, 1, ...) by keys in [first, first + span). */
function countingPass(
  keys: Uint32Array,
  first: number,
  span: number,
  order: Uint32Array | null,
): Uint32Array {
  const starts = new Uint32Array(span + 1);
  for (let at = 0; at < keys.length; at++) starts[keys[at]! - first + 1]!++;
  for (let key = 0; key < span; key++) starts[key + 1]! += starts[key]!;
  const sorted = new Uint32Array(keys.length);
  for (let at = 0; at < keys.length; at++) {
    const cell = order === null ? at : order[at]!;
    sorted[starts[keys[cell]! - first]!++] = cell;
  }
  return sorted;
}

/** Cells in order; repeats of a column within a row are summed, as a sparse matrix means them. */
function gatherSums(kept: KeptCells, order: Uint32Array): RemappedBlock {
  // Sums of a narrow type may not fit it.
  const values = new Float64Array(order.length);
  const { cells, genes, count } = gatherGroups(kept, order, (into, start, end) => {
    let sum = 0;
    for (let at = start; at < end; at++) sum += kept.values[order[at]!]!;
    values[into] = sum;
    return true;
  });
  return { cells, genes, values: values.subarray(0, count) };
}

function gatherCombined(
  kept: KeptCells,
  order: Uint32Array,
  map: ColumnMap,
  ranks: Int32Array,
  combine: Combiner,
): RemappedBlock {
  const values = new Float64Array(order.length);
  const { cells, genes, count } = gatherGroups(kept, order, (into, start, end) => {
    const columns = map.columnCounts[kept.genes[order[start]!]!]!;
    let value = kept.values[order[start]!]!;
    if (columns > 1 || end - start > 1) {
      const group = Array.from(order.subarray(start, end));
      value = combine({
        values: group.map((cell) => kept.values[cell]!),
        ranks: group.map((cell) => ranks[kept.columns![cell]!]!),
        columns,
      });
    }
    values[into] = value;
    return value !== 0;
  });
  return { cells, genes, values: values.subarray(0, count) };
}

/** Calls `reduce` for each run of the same cell and gene, to be written at `into`; it returns whether to keep it. */
function gatherGroups(
  kept: KeptCells,
  order: Uint32Array,
  reduce: (into: number, start: number, end: number) => boolean,
): { cells: Uint32Array; genes: Uint32Array; count: number } {
  const cells = new Uint32Array(order.length);
  const genes = new Uint32Array(order.length);
  let count = 0;
  let start = 0;
  while (start < order.length) {
    const cell = kept.cells[order[start]!]!;
    const gene = kept.genes[order[start]!]!;
    let end = start + 1;
    while (end < order.length && kept.cells[order[end]!] === cell && kept.genes[order[end]!] === gene) end++;
    if (reduce(count, start, end)) {
      cells[count] = cell;
      genes[count] = gene;
      count++;
    }
    start = end;
  }
  return { cells: cells.subarray(0, count), genes: genes.subarray(0, count), count };
}

function emptyLike(values: NumberArray, length: number): NumberArray {
  return new (typeOf(values))(length);
}

function typeOf(values: NumberArray): TypedArrayConstructor<NumberArray> {
  return values.constructor as TypedArrayConstructor<NumberArray>;
}

function takeCells(memory: ReusedArrays, values: NumberArray, length: number) {
  return {
    cells: memory.take("cells", Uint32Array, length),
    genes: memory.take("genes", Uint32Array, length),
    kept: memory.take("values", typeOf(values), length),
  };
}
