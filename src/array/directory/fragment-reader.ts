import { FormatError } from "../../errors.js";
import type { ArraySchema, Attribute } from "../../format/array-schema.js";
import {
  fieldFileName,
  fieldIndex,
  fieldNames,
  hasZippedCoordinates,
  isVarField,
} from "../../format/fragment/fragment-fields.js";
import type { FragmentFooter } from "../../format/fragment/fragment-footer.js";
import type { LegacySections } from "../../format/fragment/fragment-metadata-legacy.js";
import { readProcessedConditions, readTileNumbers } from "../../format/fragment/fragment-sections.js";
import { type RTree, readRTree } from "../../format/fragment/rtree.js";
import { readGenericTile } from "../../format/generic-tile.js";
import { joinKey } from "../../storage/key.js";
import type { ByteRange, ReadableStore, StoreOptions } from "../../storage/types.js";
import { Kept } from "../../util/kept.js";
import { type DenseTiling, denseTiling } from "../order/dense-tiling.js";
import type { FragmentInfo } from "../query.js";
import { type FragmentFiles, FRAGMENT_METADATA_FILE as METADATA_FILE } from "./array-directory.js";
import { type EvolvedAttributes, evolvedAttributes } from "./evolved-attributes.js";
import { MetadataFile, type MetadataTail } from "./metadata-file.js";

/**
 * What no filter exceeds: one stored byte becomes at most this many (bzip2 and Zstandard 45,000, runs of RLE more
 * than that only in tiles of a few bytes). Tiles that claim more are refused before memory is taken.
 */
export const MAX_RATIO = 100_000;

/** Per-tile numbers of a field's files; absent where the field has no such file. */
export interface FieldTiles {
  /** Byte offset of each tile in the field's file (of var-length fields, of the offsets). */
  readonly offsets: Float64Array;
  readonly size: number;
  readonly var?: {
    readonly offsets: Float64Array;
    readonly size: number;
    /** Bytes of each tile's values before filters. */
    readonly tileBytes: Float64Array;
  };
  readonly validity?: { readonly offsets: Float64Array; readonly size: number };
}

type NumberSection = "tileOffsets" | "tileVarOffsets" | "tileVarSizes" | "tileValidityOffsets";

/** One fragment of an open array: its footer, and its sections, loaded when first needed and then kept. */
export class FragmentReader {
  readonly files: FragmentFiles;
  readonly footer: FragmentFooter;
  /** The schema that the fragment was written with. */
  readonly schema: ArraySchema;
  readonly store: ReadableStore;
  readonly encryptionKey: Uint8Array | undefined;
  readonly uri: string;
  /** Tiles of dense fragments; null of sparse ones. */
  readonly tiling: DenseTiling | null;
  readonly #metadata: MetadataFile;
  readonly #legacy: LegacySections | null;
  readonly #kept = new Kept();
  #evolved: EvolvedAttributes = new Map();

  constructor(
    store: ReadableStore,
    files: FragmentFiles,
    footer: FragmentFooter,
    schema: ArraySchema,
    tail: MetadataTail | null,
    legacy: LegacySections | null = null,
    encryptionKey?: Uint8Array,
  ) {
    this.encryptionKey = encryptionKey;
    this.store = store;
    this.files = files;
    this.footer = footer;
    this.schema = schema;
    this.uri = `${store.uri}/${files.key}`;
    const size = files.files.get(METADATA_FILE) ?? 0;
    this.#metadata = new MetadataFile(store, this.key(METADATA_FILE), size, tail);
    this.#legacy = legacy;
    checkNonEmptyDomain(this);
    this.tiling = footer.dense ? denseTiling(schema, footer.nonEmptyDomain, this.uri) : null;
    checkFileSizes(this);
    checkCellCount(this);
  }

  get tileCount(): number {
    return this.tiling === null ? this.footer.sparseTileCount : this.tiling.tileCount;
  }

  /** Cells of tile `t`. */
  cellsOf(t: number): number {
    if (this.tiling !== null) return this.tiling.cellsPerTile;
    return t === this.footer.sparseTileCount - 1 ? this.footer.lastTileCellCount : this.schema.capacity;
  }

  get cellCount(): number {
    if (this.tiling !== null) return this.tiling.tileCount * this.tiling.cellsPerTile;
    const { sparseTileCount, lastTileCellCount } = this.footer;
    return sparseTileCount === 0 ? 0 : (sparseTileCount - 1) * this.schema.capacity + lastTileCellCount;
  }

  get info(): FragmentInfo {
    return {
      uri: this.uri,
      name: this.files.name,
      formatVersion: this.footer.version,
      timestampRange: [this.files.start, this.files.end],
      dense: this.footer.dense,
      nonEmptyDomain: this.footer.nonEmptyDomain,
      cellCount: this.cellCount,
      bytes: this.files.size,
      schemaName: this.footer.schemaName,
    };
  }

