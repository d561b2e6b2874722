import { throwIfAborted } from "../../errors.js";
import { concatColumns, selectCells } from "../column-ops.js";
import type { OpenedArray } from "../opened-array.js";
import { compareAcross, type OrderKeys } from "../order/sort-keys.js";
import type { ReadOrder, ReadResult } from "../query.js";
import { Block } from "./block.js";
import { loadColumn } from "./block-columns.js";
import { neighbourKeys } from "./cell-order.js";
import type { CellSize } from "./cell-sizes.js";
import { dropCells, type Merged, sortBlocks } from "./merge-fragments.js";
import { resultOf, selectedBlocks } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { maskSelection, run } from "./selection.js";
import type { SparseSource } from "./sparse-source.js";
import type { FetchOptions } from "./tile-fetch.js";
import { type PendingTile, TileQueue } from "./tile-queue.js";

/**
 * Batches of cells that have to be sorted into one another. Each is the next cells in order, as many as the budget
 * holds: tiles are opened by the least place that their cells can have, of what was read so far the first cells are
 * kept, and no tile is opened that begins beyond the last of a full batch. Cells that are left over are read again for
 * the next one. So whatever the dimensions and orders are, memory is bounded: by the budget, or one tile of each
 * fragment where that is more.
 */
export class SortedBatches {
  readonly #array: OpenedArray;
  readonly #query: ResolvedQuery;
  readonly #sizeOf: CellSize;
  /** Of cells in any order, the one in which they lie takes the fewest reads. */
  readonly #order: ReadOrder;
  readonly #queue: TileQueue;
  readonly #options: FetchOptions;
  /** The last cell of the batches so far. */
  #last: CellPlace | null = null;

  constructor(array: OpenedArray, query: ResolvedQuery, sources: readonly SparseSource[], sizeOf: CellSize) {
    this.#array = array;
    this.#query = query;
    this.#sizeOf = sizeOf;
    this.#order = query.order === "unordered" ? "global" : query.order;
    this.#queue = new TileQueue(sources, array.schema, this.#order);
    this.#options = { signal: query.signal };
  }

