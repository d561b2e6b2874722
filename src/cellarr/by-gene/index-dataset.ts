import { throwIfAborted } from "../../errors.js";
import { randomUuid } from "../../format/timestamped-name.js";
import { lastPart } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import { childLocation, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import type { Place } from "../build/staging.js";
import { type DatasetOptions, openParts } from "../dataset-parts.js";
import { storeNames } from "../layout.js";
import type { MatrixReader } from "../matrix-reader.js";
import { copyCells, shapeOf } from "./copy-matrix.js";
import { geneMajorPlace, openGeneMajor } from "./gene-major-state.js";
import { GeneMajorWriter } from "./gene-major-writer.js";
import { placeCopy, removeCopy } from "./place-copy.js";

/**
 * Gene-major copies for a store that is there, whoever wrote it. They are made in a folder of their own and take their
 * places when they are complete: what fails or is killed leaves the store as it was.
 */

const STAGING = ".cellarr-indexing-";

export interface IndexProgress {
  readonly matrix: string;
  /** Reading the matrix, or writing the copy. */
  readonly step: "read" | "write";
  /** Values, of `total`. */
  readonly done: number;
  readonly total: number;
}

export interface IndexOptions
  extends Pick<DatasetOptions, "assayTiledbGroup" | "assayUri" | "storage" | "signal"> {
  /** True: make copies anew that are up to date. */
  readonly force?: boolean | undefined;
  /** Values that are sorted in memory, 16 bytes each with 16 bits a value; default 4 million. */
  readonly runCells?: number | undefined;
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

export interface IndexedMatrix {
  readonly matrix: string;
  /** "kept": it was up to date. */
  readonly outcome: "made" | "kept";
}

/**
 * Makes the gene-major copy of each sparse matrix that has none, or one that is not up to date. Memory does not grow with the
 * number of cells, but by 4 bytes a gene for each 4 million values.
 *
 * Throws NotFoundError (no such store or matrix), UnsupportedError (values that are no numbers), AbortedError.
 */
export async function indexDataset(
  path: string | StoreLocation,
  options: IndexOptions = {},
): Promise<IndexedMatrix[]> {
  const location = resolveLocation(path, options.storage);
  const parts = await openParts(location, options);
  const staging = childLocation(location, `${STAGING}${randomUuid()}`);
  const indexed: IndexedMatrix[] = [];
  try {
    for (const [name, matrix] of parts.matrices) {
      // Few genes of a dense matrix are tiles of it already.
      if (matrix.isDense) continue;
      const place = geneMajorPlace(location, groupOf(options), name);
      const job = { name, matrix, place, staging, geneCount: parts.genes.rowCount };
      indexed.push({ matrix: name, outcome: await indexMatrix(job, options) });
    }
  } finally {
    await location.store.deletePrefix(staging.path);
  }
  await deleteStaging(location);
  return indexed;
}

/** Removes gene-major copies; returns the names of the matrices that had one. */
export async function removeIndex(
  path: string | StoreLocation,
  options: Pick<IndexOptions, "assayTiledbGroup" | "assayUri" | "storage" | "signal"> = {},
): Promise<string[]> {
  const location = resolveLocation(path, options.storage);
  const { matrices } = await openParts(location, options);
  await dropIndex(location, { signal: options.signal });
  const removed: string[] = [];
  for (const name of matrices.keys()) {
    throwIfAborted(options.signal);
    if (await removeCopy(geneMajorPlace(location, groupOf(options), name))) removed.push(name);
  }
  await deleteStaging(location);
  return removed;
}

interface IndexJob {
  readonly name: string;
  readonly matrix: MatrixReader;
  readonly place: Place;
  readonly staging: Place;
  readonly geneCount: number;
}

async function indexMatrix(job: IndexJob, options: IndexOptions): Promise<IndexedMatrix["outcome"]> {
  const { array } = job.matrix;
  const { signal } = options;
  const there = options.force ? null : await openGeneMajor(job.place, array, signal);
  if (there?.state === "current") return "kept";
  const made = childLocation(job.staging, "by_gene", job.name);
  const writer = writerOf(job, made, options);
  try {
    const total = array.fragments.reduce((sum, { cellCount }) => sum + cellCount, 0);
    const onCells = (done: number) => options.onProgress?.({ matrix: job.name, step: "read", done, total });
    await copyCells(array, shapeOf(array), writer, { signal, onCells });
    await writer.finish(array);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  throwIfAborted(signal);
  await dropIndex(job.place, { signal });
  await removeCopy(job.place);
  await placeCopy(made, job.place);
  return "made";
}

function writerOf(job: IndexJob, array: Place, options: IndexOptions): GeneMajorWriter {
  return new GeneMajorWriter({
    array,
    runs: childLocation(job.staging, "runs", job.name),
    shape: shapeOf(job.matrix.array),
    geneCount: job.geneCount,
    runCells: options.runCells,
    signal: options.signal,
    onCells: (done, total) => options.onProgress?.({ matrix: job.name, step: "write", done, total }),
  });
}

function groupOf({ assayTiledbGroup }: Pick<IndexOptions, "assayTiledbGroup">): string {
  return assayTiledbGroup === undefined ? storeNames.assays : (assayTiledbGroup ?? "");
}

/** Folders of runs that were killed. */
async function deleteStaging({ store, path }: Place): Promise<void> {
  for (const { key, size } of await store.list(path, { recursive: false })) {
    if (size === undefined && lastPart(key).startsWith(STAGING)) await store.deletePrefix(key);
  }
}
