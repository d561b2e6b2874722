import { consolidate } from "../../array/consolidate/consolidate.js";
import { vacuum } from "../../array/consolidate/vacuum.js";
import { openArray, type TileDBArray } from "../../array/open.js";
import { isCellarrError, throwIfAborted } from "../../errors.js";
import { FileSource } from "../../h5ad/file-source.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { TenxSource } from "../../h5ad/tenx-source.js";
import { joinKey, lastPart } from "../../storage/key.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { copyCells, shapeOf } from "../by-gene/copy-matrix.js";
import { openGeneMajor } from "../by-gene/gene-major-state.js";
import type { GeneMajorWriter } from "../by-gene/gene-major-writer.js";
import type { MatrixSummary } from "../summary/matrix-summary.js";
import { StoredCells } from "../summary/stored-cells.js";
import {
  createMatrix,
  fileWriter,
  fragmentOptions,
  geneMajorWriter,
  inFragment,
  matrixFolder,
} from "./build-matrix.js";
import type { BuildPlan } from "./build-plan.js";
import { withSource } from "./file-sources.js";
import type { ResolvedMatrix } from "./options.js";
import type { BuildOutput } from "./output.js";
import type { Place } from "./staging.js";

/**
 * Builds that go on where they stopped. What an interrupted one leaves is its staging folder, in which each matrix has a
 * fragment for each file that is done: it is committed when the file is. Nothing else needs to be noted down but what the
 * inputs were. Frames, which take little time, are made anew.
 */

/** A matrix of which some files may be written already; see writeAssay. */
export async function resumeAssay(
  plan: BuildPlan,
  output: BuildOutput,
  matrix: ResolvedMatrix,
  summary: MatrixSummary | null,
): Promise<void> {
  const { signal } = plan.options;
  const name = matrix.tiledbStoreName;
  const folder = matrixFolder(output, matrix);
  const there = await openThere(folder);
  if (there === null) {
    await folder.store.deletePrefix(folder.path);
    await createMatrix(plan, matrix, folder);
  } else await removeUncommitted(folder);
  const write = fileWriter(plan, matrix, { byGene: null, summary: null });
  for (const at of plan.files.keys()) {
    throwIfAborted(signal);
    if (there !== null && isDone(plan, there, at)) continue;
    await inFragment(folder, fragmentOptions(plan, matrix), (fragment) => write(at, fragment));
  }
  if (plan.optimize) {
    plan.report({ step: "optimize", item: name, done: 0, total: 1 });
    await consolidate(folder, { signal });
    await vacuum(folder, { signal });
    plan.report({ step: "optimize", item: name, done: 1, total: 1 });
  }
  await readAgain(plan, output, matrix, summary);
}

/** The gene-major copy, if it is not there yet, and the summary are made of the array: files that are done are not read. */
async function readAgain(
  plan: BuildPlan,
  output: BuildOutput,
  matrix: ResolvedMatrix,
  summary: MatrixSummary | null,
): Promise<void> {
  if (!plan.geneMajor && summary === null) return;
  const { signal } = plan.options;
  const array = await openArray(matrixFolder(output, matrix), { signal });
  const copy = await missingCopy(plan, output, matrix.tiledbStoreName, array);
  const totals = summary === null ? null : new StoredCells(summary, plan.samples.starts);
  if (copy === null && totals === null) return;
  const append = async (cells: Uint32Array, genes: Uint32Array, values: TypedArray): Promise<void> => {
    await copy?.append(cells, genes, values);
    await totals?.append(cells, genes, values);
  };
  try {
    await copyCells(array, shapeOf(array), { append }, { signal });
    await copy?.finish(array);
    await totals?.finish();
  } catch (error) {
    await copy?.abort();
    await summary?.abort();
    throw error;
  }
}

/** Makes the copy of a matrix that has none; null where none is wanted, or it is there. */
async function missingCopy(
  plan: BuildPlan,
  output: BuildOutput,
  name: string,
  array: TileDBArray,
): Promise<GeneMajorWriter | null> {
  if (!plan.geneMajor) return null;
  const { array: place } = output.geneMajorPart(name);
  if ((await openGeneMajor(place, array, plan.options.signal)).state === "current") return null;
  await place.store.deletePrefix(place.path);
  return geneMajorWriter(plan, output, name, shapeOf(array));
}

async function openThere(folder: Place): Promise<TileDBArray | null> {
  try {
    return await openArray(folder);
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return null;
    throw error;
  }
}

/** A fragment is committed when all of its file is in it, so one with a cell of the file has them all. */
function isDone({ samples }: BuildPlan, array: TileDBArray, file: number): boolean {
  const [start, end] = [samples.starts[file]!, samples.starts[file + 1]!];
  return array.fragments.some(({ nonEmptyDomain }) => {
    const [first, last] = nonEmptyDomain![0]!;
    return Number(first) < end && Number(last) >= start;
  });
}

/** Fragments in which a process was killed. */
async function removeUncommitted({ store, path }: Place): Promise<void> {
  const names = async (folder: string) =>
    (await store.list(joinKey(path, folder), { recursive: false })).map(({ key }) => lastPart(key));
  const commits = new Set(await names("__commits"));
  for (const name of await names("__fragments")) {
    if (!commits.has(`${name}.wrt`)) await store.deletePrefix(joinKey(path, "__fragments", name));
  }
}

/** Bytes of a file's ends that must be the same. */
const END_BYTES = 64 * 1024;

/** What a build is made of, as text: one with another text does not go on from it. */
export async function fingerprintOf(plan: BuildPlan): Promise<string> {
  const { options, matrices, genes, layout, geneMajor, optimize, cellType, geneType, names } = plan;
  const files: unknown[] = [];
  for (const file of plan.files) {
    throwIfAborted(options.signal);
    const content = await withSource(file.input, (source) => contentOf(source, matrices));
    files.push({ name: file.name, cells: file.cellCount, ...content });
  }
  const settings = matrices.map((matrix) => ({
    ...matrix,
    consolidateDuplicateGeneFunc: String(matrix.consolidateDuplicateGeneFunc),
  }));
  const geneNames = await digest([new TextEncoder().encode(genes.set.names.join("\n"))]);
  return JSON.stringify({
    ...{ version: 1, names, settings, layout, geneMajor, optimize, cellType, geneType, geneNames },
    files,
  });
}

async function contentOf(source: AnnDataSource, matrices: readonly ResolvedMatrix[]): Promise<object> {
  const parts = [(await source.obs([])).index.data, (await source.var([])).index.data];
  if (source instanceof FileSource || source instanceof TenxSource) {
    const { size, read } = source.file;
    const most = Math.min(size, END_BYTES);
    parts.push(read(0, most), read(size - most, most));
  }
  const values = matrices.map(({ matrixName }) => {
    const { shape, storage, dtype, nonZeroCount } = source.matrix(matrixName);
    return [...shape, storage, dtype, nonZeroCount];
  });
  return { content: await digest(parts), values };
}

async function digest(parts: readonly Uint8Array[]): Promise<string> {
  const bytes = new Uint8Array(await new Blob([...parts] as BlobPart[]).arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
