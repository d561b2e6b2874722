import type { AnnDataSource } from "../../h5ad/source.js";
import type { StoreLocation } from "../../storage/types.js";
import type { IndexedMatrix, IndexOptions } from "../by-gene/index-dataset.js";
import type { AppendOptions, AppendResult, ChangeOptions } from "../change/change-options.js";
import type { DropResult } from "../change/drop-sample.js";
import type { CellArrDataset } from "../dataset.js";
import type { DryRunOptions } from "../dry-run/dry-run.js";
import type { BuildReport } from "../dry-run/report.js";
import type { PublishOptions, PublishResult } from "../publish/publish-store.js";
import type { VerifyOptions, VerifyReport } from "../verify/verify-store.js";
import type { BuildOptions } from "./options.js";

/** The face of building: what writes is loaded with the first store to build, so that programs that read never do. */

/**
 * Builds and opens the store. Memory does not grow with the number of cells, except for what the caller hands over in
 * memory and 8 bytes a cell for the columns that cellarr adds to given cell metadata.
 *
 * Throws ExistsError (the folder has such a store), NotFoundError (file, matrix, column), ArgumentError (options),
 * ValueError (a value does not fit, naming where it is), FormatError (a corrupt file), AbortedError.
 */
export async function buildCellArrDataset(options: BuildOptions): Promise<CellArrDataset> {
  const build = await import("./build.js");
  return build.buildCellArrDataset(options);
}

/** Builds without opening: for builds in parts, where a `skip` option leaves the store incomplete for now. */
export async function buildCellArrStores(options: BuildOptions): Promise<void> {
  const build = await import("./build.js");
  return build.buildCellArrStores(options);
}

/**
 * Makes the gene-major copy of each matrix that has none, or one that is not up to date. Memory does not grow with the
 * number of cells, but by 4 bytes a gene for each 4 million values.
 *
 * Throws NotFoundError (no such store or matrix), UnsupportedError (values that are no numbers), AbortedError.
 */
export async function indexDataset(
  path: string | StoreLocation,
  options: IndexOptions = {},
): Promise<IndexedMatrix[]> {
  const index = await import("../by-gene/index-dataset.js");
  return index.indexDataset(path, options);
}

/** Removes gene-major copies; returns the names of the matrices that had one. */
export async function removeIndex(
  path: string | StoreLocation,
  options: Pick<IndexOptions, "assayTiledbGroup" | "assayUri" | "signal"> = {},
): Promise<string[]> {
  const index = await import("../by-gene/index-dataset.js");
  return index.removeIndex(path, options);
}

/**
 * Opens a matrix in Matrix Market form with its names beside it, as Cell Ranger writes them (gzipped or not, version 2 or
 * 3): the folder, or the path of the matrix. It is an input of builds, its matrix called "counts" or "X".
 */
export async function openMatrixMarket(location: string | StoreLocation): Promise<AnnDataSource> {
  const inputs = await import("../inputs/mtx-source.js");
  return inputs.openMtx(location);
}

/**
 * Reads all of a store and reports every defect: of files, tiles and their statistics, of the parts' sizes, samples and
 * names, of gene-major copies, and what is there besides. Writes nothing. Throws AbortedError, and what a place throws
 * that cannot be listed.
 */
export async function verifyStore(
  path: string | StoreLocation,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const verify = await import("../verify/verify-store.js");
  return verify.verifyStore(path, options);
}

/**
 * Appends files to a store, whoever built it. Genes keep their numbers, new ones come behind them; so do cells and
 * samples. Memory as for a build.
 *
 * Throws NotFoundError, ArgumentError, ValueError, FormatError as a build does; ExistsError while another change of the
 * store is under way; AbortedError. The store is then what it was.
 */
export async function appendToDataset(
  path: string | StoreLocation,
  options: AppendOptions,
): Promise<AppendResult> {
  const change = await import("../change/append.js");
  return change.appendToDataset(path, options);
}

/**
 * Removes samples by name with their cells; the cells behind them get lower numbers, genes stay. Throws NotFoundError for
 * one that is not there, ArgumentError where none would be left, ExistsError while another change is under way,
 * AbortedError; the store is then what it was.
 */
export async function dropSample(
  path: string | StoreLocation,
  names: string | readonly string[],
  options: ChangeOptions = {},
): Promise<DropResult> {
  const change = await import("../change/drop-sample.js");
  return change.dropSample(path, names, options);
}

/**
 * What a build with these options would do, before a byte is written: genes and their overlap, types, values that do not
 * fit, sizes, and every problem of every file. Throws ArgumentError for options that are wrong in themselves, AbortedError.
 */
export async function dryRunBuild(options: DryRunOptions): Promise<BuildReport> {
  const dryRun = await import("../dry-run/dry-run.js");
  return dryRun.dryRunBuild(options);
}

/**
 * Writes the index file of a dataset or of a single array, `__cellarr/index.bin`: with it a store opens by one request
 * where nothing can be listed, and faster elsewhere. Whatever of ours writes to the store removes it; publish again then.
 *
 * Throws NotFoundError if there is no array at or below the place, ExistsError while the store is being changed,
 * AbortedError.
 */
export async function publishStore(
  location: string | StoreLocation,
  options: PublishOptions = {},
): Promise<PublishResult> {
  const publish = await import("../publish/publish-store.js");
  return publish.publishStore(location, options);
}
