import type { TileDBArray } from "../../array/open.js";
import { putMetadata } from "../../array/write/metadata-io.js";
import type { Companions } from "../build/build-matrix.js";
import { withSource } from "../build/file-sources.js";
import { genePositions } from "../build/gene-table.js";
import { LazyFragment, writeMatrix } from "../build/matrix-writer.js";
import type { BuildOutput } from "../build/output.js";
import { matrixGenes } from "../build/scan.js";
import type { Place } from "../build/staging.js";
import { shapeOf } from "../by-gene/copy-matrix.js";
import { geneMajorPlace, openGeneMajor, originMetadata } from "../by-gene/gene-major-state.js";
import { GeneMajorWriter } from "../by-gene/gene-major-writer.js";
import { isIndexType } from "../layout.js";
import type { MatrixSummary } from "../summary/matrix-summary.js";
import type { AppendedTo, AppendPlan } from "./append-plan.js";
import { copySchema, PlacedFragments } from "./placed-fragments.js";
import { groupOf } from "./store-places.js";

/** The cells of an append: a further fragment of each matrix, and of its gene-major copy. */

/** A gene-major copy that gets a fragment when the matrix has got its own. */
export interface LongerCopy {
  readonly matrix: string;
  readonly place: Place;
  readonly fragments: PlacedFragments;
  /** Cells of the copy with the new ones. */
  readonly cells: number;
}

/**
 * Writes the cells to the staging folder. Returns what the matrix's gene-major copy gets, null where there is none that
 * is up to date.
 */
export async function writeMatrixCells(
  plan: AppendPlan,
  output: BuildOutput,
  matrix: AppendedTo,
  location: Place,
  summary: MatrixSummary | null,
): Promise<{ made: Place; copy: LongerCopy | null }> {
  const { signal } = plan.options;
  const { array } = matrix.reader;
  const made = output.workPart("cells", matrix.name);
  await copySchema(matrix.place, made);
  const place = geneMajorPlace(location, groupOf(plan.options), matrix.name);
  const there = await openGeneMajor(place, array, signal);
  const work = there.state === "current" ? copyWriter(plan, output, matrix, place) : null;
  try {
    await writeFiles(plan, matrix, made, { byGene: work?.writer ?? null, summary });
    if (work === null || there.state !== "current") return { made, copy: null };
    const cells = cellCount(there.array) + (await work.writer.finishCells());
    const fragments = new PlacedFragments(output.workPart());
    await fragments.add(work.made, place);
    return { made, copy: { matrix: matrix.name, place, fragments, cells } };
  } catch (error) {
    await work?.writer.abort();
    throw error;
  }
}

function cellCount({ fragments }: TileDBArray): number {
  return fragments.reduce((sum, one) => sum + one.cellCount, 0);
}

function copyWriter(
  { options, genes }: AppendPlan,
  output: BuildOutput,
  matrix: AppendedTo,
  place: Place,
): { writer: GeneMajorWriter; made: Place } {
  const made = output.workPart("cells_by_gene", matrix.name);
  const writer = new GeneMajorWriter({
    array: made,
    runs: output.workPart("runs", matrix.name),
    shape: shapeOf(matrix.reader.array),
    geneCount: genes.size,
    create: () => copySchema(place, made),
    signal: options.signal,
    onCells: (done, total) => options.onProgress?.({ step: "gene_major", item: matrix.name, done, total }),
  });
  return { writer, made };
}

async function writeFiles(
  plan: AppendPlan,
  { name, options: matrix, reader }: AppendedTo,
  made: Place,
  { byGene, summary }: Companions,
): Promise<void> {
  const { options, samples, genes } = plan;
  const { signal } = options;
  const [cellType, geneType] = reader.array.schema.dimensions.map(({ datatype }) => datatype);
  if (!isIndexType(cellType!) || !isIndexType(geneType!)) return;
  const fragment = new LazyFragment(made, { signal });
  const total = samples.starts.at(-1)!;
  try {
    for (const [at, file] of plan.files.entries()) {
      const start = samples.starts[at]!;
      const onCells = (count: number) =>
        options.onProgress?.({ step: "matrix", item: name, done: start + count, total });
      const positions = genePositions(genes, matrixGenes(file, matrix.matrixName));
      const cellOffset = plan.cellOffset + start;
      const task = { fileName: file.name, matrix, positions, genes, fragment, byGene, cellType, geneType };
      const totals = summary?.file(at, cellOffset, file.cellCount) ?? null;
      await withSource(file.input, (source) =>
        writeMatrix({ ...task, source, cellOffset, signal, onCells, summary: totals }),
      );
      await totals?.finish();
    }
    await fragment.finish();
  } catch (error) {
    await fragment.abort();
    throw error;
  }
}

/** Puts the new fragment into the copy of the matrix as it is open now. Killed within, the copy is not used. */
export async function placeLongerCopy(copy: LongerCopy, matrix: TileDBArray): Promise<void> {
  await copy.fragments.place();
  await putMetadata(copy.place, originMetadata(matrix, copy.cells));
}
