import { ArgumentError, GoneError, NotFoundError } from "../errors.js";
import type { ArraySchema, DimensionLabel, NDRange } from "../format/array-schema.js";
import { type EncryptionKey, encryptionKeyBytes } from "../format/encryption.js";
import type { Enumeration } from "../format/enumeration.js";
import { readGenericTile } from "../format/generic-tile.js";
import type { MetadataValue } from "../format/metadata.js";
import { joinKey } from "../storage/key.js";
import type { StorageOptions } from "../storage/remote/settings.js";
import { childLocation, resolveReadable } from "../storage/resolve.js";
import type { StoreLocation, StoreOptions } from "../storage/types.js";
import type { Column } from "./columns.js";
import { type ArrayReadOptions, loadArrayDirectory } from "./directory/array-directory.js";
import type { StoredMetadata } from "./directory/array-metadata.js";
import { requireArray } from "./directory/object-type.js";
import { type DirectoryState, openDirectory } from "./directory/open-directory.js";
import { ALL_TIME, type TimeWindow, visibleMetadata } from "./directory/visible-at.js";
import { unionOf } from "./nd-union.js";
import type { OpenedArray } from "./opened-array.js";
import type { AggregateResult, FragmentInfo, LabelInfo, ReadPlan, ReadQuery, ReadResult } from "./query.js";
import type { CompressedCells, CompressedQuery } from "./read/compressed/compressed.js";
import { type ReadExtent, sparseExtent } from "./read/extent.js";
import { labelInfos } from "./read/label-infos.js";
import { readArray } from "./read/read.js";
import { type ResolvedQuery, resolveQuery } from "./read/resolve-query.js";

export { objectType } from "./directory/object-type.js";

export interface OpenOptions {
  /**
   * Milliseconds since 1970: a moment, or [from, to] with both ends inclusive. What was written later (or before
   * `from`) is not seen. Default: everything.
   */
  readonly timestamp?: number | readonly [number, number] | undefined;
  /** Of an encrypted array: 32 bytes, or a text whose UTF-8 form has that many. */
  readonly encryptionKey?: EncryptionKey | undefined;
  /** Settings of places that are given as URIs; of any that are asked over a network, of index files and the cache. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with what is wrong with an index file, which is not used then. */
  readonly onWarning?: ((warning: ArrayWarning) => void) | undefined;
}

export interface ArrayWarning {
  readonly kind: "index-file";
  readonly message: string;
  /** Where the file is. */
  readonly where: string;
}

export interface BatchOptions {
  /** Bytes; 64 MiB by default. */
  readonly memoryBudget?: number | undefined;
}

const DEFAULT_MEMORY_BUDGET = 64 * 1024 * 1024;

/** An array as it was when opened: later writes are not seen. */
export class TileDBArray {
  readonly uri: string;
  /** The newest schema at the time of opening. */
  readonly schema: ArraySchema;
  #state: DirectoryState;
  #opened: OpenedArray;
  #fragments: readonly FragmentInfo[];
  #reopening: Promise<void> | undefined;
  readonly #labels = new Map<DimensionLabel, Promise<TileDBArray>>();
  readonly #enumerations = new Map<string, Promise<Enumeration>>();

  constructor(state: DirectoryState) {
    this.uri = state.directory.uri;
    this.schema = state.schema;
    this.#state = state;
    this.#opened = this.#openedArray(state);
    this.#fragments = state.fragments.map((fragment) => fragment.info);
  }

  /** Visible fragments, oldest first. */
  get fragments(): readonly FragmentInfo[] {
    return this.#fragments;
  }

  /** Whether its store is asked over a network. */
  get isRemote(): boolean {
    return this.#state.directory.location.store.isRemote === true;
  }

  /** File names of the visible delete commits, oldest first: with the fragments they say what the array holds. */
  get deleteCommits(): readonly string[] {
    return this.#opened.deletes.map(({ name }) => name);
  }

  /** The smallest box around all fragments, both ends inclusive; null where nothing was written. */
  nonEmptyDomain(): NDRange | null {
    return unionOf(
      this.fragments.flatMap(({ nonEmptyDomain }) => (nonEmptyDomain === null ? [] : [nonEmptyDomain])),
    );
  }

