import type { ArraySchema } from "../../format/array-schema.js";
import type { DimensionBounds } from "../../format/fragment/rtree.js";
import { bytesOfText } from "../../format/text-bytes.js";
import { concatColumns, takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { compareAcross, type OrderKeys } from "../order/sort-keys.js";
import type { ReadOrder } from "../query.js";
import { neighbourKeys } from "./cell-order.js";
import type { CellSize } from "./cell-sizes.js";
import type { SparseSource } from "./sparse-source.js";

/** A tile that has cells left to read. */
export interface PendingTile {
  readonly source: SparseSource;
  readonly tile: number;
}

/** A place in the order: cell `at` of the keys. */
interface Place {
  readonly keys: OrderKeys;
  readonly at: number;
}

interface Entry extends PendingTile {
  /** No cell of the tile comes before; null where that is not known. */
  floor: Place | null;
  /** The source's next tile. */
  next: Entry | null;
  /** Whether cells of it were left over: in this batch, and in one before. */
  cut: boolean;
  wasCut: boolean;
}

/** Tiles that are opened one after the other, of which the first `opened` are. */
interface Line {
  entries: Entry[];
  opened: number;
}

/**
 * The tiles of a read, to be opened by the least place that their cells can have in the order: the lower corner of
 * their rectangle. Along the Hilbert curve that says nothing: there each fragment is a line of its own, in which a tile
 * begins where the one before it ended.
 */
export class TileQueue {
  readonly #lines: readonly Line[];
  readonly #byTile = new Map<SparseSource, Map<number, Entry>>();

  constructor(sources: readonly SparseSource[], schema: ArraySchema, order: ReadOrder) {
    const curve = schema.cellOrder === "hilbert" && order === "global" && schema.dimensions.length > 1;
    const perSource: Entry[][] = [];
    for (const source of sources) {
      const entries = entriesOf(source, curve ? null : cornerKeys(source, schema, order));
      perSource.push(entries);
      this.#byTile.set(source, new Map(entries.map((entry) => [entry.tile, entry])));
    }
    const lines = curve ? perSource : [perSource.flat().sort(byFloor)];
    this.#lines = lines.map((entries) => ({ entries, opened: 0 }));
  }

  /** True if no cells are left. */
  get isEmpty(): boolean {
    return this.#lines.every(({ entries }) => entries.length === 0);
  }

  /** The next tiles to open, one or what the budget holds; none where all that are left begin after `last`. */
  next(budget: number, sizeOf: CellSize, last: OrderKeys | null): PendingTile[] {
    const mayOpen = ({ floor }: Entry) =>
      last === null || floor === null || compareAcross(floor.keys, floor.at, last, 0) <= 0;
    const tiles: Entry[] = [];
    let size = 0;
    const open = (line: Line): boolean => {
      const entry = line.entries[line.opened];
      if (entry === undefined || !mayOpen(entry)) return false;
      size += entry.source.fragment.cellsOf(entry.tile) * sizeOf(entry);
      if (tiles.length > 0 && size > budget) return false;
      tiles.push(entry);
      line.opened++;
      return true;
    };
    const [only] = this.#lines;
    if (this.#lines.length === 1) while (open(only!));
    else for (const line of this.#byHead()) open(line);
    return tiles;
  }

  /** Notes the last cell of an opened tile: the next one of its source holds none before it. */
  sawLast(tile: PendingTile, keys: OrderKeys): void {
    const { next } = this.#entry(tile);
    if (next !== null && next.floor === null) next.floor = { keys, at: 0 };
  }

  /** Notes that cells of an opened tile were left over. */
  cut(tile: PendingTile): void {
    this.#entry(tile).cut = true;
  }

  /** True if a batch before this one had cells of the tile. */
  wasCut(tile: PendingTile): boolean {
    return this.#entry(tile).wasCut;
  }

  /** Ends a batch: opened tiles of which nothing was left over are done, the others are to be opened again. */
  finish(): void {
    for (const line of this.#lines) {
      const again = line.entries.slice(0, line.opened).filter(({ cut }) => cut);
      for (const entry of again) {
        entry.wasCut = true;
        entry.cut = false;
      }
      line.entries = again.concat(line.entries.slice(line.opened));
      line.opened = 0;
    }
  }

  /** Lines by where their next tiles begin. */
  #byHead(): Line[] {
    const unread = this.#lines.filter(({ entries, opened }) => opened < entries.length);
    return unread.sort((a, b) => byFloor(a.entries[a.opened]!, b.entries[b.opened]!));
  }

  #entry({ source, tile }: PendingTile): Entry {
    return this.#byTile.get(source)!.get(tile)!;
  }
}

function entriesOf(source: SparseSource, corners: OrderKeys | null): Entry[] {
  const entries = source.tiles.map(
    (tile, at): Entry => ({
      source,
      tile,
      floor: corners === null ? null : { keys: corners, at },
      next: null,
      cut: false,
      wasCut: false,
    }),
  );
  for (const [i, entry] of entries.entries()) entry.next = entries[i + 1] ?? null;
  return entries;
}

/** Unknown ones first. */
function byFloor({ floor: a }: Entry, { floor: b }: Entry): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  return compareAcross(a.keys, a.at, b.keys, b.at);
}

/** Keys of the lower corners of the source's tiles, in their order. */
function cornerKeys({ tree, tiles }: SparseSource, schema: ArraySchema, order: ReadOrder): OrderKeys {
  const columns = schema.dimensions.map(({ datatype }, d): Column => {
    const bounds = tree.bounds[d]!;
    return bounds.kind === "text"
      ? textColumn(datatype, bounds, tiles)
      : numberColumn(datatype, bounds, tiles);
  });
  return neighbourKeys(schema, order, columns);
}

type Datatype = Column["datatype"];
type Bounds<Kind extends DimensionBounds["kind"]> = Extract<DimensionBounds, { kind: Kind }>;

function numberColumn(datatype: Datatype, { lo }: Bounds<"fixed">, tiles: readonly number[]): Column {
  const whole: Column = { kind: "fixed", datatype, cellValNum: 1, values: lo };
  return takeCells(whole, Uint32Array.from(tiles));
}

function textColumn(datatype: Datatype, { lo }: Bounds<"text">, tiles: readonly number[]): Column {
  const texts = tiles.map((t): Column => {
    const data = bytesOfText(lo[t]!);
    return { kind: "var", datatype, offsets: Uint32Array.of(0, data.byteLength), data };
  });
  return concatColumns(texts);
}