  /** Lets attributes be read as that schema of the array has them. */
  readAs(schema: ArraySchema): void {
    this.#evolved = evolvedAttributes(schema, this.schema);
  }

  /** The attribute as which cells written with another type are read, if they are. */
  evolvedAttribute(name: string): Attribute | undefined {
    return this.#evolved.get(name) ?? undefined;
  }

  /** True if the fragment has data of a field of that name, and not of a type that they cannot be read as. */
  hasField(name: string): boolean {
    return this.#evolved.get(name) !== null && fieldNames(this.schema, this.footer).includes(name);
  }

  /** Key of one of the fragment's files. */
  key(file: string): string {
    return joinKey(this.files.key, file);
  }

  /** Rectangles of a sparse fragment's tiles. */
  async rtree(options?: StoreOptions): Promise<RTree> {
    if (this.#legacy !== null) return this.#legacy.rtree;
    const load = async () => {
      const offset = this.footer.sections.rtree;
      const tree = readRTree(
        await this.section(offset, "R-tree", options),
        this.schema.dimensions,
        this.uri,
        this.footer.version,
      );
      if (tree.tileCount === this.footer.sparseTileCount) return tree;
      throw this.#error(`R-tree of ${tree.tileCount} tiles, footer says ${this.footer.sparseTileCount}`);
    };
    return this.#kept.get("rtree", load, options?.signal);
  }

  /** Where the tiles of a field lie in its files; of a dimension in `__coords.tdb`, those of all coordinates. */
  async tilesOf(name: string, options?: StoreOptions): Promise<FieldTiles> {
    const loadTiles = async () => {
      const { fileSizes, fileVarSizes, fileValiditySizes } = this.footer;
      const index = this.#storedIndex(name);
      const load = (list: NumberSection, what: string) => this.#tileNumbers(list, index, what, options);
      const isVar = isVarField(this.schema, index);
      const nullable = this.schema.attributes[index]?.nullable === true;
      const [offsets, varOffsets, varSizes, validity] = await Promise.all([
        load("tileOffsets", "tile offsets"),
        isVar ? load("tileVarOffsets", "var tile offsets") : null,
        isVar ? load("tileVarSizes", "var tile sizes") : null,
        nullable ? load("tileValidityOffsets", "validity tile offsets") : null,
      ]);
      const tiles: FieldTiles = {
        offsets,
        size: fileSizes[index]!,
        ...(varOffsets !== null &&
          varSizes !== null && {
            var: { offsets: varOffsets, size: fileVarSizes[index]!, tileBytes: varSizes },
          }),
        ...(validity !== null && { validity: { offsets: validity, size: fileValiditySizes[index]! } }),
      };
      return tiles;
    };
    return this.#kept.get(`tiles ${name}`, loadTiles, options?.signal);
  }

  /** Names of the delete conditions that a consolidation has applied. */
  async processedConditions(options?: StoreOptions): Promise<string[]> {
    const load = async () => {
      const offset = this.footer.sections.processedConditions;
      return readProcessedConditions(await this.section(offset, "processed conditions", options), this.uri);
    };
    return this.#kept.get("processed conditions", load, options?.signal);
  }

  /** True if the coordinates of all dimensions lie in one file. */
  get hasZippedCoordinates(): boolean {
    return hasZippedCoordinates(this.footer.version);
  }

  /** Index of the field whose files hold the field of that name. */
  #storedIndex(name: string): number {
    const index = fieldIndex(this.schema, name, this.footer);
    const coordinates = this.schema.attributes.length;
    return this.hasZippedCoordinates && index > coordinates ? coordinates : index;
  }

