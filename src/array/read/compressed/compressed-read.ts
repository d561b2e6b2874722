import { LimitError } from "../../../errors.js";
import { datatypeInfo } from "../../../format/datatype.js";
import { bytesOf, type TypedArray, viewAs } from "../../../util/typed-arrays.js";
import { allocate } from "../../column-ops.js";
import { type StoredField, storedField } from "../../directory/stored-field.js";
import { firstNotBelow } from "../intervals.js";
import type { SparseSource } from "../sparse-source.js";
import { type FetchOptions, fetchTiles, type TileRequest } from "../tile-fetch.js";
import type { TilesOfField } from "../tiles-ahead.js";
import { decodeCoordinates, type MatrixTile } from "./matrix-tile.js";
import { checkColumn, type Picked, type PickScratch, pickCells, type WantedColumns } from "./pick-cells.js";
import { type RowRuns, runsByColumns, runsByRows } from "./row-runs.js";

/** What is read of which tiles. */
export interface CompressedPlan {
  /** In the cells' order; tiles of different fragments don't overlap. */
  readonly tiles: readonly MatrixTile[];
  /** Names of the fields. */
  readonly rowField: string;
  readonly columnField: string;
  readonly valueField: string;
  /** Wanted rows, strictly ascending. */
  readonly rows: Uint32Array;
  /** Wanted columns, null for all. */
  readonly columns: WantedColumns | null;
  readonly columnCount: number;
  readonly values: { readonly datatype: StoredField["field"]["datatype"] };
  /** What values lie in. Where false, two cells of one place are found and nothing is returned. */
  readonly allowsDuplicates: boolean;
}

export interface CompressedCells {
  /** First cell of each wanted row, and the end. */
  readonly indptr: Uint32Array;
  /** Columns of the cells, as places among those wanted; ascending within a row. */
  readonly indices: Int32Array;
  readonly values: TypedArray;
}

/** A wanted cell was found twice: which is the newer one is not for this way of reading to find out. */
class Duplicates extends Error {}

/** Reads the cells; null where the array holds two of one place. */
export async function readPlan(plan: CompressedPlan, options: FetchOptions): Promise<CompressedCells | null> {
  try {
    return await new CompressedRead(plan, options).read();
  } catch (problem) {
    if (problem instanceof Duplicates) return null;
    throw problem;
  }
}

/** Decodes a tile of one field. */
type DecodeTile = (
  tile: MatrixTile,
  field: StoredField,
  stored: readonly Uint8Array[],
  decoded: Uint8Array | undefined,
) => void;

/**
 * Reading in two waves. First the columns of tiles of which not every cell is wanted: then the number of cells of each
 * tile is known. Then the columns of whole tiles and all values, decoded to where they stay. Rows are decoded only where
 * columns do not tell them.
 */
class CompressedRead {
  readonly #plan: CompressedPlan;
  #options: FetchOptions;
  readonly #picked = new Map<MatrixTile, Picked>();
  /** Cells of each wanted row. */
  readonly #counts: Uint32Array;
  readonly #coordinates: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #scratch: PickScratch;

