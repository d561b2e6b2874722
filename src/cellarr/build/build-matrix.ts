import { openArray } from "../../array/open.js";
import { createArray } from "../../array/write/create.js";
import type { FragmentWriterOptions } from "../../array/write/fragment-writer.js";
import { throwIfAborted } from "../../errors.js";
import { mapBounded } from "../../util/concurrency.js";
import { copyCells } from "../by-gene/copy-matrix.js";
import { GeneMajorWriter } from "../by-gene/gene-major-writer.js";
import { CELL_DIMENSION, GENE_DIMENSION, storeNames } from "../layout.js";
import type { MatrixSummary } from "../summary/matrix-summary.js";
import type { BuildPlan } from "./build-plan.js";
import { withSource } from "./file-sources.js";
import { genePositions } from "./gene-table.js";
import { fieldsWithoutRepeats, type MatrixShape, matrixSchema } from "./matrix-schema.js";
import { LazyFragment, writeMatrix } from "./matrix-writer.js";
import type { ResolvedMatrix } from "./options.js";
import type { BuildOutput } from "./output.js";
import { matrixGenes, type ScannedFile } from "./scan.js";
import type { Place } from "./staging.js";

/** Second step of a build: one matrix of all files, and its gene-major copy. */

/**
 * With `optimize` files go into one fragment, one after another: there is nothing to consolidate then, and the copy gets
 * the cells as they pass. Otherwise each file makes a fragment of its own, several files at a time, and the copy is made
 * of the array.
 */
export async function writeAssay(
  plan: BuildPlan,
  output: BuildOutput,
  matrix: ResolvedMatrix,
  summary: MatrixSummary | null,
): Promise<void> {
  const { signal } = plan.options;
  const name = matrix.tiledbStoreName;
  const folder = matrixFolder(output, matrix);
  const shape = shapeOf(plan, matrix);
  await createMatrix(plan, matrix, folder);
  const copy = plan.geneMajor ? geneMajorWriter(plan, output, name, shape) : null;
  try {
    await writeFiles(plan, matrix, folder, { byGene: plan.optimize ? copy : null, summary });
    await summary?.finish();
    if (copy === null) return;
    const array = await openArray(folder, { signal });
    if (!plan.optimize) await copyCells(array, shape, copy, { signal });
    await copy.finish(array);
  } catch (error) {
    await copy?.abort();
    await summary?.abort();
    throw error;
  }
}

/** Where a matrix is made. */
export function matrixFolder(output: BuildOutput, { tiledbStoreName }: ResolvedMatrix): Place {
  return output.part(`${storeNames.assays}/${tiledbStoreName}`);
}

/** Makes the array of a matrix, without cells. */
export function createMatrix(plan: BuildPlan, matrix: ResolvedMatrix, folder: Place): Promise<void> {
  const { signal } = plan.options;
  return createArray(folder, matrixSchema(shapeOf(plan, matrix), plan.layout), { signal });
}

function shapeOf(plan: BuildPlan, matrix: ResolvedMatrix): MatrixShape {
  return {
    attribute: { name: matrix.matrixAttrName, datatype: matrix.dtype },
    cellType: plan.cellType,
    geneType: plan.geneType,
    dimensions: [CELL_DIMENSION, GENE_DIMENSION],
  };
}

/** What gets the cells of a matrix beside its array. */
export interface Companions {
  readonly byGene: GeneMajorWriter | null;
  readonly summary: MatrixSummary | null;
}

export function geneMajorWriter(
  { genes, options, report }: BuildPlan,
  output: BuildOutput,
  name: string,
  shape: MatrixShape,
): GeneMajorWriter {
  const { array, runs } = output.geneMajorPart(name);
  const onCells = (done: number, total: number) => report({ step: "gene_major", item: name, done, total });
  return new GeneMajorWriter({
    array,
    runs,
    shape,
    geneCount: genes.set.size,
    signal: options.signal,
    onCells,
  });
}

async function writeFiles(
  plan: BuildPlan,
  matrix: ResolvedMatrix,
  folder: Place,
  also: Companions,
): Promise<void> {
  const { signal } = plan.options;
  const write = fileWriter(plan, matrix, also);
  const options = fragmentOptions(plan, matrix);
  if (plan.optimize) {
    await inFragment(folder, options, async (fragment) => {
      for (const at of plan.files.keys()) await write(at, fragment);
    });
    return;
  }
  const writeOne = (_: ScannedFile, at: number) => inFragment(folder, options, (one) => write(at, one));
  await mapBounded(plan.files, plan.threads, writeOne, signal);
}

export function fragmentOptions(plan: BuildPlan, matrix: ResolvedMatrix): FragmentWriterOptions {
  const withoutRepeats = plan.layout === "compact" ? fieldsWithoutRepeats(shapeOf(plan, matrix)) : [];
  return { signal: plan.options.signal, withoutRepeats };
}

export async function inFragment(
  folder: Place,
  options: FragmentWriterOptions,
  write: (fragment: LazyFragment) => Promise<void>,
): Promise<void> {
  const fragment = new LazyFragment(folder, options);
  try {
    await write(fragment);
    await fragment.finish();
  } catch (error) {
    await fragment.abort();
    throw error;
  }
}

/** Writes one file's cells of a matrix into a fragment, reporting the cells of all files that are done. */
export function fileWriter(
  plan: BuildPlan,
  matrix: ResolvedMatrix,
  { byGene, summary }: Companions,
): (at: number, fragment: LazyFragment) => Promise<void> {
  const { cellType, geneType, samples, genes, options } = plan;
  const done = new Array<number>(plan.files.length).fill(0);
  const total = samples.starts.at(-1)!;
  return (at, fragment) => {
    throwIfAborted(options.signal);
    const file = plan.files[at]!;
    const onCells = (count: number) => {
      done[at] = count;
      const cells = done.reduce((sum, one) => sum + one, 0);
      plan.report({ step: "matrix", item: matrix.tiledbStoreName, done: cells, total });
    };
    const positions = genePositions(genes.set, matrixGenes(file, matrix.matrixName));
    const cellOffset = samples.starts[at]!;
    const totals = summary?.file(at, cellOffset, file.cellCount) ?? null;
    const task = { fileName: file.name, matrix, positions, genes: genes.set, fragment, byGene };
    const { signal } = options;
    return withSource(file.input, async (source) => {
      const rest = { cellType, geneType, source, cellOffset, signal, onCells };
      await writeMatrix({ ...task, ...rest, summary: totals });
      await totals?.finish();
    });
  };
}
