import { objectType, openArray, type TileDBArray } from "../array/open.js";
import { NotFoundError } from "../errors.js";
import { listedView } from "../storage/listed/listed-view.js";
import type { StorageOptions } from "../storage/remote/settings.js";
import { whileWaiting } from "../storage/remote/while-waiting.js";
import { childLocation, locationUri } from "../storage/resolve.js";
import type { StoreLocation } from "../storage/types.js";
import { checkThreads } from "../util/check-threads.js";
import { type GeneMajorCopy, geneMajorPlace, openGeneMajor } from "./by-gene/gene-major-state.js";
import { FrameReader } from "./frames/frame-reader.js";
import { storeNames } from "./layout.js";
import { MatrixReader } from "./matrix-reader.js";

/** Opening the arrays that make up a store. */

export interface DatasetOptions {
  /**
   * Group of the matrices; default "assays", or none where there is no such folder, as in stores of cellarr before 0.3.
   * Null or "": matrices lie beside the frames.
   */
  readonly assayTiledbGroup?: string | null | undefined;
  /** Matrices by their names in the group; default all that are there. */
  readonly assayUri?: string | readonly string[] | undefined;
  /** Default "gene_annotation". */
  readonly geneAnnotationUri?: string | undefined;
  /** Default "cell_metadata". */
  readonly cellMetadataUri?: string | undefined;
  /** Default "sample_metadata". */
  readonly sampleMetadataUri?: string | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Threads that decode large slices, the calling one included; default 1. More help where cores are free and queries
   * come again and again: a thread takes some queries until it is fast.
   */
  readonly threads?: number | undefined;
  /**
   * Called when a gene-major copy is found that cannot be used (the matrix itself is read then), and on opening for a
   * matrix whose last cells or genes are without values, and for a damaged index file, which is not used.
   */
  readonly onWarning?: ((warning: DatasetWarning) => void) | undefined;
}

export type DatasetWarning =
  | {
      readonly kind: "gene-major-copy";
      /** Matrix whose copy it is. */
      readonly matrix: string;
      readonly copy: "stale" | "unusable";
      readonly message: string;
      /** Where the copy is. */
      readonly where: string;
    }
  | {
      readonly kind: "fewer-cells" | "fewer-genes";
      readonly matrix: string;
      readonly message: string;
      /** Where the matrix is. */
      readonly where: string;
    }
  | { readonly kind: "index-file"; readonly message: string; readonly where: string };

export interface DatasetParts {
  readonly uri: string;
  readonly genes: FrameReader;
  readonly cells: FrameReader;
  readonly samples: FrameReader;
  readonly matrices: ReadonlyMap<string, MatrixReader>;
}

/** Opens all parts and checks that their sizes agree; see CellArrDataset.open. */
export async function openParts(given: StoreLocation, options: DatasetOptions): Promise<DatasetParts> {
  const location = await withKnownKeys(given, options);
  const frame = async (name: string) => new FrameReader(await openPart(location, name, options.signal));
  const [genes, cells, samples, matrices] = await Promise.all([
    frame(options.geneAnnotationUri ?? storeNames.geneAnnotation),
    frame(options.cellMetadataUri ?? storeNames.cellMetadata),
    frame(options.sampleMetadataUri ?? storeNames.sampleMetadata),
    openMatrices(location, options),
  ]);
  const parts = { uri: locationUri(location), genes, cells, samples, matrices };
  checkParts(parts, options);
  return parts;
}

/** Where requests take time the keys of the whole store are listed once, for all of its arrays. */
async function withKnownKeys(location: StoreLocation, options: DatasetOptions): Promise<StoreLocation> {
  const { store, path } = location;
  if (store.isRemote !== true || listedView(store, path) !== undefined) return location;
  const { openListed } = await import("../storage/listed/open-listed.js");
  const { storage, signal, onWarning } = options;
  whileWaiting(() => {
    // Whoever needs it meets what is wrong with it.
    import("../array/directory/open-remote.js").then(({ loadReading }) => loadReading()).catch(() => {});
  });
  return openListed(location, {
    ...storage,
    signal,
    onDamagedIndex: (message, where) => onWarning?.({ kind: "index-file", message, where }),
  });
}