  async *read(budget: number): AsyncGenerator<ReadResult, void, undefined> {
    while (!this.#queue.isEmpty) {
      throwIfAborted(this.#options.signal);
      // Half for the cells of the batch, half for those that compete with them.
      const cells = await this.#nextCells(budget / 2);
      yield await resultOf(this.#array, this.#query, cells, this.#options);
    }
  }

  async #nextCells(budget: number): Promise<Merged> {
    let kept: Merged = { blocks: [], order: null };
    let last: CellPlace | null = null;
    for (;;) {
      const tiles = this.#queue.next(budget, this.#sizeOf, last?.keys ?? null);
      if (tiles.length === 0) break;
      const blocks = [...kept.blocks, ...(await this.#load(tiles))].sort(
        (a, b) => a.source.index - b.source.index || a.tile - b.tile,
      );
      if (blocks.length === 0) continue;
      kept = await sortBlocks(blocks, this.#array.schema, this.#order, this.#options);
      const within = this.#countWithin(kept, budget);
      if (within === cellsOf(kept) && last === null) continue;
      const keys = this.#keysOf(kept.blocks);
      // What was cut before stays out, though there may be place for it again.
      const count: number = last === null ? within : this.#countUpTo(last, kept, keys, within);
      last = placeOf(kept, count - 1, keys);
      kept = this.#cut(kept, count);
    }
    this.#queue.finish();
    this.#last = last;
    return kept;
  }

  /** The tiles' cells that are selected and that no batch had yet, with their coordinates. */
  async #load(tiles: readonly PendingTile[]): Promise<Block[]> {
    const { schema } = this.#array;
    const all = tiles.map(({ source, tile }) => new Block(source, tile));
    const blocks = await selectedBlocks(this.#array, this.#query, all, this.#options);
    for (const { name } of schema.dimensions) {
      await loadColumn(blocks, schema, name, this.#options, (block, column) => {
        block.columns.set(name, column);
      });
    }
    for (const block of blocks) {
      const keys = this.#keysOf([block]);
      this.#queue.sawLast(block, pick(keys, block.count - 1));
      if (this.#last !== null && this.#queue.wasCut(block)) this.#dropUpTo(this.#last, block, keys);
    }
    return blocks.filter((block) => block.count > 0);
  }

  #keysOf(blocks: readonly Block[]): OrderKeys {
    const { schema } = this.#array;
    const columns = schema.dimensions.map(({ name }) =>
      concatColumns(blocks.map((block) => block.columns.get(name)!)),
    );
    return neighbourKeys(schema, this.#order, columns);
  }

  /** Drops the cells of a block that don't come after a place. */
  #dropUpTo(place: CellPlace, block: Block, keys: OrderKeys): void {
    const kept = new Uint8Array(block.count);
    for (let i = 0; i < kept.length; i++) kept[i] = this.#isAfter(place, keys, i, block, i) ? 1 : 0;
    block.keep(maskSelection(kept));
  }

  /** Whether a block's cell, whose keys are those at `position`, comes after a place. Without duplicates keys decide. */
  #isAfter(place: CellPlace, keys: OrderKeys, position: number, block: Block, cell: number): boolean {
    const order = compareAcross(keys, position, place.keys, 0);
    if (order !== 0 || !this.#array.schema.allowsDuplicates) return order > 0;
    const tie = block.source.index - place.index || block.tile - place.tile;
    return (tie || cellAt(block, cell) - place.cell) > 0;
  }

  /** How many of the first cells the budget holds, at least one. */
  #countWithin(cells: Merged, budget: number): number {
    const { blocks, order } = cells;
    const sizes = blocks.map(this.#sizeOf);
    const total = cellsOf(cells);
    if (blocks.reduce((sum, block, b) => sum + block.count * sizes[b]!, 0) <= budget) return total;
    const perCell = new Float64Array(total);
    let start = 0;
    for (const [b, block] of blocks.entries()) {
      perCell.fill(sizes[b]!, start, start + block.count);
      start += block.count;
    }
    let size = perCell[order === null ? 0 : order[0]!]!;
    let count = 1;
    while (count < total) {
      size += perCell[order === null ? count : order[count]!]!;
      if (size > budget) break;
      count++;
    }
    return count;
  }

  /** How many of the first `most` cells don't come after a place. */
  #countUpTo(place: CellPlace, cells: Merged, keys: OrderKeys, most: number): number {
    let [low, high] = [0, most];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { position, block, cell } = locate(cells, middle);
      if (this.#isAfter(place, keys, position, block, cell)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The first `count` cells in order. Tiles of others are noted: they are read again. */
  #cut(cells: Merged, count: number): Merged {
    const { blocks, order } = cells;
    const alive = new Uint8Array(cellsOf(cells));
    for (let i = 0; i < count; i++) alive[order === null ? i : order[i]!] = 1;
    let start = 0;
    for (const block of blocks) {
      const end = start + block.count;
      if (alive.subarray(start, end).includes(0)) this.#queue.cut(block);
      start = end;
    }
    return dropCells(blocks, order, alive);
  }
}

function cellsOf({ blocks }: Merged): number {
  return blocks.reduce((sum, block) => sum + block.count, 0);
}

/** Where the n-th cell in order is: in the sequence of all blocks, and in one of them. */
function locate({ blocks, order }: Merged, n: number) {
  const position = order === null ? n : order[n]!;
  let start = 0;
  let b = 0;
  while (position >= start + blocks[b]!.count) start += blocks[b++]!.count;
  return { position, block: blocks[b]!, cell: position - start };
}

/** Where a cell is in the order: by its keys, and among cells of equal ones by fragment, tile and place in it. */
interface CellPlace {
  readonly keys: OrderKeys;
  readonly index: number;
  readonly tile: number;
  readonly cell: number;
}

/** The place of the n-th cell in order; `keys` are those of all blocks' cells. */
function placeOf(cells: Merged, n: number, keys: OrderKeys): CellPlace {
  const { position, block, cell } = locate(cells, n);
  const { source, tile } = block;
  return { keys: pick(keys, position), index: source.index, tile, cell: cellAt(block, cell) };
}

function cellAt({ selection }: Block, i: number): number {
  return selection.kind === "run" ? selection.from + i : selection.cells[i]!;
}

/** The keys of one cell alone. */
function pick(keys: OrderKeys, cell: number): OrderKeys {
  return keys.map((key) => {
    if (key instanceof Uint32Array) return key.slice(cell, cell + 1);
    const one = selectCells(key, run(cell, cell + 1));
    return one.kind === "var" ? one : key;
  });
}
