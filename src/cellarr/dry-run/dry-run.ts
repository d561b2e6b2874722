import { throwIfAborted } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import { MemoryStore } from "../../storage/memory.js";
import { childLocation, resolveLocation } from "../../storage/resolve.js";
import { checkThreads } from "../../util/check-threads.js";
import { checkLayout, obsRequest } from "../build/build-plan.js";
import { isAdded } from "../build/cell-table.js";
import { withSource } from "../build/file-sources.js";
import { type Genes, genePositions, geneTable } from "../build/gene-table.js";
import { LazyFragment, writeMatrix } from "../build/matrix-writer.js";
import {
  type BuildOptions,
  type ResolvedMatrix,
  resolveFrameNames,
  resolveMatrices,
} from "../build/options.js";
import { sampleTable } from "../build/sample-table.js";
import { fileGenes, matrixGenes, type ScannedFile } from "../build/scan.js";
import { isPresent } from "../build/staging.js";
import { readTable, typedTable } from "../build/tables.js";
import { formOf } from "../columns/column-form.js";
import { checkOpenTypes } from "../columns/obs-columns.js";
import { withRemoteInputs } from "../inputs/remote-inputs.js";
import { checkIndexType, storeNames } from "../layout.js";
import { checkSummaries, wantsSummaries } from "../summary/check-summaries.js";
import { error, type InspectedFile, inspectFile, isProblem, repeatedGenes } from "./inspect-file.js";
import type { BuildProblem, BuildReport, FileMatrixReport, FileReport, StoreMatrixReport } from "./report.js";

/**
 * A build without its store: the same steps on the same code, of which nothing is written, and every problem of every
 * file instead of the first one.
 */

export interface DryRunOptions extends BuildOptions {
  /** False: values are not read, so nothing is said of those that do not fit. Default true. */
  readonly checkValues?: boolean;
}

/**
 * Reports genes, overlap, types, sizes and problems of a build. Throws ArgumentError for options that are wrong in
 * themselves, AbortedError; whatever else the build would fail by is in the report.
 */
export async function dryRunBuild(options: DryRunOptions): Promise<BuildReport> {
  return withRemoteInputs(options.files, options, (files) => inspectBuild({ ...options, files }));
}

async function inspectBuild(options: DryRunOptions): Promise<BuildReport> {
  const names = resolveFrameNames(options);
  const matrices = resolveMatrices(options.matrixOptions).filter(({ skip }) => !skip);
  checkSummaries(options, matrices);
  checkLayout(options.layout);
  checkThreads(options.numThreads ?? 1, "numThreads");
  const problems: BuildProblem[] = [];
  const files: InspectedFile[] = [];
  for (const [at, input] of options.files.entries()) {
    throwIfAborted(options.signal);
    const file = await inspectFile(input, at, matrices, options);
    files.push(file);
    problems.push(...file.problems);
    options.onProgress?.({ step: "scan", item: file.name, done: at + 1, total: options.files.length });
  }
  if (files.length === 0) problems.push(error("files", "at least one is needed"));
  problems.push(...(await placeProblems(options, Object.values(names), matrices)));
  const readable = files.flatMap(({ scanned }) => (scanned === null ? [] : [scanned]));
  const genes = await attempt(problems, "gene annotation", () =>
    geneTable(options.geneAnnotation, readable, options.storage),
  );
  problems.push(...(await tableProblems(options, readable, genes, readable.length === files.length)));
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await fileReport(file, genes, options, problems));
  return summary(options, matrices, readable, genes, reports, problems);
}

/** Null where it fails, which is a problem then. */
async function attempt<T>(
  problems: BuildProblem[],
  where: string,
  action: () => T | Promise<T>,
): Promise<T | null> {
  try {
    return await action();
  } catch (cause) {
    if (!isProblem(cause)) throw cause;
    problems.push(error(where, cause.problem));
    return null;
  }
}