  async #tileNumbers(
    list: NumberSection,
    index: number,
    section: string,
    options?: StoreOptions,
  ): Promise<Float64Array> {
    const numbers =
      this.#legacy === null
        ? readTileNumbers(
            await this.section(this.footer.sections[list][index]!, section, options),
            section,
            this.uri,
          )
        : ((list === "tileValidityOffsets" ? undefined : this.#legacy[list][index]) ?? new Float64Array(0));
    if (numbers.length === this.tileCount) return numbers;
    throw this.#error(`${section} of ${numbers.length} tiles, expected ${this.tileCount}`);
  }

  /**
   * Asks at once for what the store has not given yet of the R-tree and of where the fields' tiles lie. Of use where
   * requests take time.
   */
  askSections(names: readonly string[], options?: StoreOptions): void {
    this.#metadata.askAhead(this.sectionRanges(names), options);
  }

  /** Where the R-tree, and where the fields' tiles lie, stand in the metadata file. */
  sectionRanges(names: readonly string[]): ByteRange[] {
    if (this.#legacy !== null) return [];
    const { sections, dense } = this.footer;
    const offsets = dense ? [] : [sections.rtree];
    for (const name of names) {
      const index = this.#storedIndex(name);
      offsets.push(sections.tileOffsets[index]!);
      if (isVarField(this.schema, index)) {
        offsets.push(sections.tileVarOffsets[index]!, sections.tileVarSizes[index]!);
      }
      if (this.schema.attributes[index]?.nullable) offsets.push(sections.tileValidityOffsets[index]!);
    }
    return offsets.map((start) => ({ start, end: this.#sectionEnd(start, "section") }));
  }

  /** The payload of the generic tile at `offset` of the metadata file. */
  async section(offset: number, section: string, options?: StoreOptions): Promise<Uint8Array> {
    const end = this.#sectionEnd(offset, section);
    const bytes = await this.#metadata.read(offset, end, options);
    const where = `${this.uri}/${METADATA_FILE}`;
    return (await readGenericTile(bytes, 0, section, where, this.encryptionKey)).data;
  }

  #metadataSize(): number {
    return this.files.files.get(METADATA_FILE) ?? 0;
  }

  /** Sections follow one another: each ends where the next begins, the last where the footer may begin. */
  #sectionEnd(offset: number, section: string): number {
    const { sections } = this.footer;
    let end = this.#metadataSize();
    const consider = (next: number) => {
      if (next > offset && next < end) end = next;
    };
    for (const value of Object.values(sections)) {
      if (typeof value === "number") consider(value);
      else for (const next of value) consider(next);
    }
    if (offset < end) return end;
    throw this.#error(`${section} at offset ${offset} of a metadata file of ${end} bytes`);
  }

  #error(message: string): FormatError {
    return new FormatError(`fragment: ${message}`, { where: this.uri });
  }
}

/** Index and name of the fields that have files: coordinates all in one, or each dimension its own. */
function storedFieldNames(footer: FragmentFooter, schema: ArraySchema): [number, string][] {
  const zipped = hasZippedCoordinates(footer.version);
  const coordinates = schema.attributes.length;
  return [...fieldNames(schema, footer).entries()].filter(([index]) => {
    if (index === coordinates) return zipped && !footer.dense;
    return index < coordinates || !zipped;
  });
}

/**
 * The files must be as long as the footer says: a cut file is found here rather than as a wrong tile. What a fragment's
 * tiles claim to hold is then checked against these sizes.
 */
function checkFileSizes({ footer, files, schema, uri }: FragmentReader): void {
  const check = (file: string, expected: number) => {
    const size = files.files.get(file) ?? 0;
    if (size === expected) return;
    const found = files.files.has(file) ? `has ${size} bytes` : "is missing";
    throw new FormatError(`fragment: ${file} ${found}, ${expected} expected`, { where: uri });
  };
  for (const [index, name] of storedFieldNames(footer, schema)) {
    const file = fieldFileName(schema, name, footer.version);
    check(`${file}.tdb`, footer.fileSizes[index]!);
    if (isVarField(schema, index)) check(`${file}_var.tdb`, footer.fileVarSizes[index]!);
    if (schema.attributes[index]?.nullable) check(`${file}_validity.tdb`, footer.fileValiditySizes[index]!);
  }
}

/** Reads of dense arrays take memory for all of it, so that it must lie inside the array's domain. */
function checkNonEmptyDomain({ footer, schema, uri }: FragmentReader): void {
  for (const [d, [from, to]] of (footer.nonEmptyDomain ?? []).entries()) {
    const { name, domain } = schema.dimensions[d]!;
    if (domain === null || typeof from === "string" || typeof to === "string") continue;
    if (from >= domain[0] && from <= to && to <= domain[1]) continue;
    throw new FormatError(
      `fragment: non-empty domain of '${name}' is ${from} to ${to}, expected inside ${domain.join(" to ")}`,
      { where: uri },
    );
  }
}

/**
 * No field can hold more cells than its file has bytes for: a corrupt footer must not make readers take memory. Tiles
 * are checked one by one where they are read.
 */
function checkCellCount(fragment: FragmentReader): void {
  const { footer, schema, uri, cellCount } = fragment;
  if (!footer.dense && footer.lastTileCellCount > schema.capacity) {
    throw new FormatError(
      `fragment: ${footer.lastTileCellCount} cells in the last tile, at most ${schema.capacity} expected`,
      { where: uri },
    );
  }
  for (const [index, name] of storedFieldNames(footer, schema)) {
    const isData = !footer.dense || index < schema.attributes.length;
    if (!isData || cellCount <= footer.fileSizes[index]! * MAX_RATIO) continue;
    throw new FormatError(
      `fragment: ${cellCount} cells, but '${name}' takes ${footer.fileSizes[index]} bytes`,
      {
        where: uri,
      },
    );
  }
}

/** Throws where a fragment has what this package cannot read yet. */
export function checkSupported(fragment: FragmentReader, array: ArraySchema): void {
  const { footer, uri } = fragment;
  if (array.arrayType === "sparse" && footer.dense) {
    throw new FormatError("fragment: dense fragment in a sparse array", { where: uri });
  }
}
