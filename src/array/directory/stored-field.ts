import { FormatError, UnsupportedError } from "../../errors.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { COORDS, fieldFileName } from "../../format/fragment/fragment-fields.js";
import {
  areZipped,
  type CoordinatesLayout,
  coordinatesOf,
} from "../../format/fragment/zipped-coordinates.js";
import { decodeTile, type LoadedPipeline, loadPipeline } from "../../format/tile.js";
import { sharedPipeline } from "../../format/tile-threads.js";
import { decodeVarTile } from "../../format/var-tile.js";
import type { StoreOptions } from "../../storage/types.js";
import { Kept } from "../../util/kept.js";
import {
  attributeFields,
  DELETE_TIMESTAMPS,
  deleteTimestampsField,
  dimensionFields,
  type Field,
  TIMESTAMPS,
  timestampsField,
} from "../fields.js";
import { type FieldTiles, type FragmentReader, MAX_RATIO } from "./fragment-reader.js";

/** One of the up to three files of a field. */
export interface FieldFile {
  /** Name inside the fragment's folder. */
  readonly file: string;
  /** First byte of each tile. */
  readonly offsets: Float64Array;
  readonly size: number;
}

interface Pipelines {
  readonly values: LoadedPipeline;
  readonly offsets: LoadedPipeline | null;
  readonly validity: LoadedPipeline | null;
}

/** Decoded cells of a tile of variable length: `offsets` has one entry more than there are cells. */
export interface VarCells {
  readonly offsets: Uint32Array;
  readonly data: Uint8Array;
}

/** A field of a fragment, ready to decode: where its tiles lie and the filters that undo them, loaded. */
export class StoredField {
  readonly fragment: FragmentReader;
  /** As it is read, see evolved-attributes.ts. */
  readonly field: Field;
  /** As it was written. */
  readonly #written: Field;
  /** In the order in which `decode…` expects their bytes: values (or offsets, values), then validity. */
  readonly files: readonly FieldFile[];
  readonly #tiles: FieldTiles;
  readonly #pipelines: Pipelines;
  /** Of a dimension whose coordinates share a file with the others': which of them it is. */
  readonly #shared: SharedCoordinates | null;
  #path: string | undefined;
  #filters: ReturnType<typeof sharedPipeline> | undefined;

  private constructor(
    fragment: FragmentReader,
    written: Field,
    tiles: FieldTiles,
    pipelines: Pipelines,
    shared: SharedCoordinates | null,
  ) {
    this.fragment = fragment;
    this.field = readAs(written, fragment);
    this.#written = written;
    this.#tiles = tiles;
    this.#pipelines = pipelines;
    this.#shared = shared;
    const fileName = this.#fileName;
    const files: FieldFile[] = [{ file: `${fileName}.tdb`, offsets: tiles.offsets, size: tiles.size }];
    if (tiles.var !== undefined) {
      files.push({ file: `${fileName}_var.tdb`, offsets: tiles.var.offsets, size: tiles.var.size });
    }
    if (tiles.validity !== undefined && this.field.nullable)
      files.push({ file: `${fileName}_validity.tdb`, ...tiles.validity });
    this.files = files;
  }

  /** The field of that name; the fragment must have it. */
  static async open(fragment: FragmentReader, name: string, options?: StoreOptions): Promise<StoredField> {
    const field = fieldOf(fragment, name);
    const shared = sharedCoordinates(fragment, field);
    const [tiles, pipelines] = await Promise.all([
      fragment.tilesOf(name, options),
      loadPipelines(fragment, field, shared),
    ]);
    return new StoredField(fragment, field, tiles, pipelines, shared);
  }

  /** Byte range of tile `t` in one of the files: up to where the next tile begins. */
  range(file: FieldFile, t: number): { start: number; end: number } {
    const start = file.offsets[t]!;
    const end = t + 1 < file.offsets.length ? file.offsets[t + 1]! : file.size;
    if (start <= end && end <= file.size) return { start, end };
    throw new FormatError(`tile ${t} is at bytes ${start} to ${end} of a file of ${file.size}`, {
      where: `${this.fragment.uri}/${file.file}`,
    });
  }

