import { objectType, openArray, type TileDBArray } from "../array/open.js";
import { ArgumentError, NotFoundError } from "../errors.js";
import { childLocation, locationUri } from "../storage/resolve.js";
import type { StoreLocation } from "../storage/types.js";
import { type GeneMajorCopy, geneMajorPlace, openGeneMajor } from "./by-gene/gene-major-state.js";
import { FrameReader } from "./frame-reader.js";
import { storeNames } from "./layout.js";
import { MatrixReader } from "./matrix-reader.js";

/** Opening the arrays that make up a store. */

export interface DatasetOptions {
  /** Group of the matrices; default "assays". Null or "": matrices lie beside the frames (stores before 0.3). */
  readonly assayTiledbGroup?: string | null | undefined;
  /** Matrices by their names in the group; default all that are there. */
  readonly assayUri?: string | readonly string[] | undefined;
  /** Default "gene_annotation". */
  readonly geneAnnotationUri?: string | undefined;
  /** Default "cell_metadata". */
  readonly cellMetadataUri?: string | undefined;
  /** Default "sample_metadata". */
  readonly sampleMetadataUri?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when a gene-major copy is found that cannot be used; the matrix itself is read then. */
  readonly onWarning?: ((warning: DatasetWarning) => void) | undefined;
}

export interface DatasetWarning {
  /** Matrix whose copy it is. */
  readonly matrix: string;
  readonly copy: "stale" | "unusable";
  readonly message: string;
  /** Where the copy is. */
  readonly where: string;
}

export interface DatasetParts {
  readonly uri: string;
  readonly genes: FrameReader;
  readonly cells: FrameReader;
  readonly samples: FrameReader;
  readonly matrices: ReadonlyMap<string, MatrixReader>;
}

/** Opens all parts and checks that their sizes agree; see CellArrDataset.open. */
export async function openParts(location: StoreLocation, options: DatasetOptions): Promise<DatasetParts> {
  const frame = async (name: string) => new FrameReader(await openPart(location, name, options.signal));
  const [genes, cells, samples, matrices] = await Promise.all([
    frame(options.geneAnnotationUri ?? storeNames.geneAnnotation),
    frame(options.cellMetadataUri ?? storeNames.cellMetadata),
    frame(options.sampleMetadataUri ?? storeNames.sampleMetadata),
    openMatrices(location, options),
  ]);
  for (const matrix of matrices.values()) matrix.checkShape(cells.rowCount, genes.rowCount);
  return { uri: locationUri(location), genes, cells, samples, matrices };
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
  const group = given === undefined ? storeNames.assays : (given ?? "");
  const place = group === "" ? location : childLocation(location, ...group.split("/"));
  const names = await matrixNames(place, group, options);
  const arrays = await Promise.all(names.map((name) => openPart(place, name, options.signal)));
  const reader = (name: string, array: TileDBArray) =>
    new MatrixReader(array, () => openCopy(geneMajorPlace(location, group, name), name, array, options));
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
    onWarning?.({ matrix, copy: state, message, where });
  }
  return copy;
}

async function matrixNames(place: StoreLocation, group: string, options: DatasetOptions): Promise<string[]> {
  const { assayUri, signal } = options;
  if (typeof assayUri === "string") return [assayUri];
  if (assayUri !== undefined) return [...assayUri];
  if (group === "") {
    throw new ArgumentError("without a group the matrices must be named: pass assayUri", {
      where: locationUri(place),
    });
  }
  return listedArrays(place, signal);
}

/** Python's group has no members of record, so what counts is what is in its folder. */
async function listedArrays(place: StoreLocation, signal: AbortSignal | undefined): Promise<string[]> {
  const entries = await place.store.list(place.path, { recursive: false, ...(signal && { signal }) });
  const folders = entries
    .filter(({ size }) => size === undefined)
    .map(({ key }) => key.slice(key.lastIndexOf("/") + 1))
    .filter((name) => !name.startsWith("__"));
  const types = await Promise.all(folders.map((name) => objectType(childLocation(place, name))));
  const names = folders.filter((_, at) => types[at] === "array");
  if (names.length > 0) return names;
  throw new NotFoundError("no cellarr store: there are no matrices", { where: locationUri(place) });
}
