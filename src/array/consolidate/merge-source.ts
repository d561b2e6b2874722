import type { ArraySchema } from "../../format/array-schema.js";
import { TIMESTAMPS } from "../../format/fragment/fragment-fields.js";
import { compareText } from "../../format/text-bytes.js";
import type { StoreOptions } from "../../storage/types.js";
import { concatColumns, selectCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import type { Field } from "../fields.js";
import { compareAcross, type OrderKeys, orderKeys } from "../order/sort-keys.js";
import { Block } from "../read/block.js";
import { loadColumn } from "../read/block-columns.js";
import { run } from "../read/selection.js";
import type { SparseSource } from "../read/sparse-source.js";

/** Cells of a fragment that is being merged: a run of its tiles at a time, in global order. */
export class MergeSource {
  readonly #source: SparseSource;
  readonly #schema: ArraySchema;
  readonly #fields: readonly Field[];
  readonly #options: StoreOptions;
  #nextTile = 0;
  #columns: readonly Column[] | null = null;
  #keys: OrderKeys = [];
  /** Loaded cells, and how many of them were taken. */
  #count = 0;
  #taken = 0;

  /** `fields`: dimensions first, in the order in which columns are wanted. */
  constructor(source: SparseSource, schema: ArraySchema, fields: readonly Field[], options: StoreOptions) {
    this.#source = source;
    this.#schema = schema;
    this.#fields = fields;
    this.#options = options;
  }

  /** Position among the fragments: later ones are newer. */
  get index(): number {
    return this.#source.index;
  }

  get isLoaded(): boolean {
    return this.#columns !== null;
  }

  /** True if no tile is left to load. */
  get isExhausted(): boolean {
    return this.#nextTile === this.#source.tree.tileCount;
  }

  /** True if all cells were taken. */
  get isDone(): boolean {
    return this.isExhausted && !this.isLoaded;
  }

  /** True if the cells not yet loaded may begin at or before the last loaded cell of `other`, along dimension d. */
  mayPrecede(other: MergeSource, d: number): boolean {
    const { bounds } = this.#source.tree;
    const low = bounds[d]!.lo[this.#nextTile]!;
    const { bounds: others } = other.#source.tree;
    const high = others[d]!.hi[other.#nextTile - 1]!;
    if (typeof low === "string" || typeof high === "string") return compareText(`${low}`, `${high}`) <= 0;
    return low <= high;
  }

  /** Below 0 where this source's unloaded cells begin before those of `other`, along dimension d. */
  compareStart(other: MergeSource, d: number): number {
    const low = this.#source.tree.bounds[d]!.lo[this.#nextTile]!;
    const otherLow = other.#source.tree.bounds[d]!.lo[other.#nextTile]!;
    if (typeof low === "string" || typeof otherLow === "string") return compareText(`${low}`, `${otherLow}`);
    return low < otherLow ? -1 : low > otherLow ? 1 : 0;
  }

  /** Loads the next tiles, at least one and about `cells` cells, after those that are loaded. */
  async load(cells: number): Promise<void> {
    const blocks: Block[] = [];
    let count = 0;
    while (!this.isExhausted && (blocks.length === 0 || count < cells)) {
      const block = new Block(this.#source, this.#nextTile++);
      blocks.push(block);
      count += block.count;
    }
    const loaded: Column[] = [];
    for (const field of this.#fields) loaded.push(await this.#loadField(field, blocks, count));
    const left = this.#columns?.map((column) => selectCells(column, run(this.#taken, this.#count)));
    this.#columns =
      left === undefined ? loaded : loaded.map((column, f) => concatColumns([left[f]!, column]));
    this.#count += count - this.#taken;
    this.#taken = 0;
    this.#keys = orderKeys(this.#schema, this.#columns.slice(0, this.#schema.dimensions.length));
  }

  /** Order of the last loaded cells of two sources. */
  compareLast(other: MergeSource): number {
    return compareAcross(this.#keys, this.#count - 1, other.#keys, other.#count - 1);
  }

  /** How many of the cells not yet taken come before the last loaded cell of `other` (or are equal to it, if `orEqual`). */
  countUpTo(other: MergeSource, orEqual: boolean): number {
    let [low, high] = [this.#taken, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareAcross(this.#keys, middle, other.#keys, other.#count - 1);
      if (order < 0 || (orEqual && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low - this.#taken;
  }

  /** Takes the next `count` loaded cells. */
  take(count: number): readonly Column[] {
    const end = this.#taken + count;
    const taken = this.#columns!.map((column) => selectCells(column, run(this.#taken, end)));
    this.#taken = end;
    if (end === this.#count) {
      this.#columns = null;
      this.#keys = [];
      this.#count = this.#taken = 0;
    }
    return taken;
  }

  async #loadField(field: Field, blocks: readonly Block[], count: number): Promise<Column> {
    const { fragment } = this.#source;
    if (field.name === TIMESTAMPS && !fragment.footer.hasTimestamps) {
      const values = new BigUint64Array(count).fill(BigInt(fragment.files.start));
      return { kind: "fixed", datatype: "uint64", cellValNum: 1, values };
    }
    const parts = new Map<Block, Column>();
    await loadColumn(blocks, this.#schema, field.name, this.#options, (block, column) => {
      parts.set(block, column);
    });
    const column = concatColumns(blocks.map((block) => parts.get(block)!));
    if (!field.nullable) {
      const { validity: _, ...plain } = column;
      return plain;
    }
    return column.validity === undefined ? { ...column, validity: new Uint8Array(count).fill(1) } : column;
  }
}