  /** Array metadata by key, sorted by key. */
  async metadata(options: StoreOptions = {}): Promise<ReadonlyMap<string, MetadataValue>> {
    const { readMetadataValues } = await import("./directory/array-metadata.js");
    return this.#ask(({ directory, window }) => {
      const files = visibleMetadata(directory, window);
      return readMetadataValues(directory.location.store, files, this.#options(options));
    });
  }

  /** The same as stored: bytes with their datatypes, which tell char, blob and uint8 apart. */
  async metadataEntries(options: StoreOptions = {}): Promise<ReadonlyMap<string, StoredMetadata>> {
    const { readMetadataFiles } = await import("./directory/array-metadata.js");
    return this.#ask(({ directory, window }) => {
      const files = visibleMetadata(directory, window);
      return readMetadataFiles(directory.location.store, files, this.#options(options));
    });
  }

  /** The values that an enumerated attribute's cells stand for. Throws NotFoundError for a name that is none. */
  async enumeration(name: string): Promise<Enumeration> {
    const kept = this.#enumerations.get(name);
    if (kept !== undefined) return kept;
    const loading = this.#readEnumeration(name);
    this.#enumerations.set(name, loading);
    loading.catch(() => this.#enumerations.delete(name));
    return loading;
  }

  /** Dimension labels, with their dimensions. */
  get labels(): readonly LabelInfo[] {
    return labelInfos(this.schema);
  }

  /**
   * The labels of the coordinates that `read(query)` selects along the label's dimension, in ascending order of these;
   * of a sparse array not restricted there, all that were written. Fill values where no label was written. Ranges of
   * other dimensions don't matter.
   */
  async readLabel(
    name: string,
    query: Pick<ReadQuery, "ranges" | "labelRanges" | "signal"> = {},
  ): Promise<Column> {
    const { findLabel } = await import("./read/label-ranges.js");
    const label = findLabel(this.schema, name, this.uri);
    const { ranges = {} } = await this.#withoutLabels(query);
    await resolveQuery(this.schema, { ranges }, this.uri);
    const dimension = this.schema.dimensions[label.dimension]!.name;
    const box = this.schema.arrayType === "dense" ? this.nonEmptyDomain()?.[label.dimension] : undefined;
    const selection = ranges[dimension] ?? (box && [box]);
    const array = await this.#openLabel(label);
    const own = array.schema.dimensions[0]!.name;
    const { columns } = await array.read({
      ranges: selection === undefined ? {} : { [own]: selection },
      attributes: [label.attribute],
      dimensions: [],
      signal: query.signal,
    });
    return columns[label.attribute]!;
  }

  /** What `read(query)` would do. */
  async plan(query: ReadQuery = {}): Promise<ReadPlan> {
    const resolved = await this.#resolve(query);
    const { planRead } = await import("./read/plan.js");
    return this.#ask(() => planRead(this.#opened, resolved));
  }

  /**
   * What the ranges of a read touch, without asking where its tiles lie: quicker than a plan, and enough to compare two
   * arrays. Dense: throws UnsupportedError.
   */
  async extent(query: Pick<ReadQuery, "ranges" | "labelRanges" | "signal"> = {}): Promise<ReadExtent> {
    const resolved = await this.#resolve(query);
    return this.#ask(() => sparseExtent(this.#opened, resolved));
  }

  /**
   * Cells as columns. Sparse: those that exist in the ranges, in the order asked. Dense: all cells of the ranges,
   * row-major unless asked otherwise, fill values where none was written.
   */
  async read(query: ReadQuery = {}): Promise<ReadResult> {
    const plain = await this.#withoutLabels(query);
    const resolved = await this.#resolve(plain);
    if (query.asListed !== true) return this.#ask(() => readArray(this.#opened, resolved));
    const { checkListed, listCells } = await import("./read/as-listed.js");
    checkListed(this.#opened, resolved);
    const read = await this.#ask(() => readArray(this.#opened, resolved));
    return listCells(this.#opened, resolved, plain.ranges, read);
  }

  /**
   * Cells of a matrix as compressed rows (of a col-major array: compressed columns), as fast as there is; null where
   * the array is none that can be read so, and `read` has to do.
   */
  async readCompressed(query: CompressedQuery): Promise<CompressedCells | null> {
    const { readCompressed } = await import("./read/compressed/compressed.js");
    return this.#ask(() => readCompressed(this.#opened, query));
  }

  /**
   * The same as `read` in pieces, whose cells come to it one after the other: for results larger than memory. Pieces
   * may be empty, and where no tile is touched there are none.
   *
   * @param options.memoryBudget bytes that a piece may take, decoded and as the result, 64 MiB by default. Not exact:
   *   cells of variable length count with their mean, tiles are fetched and decoded a few at a time besides, and a
   *   piece is at least one cell, where cells of fragments are merged at least a tile of each is opened
   */
  async *batches(
    query: Omit<ReadQuery, "asListed"> = {},
    options: BatchOptions = {},
  ): AsyncGenerator<ReadResult, void, undefined> {
    const { readBatches } = await import("./read/batches.js");
    const budget = options.memoryBudget ?? DEFAULT_MEMORY_BUDGET;
    yield* readBatches(this.#opened, await this.#resolve(query), budget);
  }

  /**
   * Count, sum, min, max, mean and nulls of the query's attributes and of the dimensions that it names, without reading tiles whose statistics say it: those
   * of numbers and texts of a fixed length that lie wholly in the ranges, without condition and deletes; of dense arrays
   * also without cells of newer fragments. What is read is read in pieces of 64 MiB.
   */
  async aggregate(
    query: Pick<
      ReadQuery,
      "ranges" | "labelRanges" | "attributes" | "dimensions" | "condition" | "signal"
    > = {},
  ): Promise<AggregateResult> {
    const resolved = await this.#resolve({ dimensions: [], ...query, order: "unordered" });
    const { aggregate } = await import("./read/aggregate/aggregate.js");
    return this.#ask(() => aggregate(this.#opened, resolved));
  }

  /** Once more where files were vacuumed since the array was opened, with those that took their place. */
  async #ask<T>(action: (state: DirectoryState) => Promise<T>): Promise<T> {
    try {
      return await action(this.#state);
    } catch (error) {
      if (!(error instanceof GoneError)) throw error;
      await this.#reopen(error);
      return action(this.#state);
    }
  }

  async #reopen(gone: GoneError): Promise<void> {
    const { reopenDirectory } = await import("./directory/reopen.js");
    this.#reopening ??= reopenDirectory(this.#state, gone).then((state) => {
      this.#state = state;
      this.#opened = this.#openedArray(state);
      this.#fragments = state.fragments.map((fragment) => fragment.info);
    });
    try {
      await this.#reopening;
    } finally {
      this.#reopening = undefined;
    }
  }

  #openedArray({ fragments, deletes, window }: DirectoryState): OpenedArray {
    const { uri, schema } = this;
    return { uri, schema, fragments, deletes, window, enumeration: (name) => this.enumeration(name) };
  }

  async #resolve(query: ReadQuery): Promise<ResolvedQuery> {
    return resolveQuery(this.schema, await this.#withoutLabels(query), this.uri);
  }

  async #withoutLabels(query: ReadQuery): Promise<ReadQuery> {
    if (query.labelRanges === undefined) return query;
    const { withoutLabelRanges } = await import("./read/label-ranges.js");
    return withoutLabelRanges(this.schema, query, (label) => this.#openLabel(label), this.uri);
  }

  async #openLabel(label: DimensionLabel): Promise<TileDBArray> {
    const kept = this.#labels.get(label);
    if (kept !== undefined) return kept;
    const opening = this.#openLabelArray(label);
    this.#labels.set(label, opening);
    opening.catch(() => this.#labels.delete(label));
    return opening;
  }

  async #openLabelArray(label: DimensionLabel): Promise<TileDBArray> {
    const { checkLabelArray, labelPath } = await import("./read/label-ranges.js");
    const { location, encryptionKey } = this.#state.directory;
    const { start, end } = this.#state.window;
    const place = childLocation(location, labelPath(label, this.uri));
    const array = await openArray(place, { timestamp: [start, end], encryptionKey });
    checkLabelArray(label, this.schema.dimensions[label.dimension]!, array);
    return array;
  }

  #options(options: StoreOptions): ArrayReadOptions {
    return { ...options, encryptionKey: this.#state.directory.encryptionKey };
  }

  async #readEnumeration(name: string): Promise<Enumeration> {
    const entry = this.schema.enumerations.find((one) => one.name === name);
    if (entry === undefined) {
      const names = this.schema.enumerations.map((one) => `'${one.name}'`).join(", ");
      throw new NotFoundError(`no enumeration '${name}', the array has ${names || "none"}`, {
        where: this.uri,
      });
    }
    const { location, encryptionKey } = this.#state.directory;
    const { store, path } = location;
    const key = joinKey(path, "__schema", "__enumerations", entry.file);
    const bytes = await store.get(key);
    const where = `${store.uri}/${key}`;
    if (bytes === undefined)
      throw new NotFoundError(`the file of enumeration '${name}' is missing`, { where });
    const { data } = await readGenericTile(bytes, 0, "enumeration", where, encryptionKey);
    const { readEnumeration } = await import("../format/enumeration.js");
    return readEnumeration(data, where);
  }
}

