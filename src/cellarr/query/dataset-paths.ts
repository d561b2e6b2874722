import { openArray } from "../../array/open.js";
import type { StoreLocation } from "../../storage/types.js";
import { checkParts, type DatasetOptions, type DatasetParts } from "../dataset-parts.js";
import { FrameReader } from "../frames/frame-reader.js";
import { MatrixReader } from "../matrix-reader.js";

/** Parts at places of their own. */
export interface DatasetPaths {
  /** Matrices by name; given as text alone, a matrix is named by that text, as in Python. */
  readonly assayUri: string | readonly string[] | Readonly<Record<string, string | StoreLocation>>;
  readonly geneAnnotationUri: string | StoreLocation;
  readonly cellMetadataUri: string | StoreLocation;
  readonly sampleMetadataUri: string | StoreLocation;
}

/** Opens parts wherever they are, and checks that their sizes agree; gene-major copies are not looked for. */
export async function openPaths(
  paths: DatasetPaths,
  options: Pick<DatasetOptions, "signal" | "onWarning" | "storage">,
): Promise<DatasetParts> {
  const open = (place: string | StoreLocation) => openArray(place, options);
  const frame = async (place: string | StoreLocation) => new FrameReader(await open(place));
  const matrix = async ([name, place]: readonly [string, string | StoreLocation]) =>
    [name, new MatrixReader(await open(place))] as const;
  const [genes, cells, samples, matrices] = await Promise.all([
    frame(paths.geneAnnotationUri),
    frame(paths.cellMetadataUri),
    frame(paths.sampleMetadataUri),
    Promise.all(matrixPaths(paths.assayUri).map(matrix)),
  ]);
  const parts = { uri: cells.array.uri, genes, cells, samples, matrices: new Map(matrices) };
  checkParts(parts, options);
  return parts;
}

function matrixPaths(given: DatasetPaths["assayUri"]): (readonly [string, string | StoreLocation])[] {
  if (typeof given === "string") return [[given, given]];
  if (isList(given)) return given.map((path) => [path, path]);
  return Object.entries(given);
}

function isList(given: Exclude<DatasetPaths["assayUri"], string>): given is readonly string[] {
  return Array.isArray(given);
}