  /** Throws FormatError if the cells of tile `t` cannot come from as many bytes as it takes in the files. */
  checkClaim(t: number): void {
    let stored = 0;
    for (const file of this.files) {
      const { start, end } = this.range(file, t);
      stored += end - start;
    }
    // Of cells of variable length their offsets as they are in memory; their data are checked where they are decoded.
    const claimed = this.fragment.cellsOf(t) * (this.field.isVar ? 4 : this.#storedCellBytes);
    if (claimed <= stored * MAX_RATIO) return;
    throw new FormatError(`tile ${t} claims ${claimed} bytes, but takes ${stored}`, { where: this.#where() });
  }

  /** What another thread has to know to decode values of a fixed size; null where it takes more than filters. */
  get sharedFilters(): ReturnType<typeof sharedPipeline> {
    const isPlain =
      this.#shared === null && !this.field.isVar && this.#written.cellBytes === this.field.cellBytes;
    if (this.#filters === undefined) this.#filters = isPlain ? sharedPipeline(this.#pipelines.values) : null;
    return this.#filters;
  }

  /** Bytes of the values of tile `t` before filters, of fields of a fixed size. */
  fixedBytes(t: number): number {
    return this.fragment.cellsOf(t) * this.#storedCellBytes;
  }

  /**
   * Decodes the values of a tile of fixed cells, into `into` where given.
   *
   * @param decoded the same as another thread has decoded them by `sharedFilters`
   */
  decodeFixed(t: number, stored: readonly Uint8Array[], into?: Uint8Array, decoded?: Uint8Array): Uint8Array {
    if (decoded !== undefined) {
      if (into === undefined) return decoded;
      into.set(decoded);
      return into;
    }
    const size = this.fragment.cellsOf(t) * this.#storedCellBytes;
    this.checkClaim(t);
    const { values } = this.#pipelines;
    if (this.#shared === null) {
      if (this.#written.cellBytes === this.field.cellBytes) {
        return decodeTile(stored[0]!, values, size, this.#where(), into);
      }
      return this.#firstBytes(t, decodeTile(stored[0]!, values, size, this.#where()), into);
    }
    const coordinates = decodeTile(stored[0]!, values, size, this.#where());
    return coordinatesOf(coordinates, this.#shared.layout, this.#shared.dimension, into);
  }

  /** Decodes a tile of cells of variable length; `wanted` is the range of those to return, of all by default. */
  decodeVar(t: number, stored: readonly Uint8Array[], wanted?: readonly [number, number]): VarCells {
    const { values, offsets } = this.#pipelines;
    const size = this.#tiles.var!.tileBytes[t]!;
    this.checkClaim(t);
    const cells = this.fragment.cellsOf(t);
    const where = this.#where();
    const decoded = decodeVarTile(stored[0]!, stored[1]!, offsets!, values, cells, size, where, wanted);
    if (this.#written.datatype !== this.field.datatype) this.#checkWholeValues(decoded);
    return decoded;
  }

  /** Of cells that were written larger than they are read, the bytes of as many of the smaller ones. */
  #firstBytes(t: number, tile: Uint8Array, into?: Uint8Array): Uint8Array {
    const bytes = tile.slice(0, this.fragment.cellsOf(t) * this.field.cellBytes);
    if (into === undefined) return bytes;
    into.set(bytes);
    return into;
  }

  #checkWholeValues({ offsets }: VarCells): void {
    const { bytes } = datatypeInfo(this.field.datatype);
    const cut = offsets.find((offset) => offset % bytes !== 0);
    if (cut === undefined) return;
    const { name, datatype } = this.field;
    const problem = `'${name}' is ${datatype} now, the fragment's cells are ${this.#written.datatype} and not whole values of it`;
    throw new UnsupportedError(problem, { where: this.#where() });
  }

  /** A byte per cell, or undefined where the field is not nullable. */
  decodeValidity(t: number, stored: readonly Uint8Array[], into?: Uint8Array): Uint8Array | undefined {
    const { validity } = this.#pipelines;
    if (validity === null || !this.field.nullable) return undefined;
    return decodeTile(stored.at(-1)!, validity, this.fragment.cellsOf(t), this.#where(), into);
  }

  get #storedCellBytes(): number {
    return this.#written.cellBytes * (this.#shared?.layout.dimensions ?? 1);
  }

  get #fileName(): string {
    const { schema, footer } = this.fragment;
    return this.#shared === null ? fieldFileName(schema, this.field.name, footer.version) : COORDS;
  }

  #where(): string {
    this.#path ??= `${this.fragment.uri}/${this.#fileName}.tdb`;
    return this.#path;
  }
}

interface SharedCoordinates {
  readonly layout: CoordinatesLayout;
  /** Number of the dimension. */
  readonly dimension: number;
}

function sharedCoordinates(
  { schema, footer, hasZippedCoordinates }: FragmentReader,
  { kind, name, cellBytes }: Field,
): SharedCoordinates | null {
  if (kind !== "dimension" || !hasZippedCoordinates) return null;
  const zipped = areZipped(footer.version, schema.coordsFilters);
  return {
    layout: { zipped, dimensions: schema.dimensions.length, width: cellBytes },
    dimension: schema.dimensions.findIndex((dimension) => dimension.name === name),
  };
}

function fieldOf(fragment: FragmentReader, name: string): Field {
  const { schema } = fragment;
  if (name === TIMESTAMPS) return timestampsField(schema);
  if (name === DELETE_TIMESTAMPS) return deleteTimestampsField(schema);
  const fields = [...attributeFields(schema), ...dimensionFields(schema)];
  return fields.find((field) => field.name === name)!;
}

function readAs(written: Field, fragment: FragmentReader): Field {
  const now = fragment.evolvedAttribute(written.name);
  if (now === undefined) return written;
  const { datatype, cellValNum } = now;
  const nullable = written.nullable && now.nullable;
  const cellBytes = written.isVar ? 0 : datatypeInfo(datatype).bytes * cellValNum;
  return { ...written, datatype, cellValNum, cellBytes, nullable };
}

async function loadPipelines(
  fragment: FragmentReader,
  field: Field,
  shared: SharedCoordinates | null,
): Promise<Pipelines> {
  const { schema, footer, encryptionKey } = fragment;
  const options = { encryptionKey };
  const { datatype, filters } = field;
  const cellValNum = field.cellValNum * (shared?.layout.dimensions ?? 1);
  const version = footer.version;
  const [values, offsets, validity] = await Promise.all([
    loadPipeline(filters, { datatype, cellValNum, version }, options),
    cellValNum === VAR_NUM
      ? loadPipeline(schema.offsetsFilters, { datatype: "uint64", cellValNum: 1, version }, options)
      : null,
    field.nullable
      ? loadPipeline(schema.validityFilters, { datatype: "uint8", cellValNum: 1, version }, options)
      : null,
  ]);
  return { values, offsets, validity };
}

const opened = new WeakMap<FragmentReader, Kept>();

/** The field of that name, opened once per fragment and then kept with it; the fragment must have it. */
export async function storedField(
  fragment: FragmentReader,
  name: string,
  options?: StoreOptions,
): Promise<StoredField> {
  let fields = opened.get(fragment);
  if (fields === undefined) {
    fields = new Kept();
    opened.set(fragment, fields);
  }
  return fields.get(name, () => StoredField.open(fragment, name, options), options?.signal);
}