async function placeProblems(
  options: BuildOptions,
  frames: readonly string[],
  matrices: readonly ResolvedMatrix[],
): Promise<BuildProblem[]> {
  if (options.overwrite) return [];
  const location = resolveLocation(options.outputPath, options.storage);
  const targets = [
    ...frames,
    ...matrices.map(({ tiledbStoreName }) => `${storeNames.assays}/${tiledbStoreName}`),
  ];
  for (const target of targets) {
    if (!(await isPresent(childLocation(location, ...target.split("/"))))) continue;
    return [error("outputPath", `'${target}' is there already; overwrite replaces the store`)];
  }
  return [];
}

async function tableProblems(
  options: BuildOptions,
  files: readonly ScannedFile[],
  genes: Genes | null,
  isWhole: boolean,
): Promise<BuildProblem[]> {
  const problems: BuildProblem[] = [];
  const cells = files.reduce((sum, { cellCount }) => sum + cellCount, 0);
  await attempt(problems, "cells", () =>
    checkIndexType(options.cellMetadataOptions?.dtype ?? "uint32", cells, "cells"),
  );
  if (genes !== null) {
    const types = options.geneAnnotationOptions;
    await attempt(problems, "gene annotation", () => {
      checkIndexType(types?.dtype ?? "uint32", genes.set.size, "genes");
      typedTable(genes.columns, types?.columnTypes, formOf(options), "gene annotation");
    });
  }
  // Rows are those of the files: with one that cannot be read nothing can be said.
  if (!isWhole) return problems;
  await attempt(problems, "sample metadata", async () => {
    const given = options.sampleMetadata;
    const table =
      given === undefined ? null : await readTable(given, "sample metadata", false, options.storage);
    const { columns } = sampleTable(table, files);
    typedTable(columns, options.sampleMetadataOptions?.columnTypes, formOf(options), "sample metadata");
  });
  if (options.cellMetadata === undefined) {
    const obs = obsRequest(options, formOf(options));
    if (obs !== null) await attempt(problems, "cell metadata", () => checkOpenTypes(obs, files));
    return problems;
  }
  const table = await attempt(problems, "cell metadata", () =>
    readTable(options.cellMetadata!, "cell metadata", false, options.storage),
  );
  if (table === null) return problems;
  if (table.rowCount !== cells) {
    problems.push(error("cell metadata", `${table.rowCount} rows, expected one for each of ${cells} cells`));
  }
  const types = options.cellMetadataOptions?.columnTypes;
  const own = Object.fromEntries(Object.entries(types ?? {}).filter(([name]) => !isAdded(name)));
  await attempt(problems, "cell metadata", () =>
    typedTable(table.columns, own, formOf(options), "cell metadata"),
  );
  return problems;
}

async function fileReport(
  file: InspectedFile,
  genes: Genes | null,
  options: DryRunOptions,
  problems: BuildProblem[],
): Promise<FileReport> {
  const { scanned, name } = file;
  if (scanned === null) {
    return { file: name, cells: null, genes: null, genesInStore: null, repeatedGenes: null, matrices: [] };
  }
  const all = new Set(fileGenes(scanned));
  const inStore = genes === null ? null : [...all].filter((gene) => genes.set.indexOf(gene) >= 0).length;
  const repeated = repeatedGenes(scanned);
  if (repeated > 0) {
    const message = `${repeated} genes come more than once; their values are combined`;
    problems.push({ severity: "warning", where: name, message });
  }
  if (inStore === 0 && all.size > 0) {
    problems.push({ severity: "warning", where: name, message: "none of its genes is in the store" });
  }
  const matrices: FileMatrixReport[] = [];
  for (const [at, found] of file.found.entries()) {
    const isRead = genes !== null && options.checkValues !== false;
    matrices.push(
      isRead ? await readValues(scanned, file.matrices[at]!, found, genes, options, problems) : found,
    );
  }
  const { cellCount } = scanned;
  return {
    file: name,
    cells: cellCount,
    genes: all.size,
    genesInStore: inStore,
    repeatedGenes: repeated,
    matrices,
  };
}

/** Takes what a fragment would get, and counts it. */
class CountingFragment extends LazyFragment {
  count = 0;

  constructor() {
    super({ store: new MemoryStore(), path: "" }, {});
  }

  override async append(cells: Readonly<Record<string, { readonly length: number }>>): Promise<void> {
    this.count += Object.values(cells)[0]!.length;
  }
}