/** As Python cellarr 0.6 has it: values beyond the frames are an error, fewer may be right. */
export function checkParts({ cells, genes, matrices }: DatasetParts, { onWarning }: DatasetOptions): void {
  for (const [name, matrix] of matrices) {
    const found = matrix.checkShape(cells.rowCount, genes.rowCount);
    const warn = (kind: "fewer-cells" | "fewer-genes", what: string, last: number, count: number) => {
      if (last === count) return;
      const message = `matrix '${name}' has values of ${last} ${what} only, the store has ${count}`;
      onWarning?.({ kind, matrix: name, message, where: matrix.array.uri });
    };
    warn("fewer-cells", "cells", found[0], cells.rowCount);
    warn("fewer-genes", "genes", found[1], genes.rowCount);
  }
}

async function openPart(
  location: StoreLocation,
  name: string,
  signal: AbortSignal | undefined,
): Promise<TileDBArray> {
  try {
    return await openArray(childLocation(location, ...name.split("/")), { signal });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new NotFoundError(`no cellarr store: its part '${name}' is not there`, {
      where: locationUri(location),
      cause: error,
    });
  }
}

async function openMatrices(
  location: StoreLocation,
  options: DatasetOptions,
): Promise<Map<string, MatrixReader>> {
  const given = options.assayTiledbGroup;
  if (given !== undefined) return openGroup(location, given ?? "", options);
  try {
    return await openGroup(location, storeNames.assays, options);
  } catch (error) {
    // Before 0.3 there was no group.
    if (!(error instanceof NotFoundError) || (await hasFolder(location, storeNames.assays))) throw error;
    return openGroup(location, "", options, error);
  }
}

async function hasFolder(location: StoreLocation, name: string): Promise<boolean> {
  const { store, path } = childLocation(location, name);
  return (await store.list(path, { recursive: false })).length > 0;
}

/** `otherwise` is thrown where no group is asked for, and there is no matrix. */
async function openGroup(
  location: StoreLocation,
  group: string,
  options: DatasetOptions,
  otherwise?: NotFoundError,
): Promise<Map<string, MatrixReader>> {
  const place = group === "" ? location : childLocation(location, ...group.split("/"));
  const names = namedMatrices(options) ?? (await listedMatrices(place, group, options, otherwise));
  const arrays = await Promise.all(names.map((name) => openPart(place, name, options.signal)));
  const reader = (name: string, array: TileDBArray) =>
    new MatrixReader(
      array,
      () => openCopy(geneMajorPlace(location, group, name), name, array, options),
      checkThreads(options.threads ?? 1, "threads"),
    );
  return new Map(names.map((name, at) => [name, reader(name, arrays[at]!)]));
}

/** Whatever asked for it may be aborted: the copy is looked for once for all queries. */
async function openCopy(
  place: StoreLocation,
  matrix: string,
  array: TileDBArray,
  { onWarning }: DatasetOptions,
): Promise<GeneMajorCopy> {
  const copy = await openGeneMajor(place, array);
  if (copy.state === "stale" || copy.state === "unusable") {
    const { state, reason, where } = copy;
    const message = `gene-major copy of '${matrix}' is not used, ${reason}`;
    onWarning?.({ kind: "gene-major-copy", matrix, copy: state, message, where });
  }
  return copy;
}

function namedMatrices({ assayUri }: DatasetOptions): string[] | null {
  if (typeof assayUri === "string") return [assayUri];
  return assayUri === undefined ? null : [...assayUri];
}

/** Python's group has no members of record, so what counts is what is in its folder. */
async function listedMatrices(
  place: StoreLocation,
  group: string,
  options: DatasetOptions,
  otherwise: NotFoundError | undefined,
): Promise<string[]> {
  const { signal } = options;
  const entries = await place.store.list(place.path, { recursive: false, ...(signal && { signal }) });
  const frames = group === "" ? frameNames(options) : [];
  const folders = entries
    .filter(({ size }) => size === undefined)
    .map(({ key }) => key.slice(key.lastIndexOf("/") + 1))
    .filter((name) => !name.startsWith("__") && !frames.includes(name));
  const types = await Promise.all(folders.map((name) => objectType(childLocation(place, name))));
  const names = folders.filter((_, at) => types[at] === "array");
  if (names.length > 0) return names;
  if (otherwise !== undefined) throw otherwise;
  throw new NotFoundError("no cellarr store: there are no matrices", { where: locationUri(place) });
}

/** What lies beside the matrices where they have no group. */
export function frameNames(options: DatasetOptions): string[] {
  return [
    options.geneAnnotationUri ?? storeNames.geneAnnotation,
    options.cellMetadataUri ?? storeNames.cellMetadata,
    options.sampleMetadataUri ?? storeNames.sampleMetadata,
  ];
}
