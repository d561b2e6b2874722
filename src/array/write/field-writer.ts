import type { ArraySchema } from "../../format/array-schema.js";
import type { FieldMetadata } from "../../format/fragment/fragment-metadata.js";
import { encodeTile, type LoadedPipeline, loadPipeline } from "../../format/tile.js";
import { encodeVarTile } from "../../format/var-tile.js";
import { WRITE_VERSION } from "../../format/version.js";
import { joinKey } from "../../storage/key.js";
import type { StoreLocation, StoreOptions, StoreWriter, WritableStore } from "../../storage/types.js";
import { bytesOf } from "../../util/typed-arrays.js";
import type { Column, FixedColumn, VarColumn } from "../columns.js";
import type { Field } from "../fields.js";
import { GrowingNumbers } from "./growing.js";
import type { NumberScan } from "./scan-values.js";
import { StatisticsCollector } from "./tile-statistics.js";

/** A file of a fragment that tiles are appended to. */
class TileFile {
  readonly #writer: StoreWriter;
  readonly offsets = new GrowingNumbers();
  size = 0;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  async append(tile: Uint8Array): Promise<void> {
    this.offsets.push(this.size);
    await this.#writer.write(tile);
    this.size += tile.byteLength;
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}

export interface FieldOptions extends StoreOptions {
  /** Fields whose filters leave nothing that repeats but single bytes; see LoadOptions. */
  readonly withoutRepeats?: readonly string[] | undefined;
}

/** Pipelines of one field: of its values, of its offsets, of its validity. */
interface Pipelines {
  readonly data: LoadedPipeline;
  readonly offsets: LoadedPipeline;
  readonly validity: LoadedPipeline;
}

/** Writes the tiles of one field: filters, files, and what the fragment's metadata say of them. */
export class FieldWriter {
  readonly field: Field;
  readonly #pipelines: Pipelines;
  readonly #main: TileFile;
  readonly #var: TileFile | null;
  readonly #validity: TileFile | null;
  readonly #varSizes = new GrowingNumbers();
  readonly #statistics: StatisticsCollector;

  private constructor(
    field: Field,
    pipelines: Pipelines,
    main: TileFile,
    varFile: TileFile | null,
    validity: TileFile | null,
  ) {
    this.field = field;
    this.#pipelines = pipelines;
    this.#main = main;
    this.#var = varFile;
    this.#validity = validity;
    this.#statistics = new StatisticsCollector(field);
  }

  /** Opens the field's files in the fragment's folder. */
  static async open(
    field: Field,
    schema: ArraySchema,
    folder: StoreLocation<WritableStore>,
    options: FieldOptions,
  ): Promise<FieldWriter> {
    const withoutRepeats = options.withoutRepeats?.includes(field.name) === true;
    const pipelines = await loadPipelines(field, schema, withoutRepeats);
    const opened: TileFile[] = [];
    const file = async (suffix: string) => {
      const key = joinKey(folder.path, `${field.fileName}${suffix}.tdb`);
      const tiles = new TileFile(await folder.store.writer(key, options));
      opened.push(tiles);
      return tiles;
    };
    try {
      const main = await file("");
      const varFile = field.isVar ? await file("_var") : null;
      const validity = field.nullable ? await file("_validity") : null;
      return new FieldWriter(field, pipelines, main, varFile, validity);
    } catch (error) {
      await Promise.allSettled(opened.map((tiles) => tiles.abort()));
      throw error;
    }
  }

  /**
   * Writes cells [start, end) as a tile, all of them counting for the statistics. `scan`: what a scan of just these
   * values found, if there was one.
   */
  async writeTile(column: Column, start: number, end: number, scan: NumberScan | null = null): Promise<void> {
    if (scan === null) this.#statistics.add(column, start, end);
    else this.#statistics.addScan(scan);
    await this.writePaddedTile(column, start, end);
  }

  /** Takes cells into the statistics of the tile that `writePaddedTile` writes next. */
  count(column: Column, start: number, end: number): void {
    this.#statistics.add(column, start, end);
  }

  /** Writes cells [start, end) as a tile whose statistics `count` was given. */
  async writePaddedTile(column: Column, start: number, end: number): Promise<void> {
    this.#statistics.endTile(end - start);
    if (column.kind === "var") await this.#writeVar(column, start, end);
    else await this.#writeFixed(column, start, end);
    if (this.#validity !== null && column.validity !== undefined) {
      const validity = column.validity.subarray(start, end);
      await this.#validity.append(encodeTile(validity, this.#pipelines.validity, 1));
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files()) await file.close();
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#files().map((file) => file.abort()));
  }

  metadata(): FieldMetadata {
    const zeros = new Float64Array(this.#main.offsets.length);
    return {
      fileSize: this.#main.size,
      fileVarSize: this.#var?.size ?? 0,
      fileValiditySize: this.#validity?.size ?? 0,
      tileOffsets: this.#main.offsets.view(),
      tileVarOffsets: this.#var?.offsets.view() ?? zeros,
      tileVarSizes: this.#var === null ? zeros : this.#varSizes.view(),
      tileValidityOffsets: this.#validity?.offsets.view() ?? zeros,
      ...this.#statistics.finish(),
    };
  }

  async #writeFixed({ values, cellValNum }: FixedColumn, start: number, end: number): Promise<void> {
    const cells = bytesOf(values.subarray(start * cellValNum, end * cellValNum));
    await this.#main.append(encodeTile(cells, this.#pipelines.data, this.field.cellBytes));
  }

  async #writeVar({ offsets, data }: VarColumn, start: number, end: number): Promise<void> {
    const [from, to] = [offsets[start]!, offsets[end]!];
    const relative = offsets.slice(start, end + 1);
    if (from > 0) for (let i = 0; i < relative.length; i++) relative[i] = relative[i]! - from;
    const tile = encodeVarTile(
      relative,
      data.subarray(from, to),
      this.#pipelines.offsets,
      this.#pipelines.data,
    );
    await this.#main.append(tile.offsets);
    await this.#var!.append(tile.data);
    this.#varSizes.push(to - from);
  }

  #files(): TileFile[] {
    return [this.#main, this.#var, this.#validity].filter((file) => file !== null);
  }
}

async function loadPipelines(field: Field, schema: ArraySchema, withoutRepeats: boolean): Promise<Pipelines> {
  const encode = { encode: true };
  const version = WRITE_VERSION;
  const { datatype, cellValNum } = field;
  return {
    data: await loadPipeline(field.filters, { datatype, cellValNum, version }, { ...encode, withoutRepeats }),
    offsets: await loadPipeline(
      schema.offsetsFilters,
      { datatype: "uint64", cellValNum: 1, version },
      encode,
    ),
    validity: await loadPipeline(
      schema.validityFilters,
      { datatype: "uint8", cellValNum: 1, version },
      encode,
    ),
  };
}

/** Opens the writers of all fields; none stays open if one fails. */
export async function openFieldWriters(
  fields: readonly Field[],
  schema: ArraySchema,
  folder: StoreLocation<WritableStore>,
  options: FieldOptions,
): Promise<FieldWriter[]> {
  const writers: FieldWriter[] = [];
  try {
    for (const field of fields) writers.push(await FieldWriter.open(field, schema, folder, options));
    return writers;
  } catch (error) {
    await Promise.allSettled(writers.map((writer) => writer.abort()));
    throw error;
  }
}