  constructor(plan: CompressedPlan, options: FetchOptions) {
    this.#plan = plan;
    this.#options = options;
    const most = plan.tiles.reduce((largest, { cells }) => Math.max(largest, cells), 0);
    this.#counts = new Uint32Array(plan.rows.length);
    this.#coordinates = new Uint32Array(most);
    this.#starts = new Uint32Array(most + 1);
    this.#scratch = {
      cells: new Uint32Array(most),
      columns: new Int32Array(most),
      runs: new Uint32Array(most * 2),
    };
  }

  async read(): Promise<CompressedCells> {
    const { tiles, values } = this.#plan;
    const partial = tiles.filter(({ whole }) => !whole);
    if (partial.length > 0) await this.#askAhead();
    await this.#pickPartial(partial);
    const starts = this.#startsOfTiles();
    const total = starts.get(null)!;
    for (const name of [this.#plan.columnField, this.#plan.valueField]) await this.#checkClaims(name);
    const indices = allocate(Int32Array, total, "columns");
    const result = allocate(datatypeInfo(values.datatype).array, total, "values");
    await this.#fill(indices, result, starts);
    this.#checkDuplicates();
    const indptr = new Uint32Array(this.#counts.length + 1);
    for (let row = 0; row < this.#counts.length; row++) indptr[row + 1] = indptr[row]! + this.#counts[row]!;
    return { indptr, indices, values: result };
  }

  /** Of a small read of a remote store, both waves at once. */
  async #askAhead(): Promise<void> {
    const { tiles, columnField, valueField } = this.#plan;
    if (tiles.some(({ source }) => source.fragment.store.isRemote !== true)) return;
    const wanted: TilesOfField[] = [];
    for (const [{ fragment }, own] of bySource(tiles)) {
      for (const name of [columnField, valueField]) {
        const field = await storedField(fragment, name, this.#options);
        wanted.push({ field, tiles: own.map(({ tile }) => tile) });
      }
    }
    const { TilesAhead } = await import("../tiles-ahead.js");
    const ahead = TilesAhead.ask(wanted, this.#options.signal);
    if (ahead !== undefined) this.#options = { ...this.#options, ahead };
  }

  /** First wave. */
  async #pickPartial(tiles: readonly MatrixTile[]): Promise<void> {
    const unclear = new Map<MatrixTile, Uint32Array>();
    const requests = await this.#requests(tiles, this.#plan.columnField, (tile, field, stored, decoded) => {
      const columns = this.#coordinates.subarray(0, tile.cells);
      decodeCoordinates(field, tile.tile, stored, columns, decoded);
      const runs = this.#runs(tile, columns);
      if (runs === null) unclear.set(tile, columns.slice());
      else this.#pick(tile, columns, runs);
    });
    await fetchTiles(requests, this.#options);
    await this.#readRows(unclear, (tile, columns, runs) => this.#pick(tile, columns, runs));
  }

  #pick(tile: MatrixTile, columns: Uint32Array, runs: RowRuns): void {
    const { rows, columns: wanted, columnCount } = this.#plan;
    const where = tile.source.fragment.uri;
    const picked = pickCells(
      columns,
      runs,
      tile.firstRow,
      rows,
      wanted,
      columnCount,
      this.#counts,
      this.#scratch,
      where,
    );
    if (picked.count > 0) this.#picked.set(tile, picked);
  }

  /** Second wave. */
  async #fill(
    indices: Int32Array,
    values: TypedArray,
    starts: ReadonlyMap<MatrixTile | null, number>,
  ): Promise<void> {
    const { tiles, columnField, valueField } = this.#plan;
    const whole = tiles.filter((tile) => tile.whole);
    const unclear = new Map<MatrixTile, Uint32Array>();
    const columnRequests = await this.#requests(whole, columnField, (tile, field, stored, decoded) => {
      const start = starts.get(tile)!;
      const columns = new Uint32Array(indices.buffer, start * 4, tile.cells);
      decodeCoordinates(field, tile.tile, stored, columns, decoded);
      const runs = this.#runs(tile, columns);
      if (runs === null) unclear.set(tile, columns);
      else this.#countWhole(tile, columns, runs);
    });
    for (const [tile, { columns }] of this.#picked) indices.set(columns, starts.get(tile)!);
    const wanted = tiles.filter((tile) => tile.whole || this.#picked.has(tile));
    const type = datatypeInfo(this.#plan.values.datatype).array;
    const valueRequests = await this.#requests(wanted, valueField, (tile, field, stored, decoded) => {
      const picked = this.#picked.get(tile);
      const start = starts.get(tile)!;
      if (picked === undefined) {
        field.decodeFixed(tile.tile, stored, bytesOf(values.subarray(start, start + tile.cells)), decoded);
      } else {
        const cells = decoded === undefined ? this.#decodeValues(tile, field, stored) : viewAs(decoded, type);
        this.#takeValues(cells, picked, values, start);
      }
    });
    await fetchTiles([...columnRequests, ...valueRequests], this.#options);
    await this.#readRows(unclear, (tile, columns, runs) => this.#countWhole(tile, columns, runs));
  }

  #valueScratch: TypedArray | undefined;

  #decodeValues(tile: MatrixTile, field: StoredField, stored: readonly Uint8Array[]): TypedArray {
    this.#valueScratch ??= new (datatypeInfo(field.field.datatype).array)(this.#coordinates.length);
    const decoded = this.#valueScratch.subarray(0, tile.cells);
    field.decodeFixed(tile.tile, stored, bytesOf(decoded));
    return decoded;
  }

  #takeValues(decoded: TypedArray, { runs, cells }: Picked, values: TypedArray, start: number): void {
    if (cells !== null) {
      for (let i = 0; i < cells.length; i++) values[start + i] = decoded[cells[i]!]!;
      return;
    }
    const source = bytesOf(decoded);
    const target = bytesOf(values);
    const width = values.BYTES_PER_ELEMENT;
    let at = start * width;
    for (let k = 0; k < runs!.length; k += 2) {
      const part = source.subarray(runs![k]! * width, runs![k + 1]! * width);
      target.set(part, at);
      at += part.byteLength;
    }
  }

  /** Rows of a whole tile are all wanted, so that their places follow one another. */
  #countWhole(tile: MatrixTile, columns: Uint32Array, runs: RowRuns): void {
    const { rows, columnCount } = this.#plan;
    const place = firstNotBelow(rows, tile.firstRow, 0, rows.length) - tile.firstRow;
    for (let k = 0; k < runs.count; k++) {
      const [from, to] = [runs.starts[k]!, runs.starts[k + 1]!];
      checkColumn(columns[to - 1]!, columnCount, tile.source.fragment.uri);
      const row = place + (runs.rows === null ? tile.firstRow + k : runs.rows[k]!);
      this.#counts[row] = this.#counts[row]! + to - from;
    }
  }

  /** The tile's runs, in memory that the next call uses again; null where its columns do not tell them. */
  #runs(tile: MatrixTile, columns: Uint32Array): RowRuns | null {
    tile.firstColumn = columns[0]!;
    tile.lastColumn = columns[tile.cells - 1]!;
    const count = tile.lastRow - tile.firstRow + 1;
    if (count > tile.cells || !runsByColumns(columns, tile.cells, count, this.#starts)) return null;
    return { count, starts: this.#starts, rows: null };
  }

  async #readRows(
    unclear: ReadonlyMap<MatrixTile, Uint32Array>,
    use: (tile: MatrixTile, columns: Uint32Array, runs: RowRuns) => void,
  ): Promise<void> {
    const tiles = [...unclear.keys()];
    const requests = await this.#requests(tiles, this.#plan.rowField, (tile, field, stored, decoded) => {
      const rows = this.#coordinates.subarray(0, tile.cells);
      if (tile.firstRow === tile.lastRow) rows.fill(tile.firstRow);
      else decodeCoordinates(field, tile.tile, stored, rows, decoded);
      const columns = unclear.get(tile)!;
      const { runs, duplicates } = runsByRows(rows, columns, tile.cells, tile.source.fragment.uri);
      if (duplicates && !this.#plan.allowsDuplicates) throw new Duplicates();
      use(tile, columns, runs);
    });
    await fetchTiles(requests, this.#options);
  }

  /** Equal places in the last cell of a tile and the first of the next. */
  #checkDuplicates(): void {
    const { tiles, allowsDuplicates } = this.#plan;
    if (allowsDuplicates) return;
    for (let i = 1; i < tiles.length; i++) {
      const [before, after] = [tiles[i - 1]!, tiles[i]!];
      if (before.lastRow === after.firstRow && before.lastColumn === after.firstColumn)
        throw new Duplicates();
    }
  }

  /** Before memory is taken for all cells that the footers claim. */
  async #checkClaims(name: string): Promise<void> {
    for (const [source, tiles] of bySource(this.#plan.tiles)) {
      const field = await storedField(source.fragment, name, this.#options);
      for (const { tile } of tiles) field.checkClaim(tile);
    }
  }

  /** First cell of each tile in the result; that of null is the end. */
  #startsOfTiles(): Map<MatrixTile | null, number> {
    const starts = new Map<MatrixTile | null, number>();
    let count = 0;
    for (const tile of this.#plan.tiles) {
      starts.set(tile, count);
      count += tile.whole ? tile.cells : (this.#picked.get(tile)?.count ?? 0);
    }
    if (count > 0xffffffff) throw new LimitError(`${count} cells in one read, at most ${0xffffffff}`);
    starts.set(null, count);
    return starts;
  }

  #requests(tiles: readonly MatrixTile[], name: string, decode: DecodeTile): Promise<TileRequest[]> {
    return Promise.all(
      Array.from(bySource(tiles), async ([source, own]) => {
        const field = await storedField(source.fragment, name, this.#options);
        const byNumber = new Map(own.map((tile) => [tile.tile, tile]));
        return {
          field,
          tiles: own.map(({ tile }) => tile),
          takesDecoded: true,
          decode: (t: number, stored: readonly Uint8Array[], decoded?: Uint8Array) =>
            decode(byNumber.get(t)!, field, stored, decoded),
        };
      }),
    );
  }
}

/** Tiles of each fragment, ascending. */
function bySource(tiles: readonly MatrixTile[]): Map<SparseSource, MatrixTile[]> {
  const groups = new Map<SparseSource, MatrixTile[]>();
  for (const tile of tiles) {
    const group = groups.get(tile.source);
    if (group === undefined) groups.set(tile.source, [tile]);
    else group.push(tile);
  }
  for (const group of groups.values()) group.sort((a, b) => a.tile - b.tile);
  return groups;
}