/**
 * Opens an array for reading.
 *
 * @throws NotFoundError, saying what is there instead, if no array lies at `location`
 * @throws EncryptionError where an encrypted array's key is missing or wrong, or a key is given for another one
 * @throws FormatError for cut or foreign files, UnsupportedError for what this package cannot read
 */
export async function openArray(
  location: string | StoreLocation,
  options: OpenOptions = {},
): Promise<TileDBArray> {
  const place = resolveReadable(location, options.storage);
  const window = windowOf(options.timestamp);
  const key = options.encryptionKey;
  const encryptionKey = key === undefined ? undefined : encryptionKeyBytes(key);
  const store = { signal: options.signal };
  if (place.store.isRemote === true) {
    const { openRemote } = await import("./directory/open-remote.js");
    const onDamagedIndex = (message: string, where: string) =>
      options.onWarning?.({ kind: "index-file", message, where });
    const remote = { ...options.storage, ...store, encryptionKey, onDamagedIndex };
    return new TileDBArray(await openRemote(place, window, remote));
  }
  await requireArray(place, store);
  const directory = await loadArrayDirectory(place, { ...store, encryptionKey });
  return new TileDBArray(await openDirectory(directory, window, store));
}

function windowOf(timestamp: OpenOptions["timestamp"]): TimeWindow {
  if (timestamp === undefined) return ALL_TIME;
  const [start, end] = Array.isArray(timestamp) ? timestamp : [0, timestamp];
  if (typeof end === "number" && start >= 0 && start <= end) return { start, end };
  throw new ArgumentError(`timestamp ${start} to ${end}: expected 0 <= from <= to, in milliseconds`);
}