async function readValues(
  file: ScannedFile,
  matrix: ResolvedMatrix,
  found: FileMatrixReport,
  genes: Genes,
  options: BuildOptions,
  problems: BuildProblem[],
): Promise<FileMatrixReport> {
  const fragment = new CountingFragment();
  const fits = await attempt(problems, file.name, async () => {
    const { signal } = options;
    const positions = genePositions(genes.set, matrixGenes(file, matrix.matrixName));
    const onCells = (done: number) =>
      options.onProgress?.({ step: "matrix", item: matrix.tiledbStoreName, done, total: file.cellCount });
    const task = {
      fileName: file.name,
      matrix,
      positions,
      genes: genes.set,
      fragment,
      byGene: null,
      summary: null,
      signal,
    };
    await withSource(file.input, (source) =>
      writeMatrix({ ...task, source, cellOffset: 0, cellType: "uint32", geneType: "uint32", onCells }),
    );
    return true;
  });
  return { ...found, values: fits === null ? found.values : fragment.count, fits: fits ?? false };
}

function summary(
  options: BuildOptions,
  matrices: readonly ResolvedMatrix[],
  files: readonly ScannedFile[],
  genes: Genes | null,
  reports: readonly FileReport[],
  problems: readonly BuildProblem[],
): BuildReport {
  const cells = files.reduce((sum, { cellCount }) => sum + cellCount, 0);
  const stored = matrices.map((matrix) => matrixReport(matrix, reports, options));
  const frames = frameBytes(cells, genes?.set.size ?? 0, matrices.length, options);
  return {
    ok: problems.every(({ severity }) => severity === "warning"),
    samples: options.files.length,
    cells,
    genes: overlap(files, genes),
    matrices: stored,
    files: reports,
    estimatedBytes: stored.reduce(
      (sum, { estimatedBytes, estimatedGeneMajorBytes }) => sum + estimatedBytes + estimatedGeneMajorBytes,
      frames,
    ),
    problems,
  };
}

function overlap(files: readonly ScannedFile[], genes: Genes | null): BuildReport["genes"] {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const gene of new Set(fileGenes(file))) counts.set(gene, (counts.get(gene) ?? 0) + 1);
  }
  const names = genes?.set.names ?? [];
  const having = (count: number) => names.filter((gene) => (counts.get(gene) ?? 0) === count).length;
  const known = names.length - having(0);
  return {
    total: names.length,
    inAllFiles: files.length === 0 ? 0 : having(files.length),
    inOneFileOnly: having(1),
    inNoFile: having(0),
    leftOut: counts.size - known,
  };
}

function matrixReport(
  { matrixName, tiledbStoreName, dtype }: ResolvedMatrix,
  reports: readonly FileReport[],
  options: BuildOptions,
): StoreMatrixReport {
  const found = reports.flatMap(({ matrices }) => matrices.filter(({ matrix }) => matrix === matrixName));
  const values = found.reduce((sum, one) => sum + (one.values ?? 0), 0);
  const { bytes, kind } = datatypeInfo(dtype);
  // Measured, see matrix-schema.ts: 0.97 bytes a count of 2 bytes, of which 0.6 are the gene's; digits of floats stay.
  const compact = 0.6 + (kind === "float" ? 0.85 * bytes : 0.37);
  const estimatedBytes = Math.round(values * (options.layout === "python" ? 2.7 + 0.2 * bytes : compact));
  const estimatedGeneMajorBytes = options.geneMajor === false ? 0 : Math.round(values * compact * 0.81);
  return { matrix: tiledbStoreName, dtype, values, estimatedBytes, estimatedGeneMajorBytes };
}

/** Names of genes, and a few bytes a cell and column: they repeat. Summaries are numbers, which repeat less. */
function frameBytes(cells: number, genes: number, matrices: number, options: BuildOptions): number {
  const columns = 2 + Object.keys(options.cellMetadataOptions?.columnTypes ?? {}).length;
  const summaries = wantsSummaries(options) ? matrices * (cells * 5 + genes * 20) : 0;
  return genes * 8 + cells * columns * 2 + summaries;
}
