import type { MatrixDtype } from "../../h5ad/matrix.js";
import type { BuildOutput } from "../build/output.js";
import { CellSummaries } from "../summary/cell-summaries.js";
import { MatrixSummary } from "../summary/matrix-summary.js";
import { type NamedCells, readGeneColumns } from "../summary/stored-summaries.js";
import { summaryWord } from "../summary/summary-names.js";
import type { AppendPlan } from "./append-plan.js";

/**
 * The summaries of a store, going on from what they say: the cells that are there are not read again. Matrices that get
 * no values have more cells all the same, of zeros.
 */
export class AppendedSummaries {
  /** Of the new cells. */
  readonly cells: CellSummaries;
  readonly #plan: AppendPlan;
  /** By their words. */
  readonly #summaries: ReadonlyMap<string, MatrixSummary>;

  private constructor(plan: AppendPlan, summaries: ReadonlyMap<string, MatrixSummary>) {
    this.#plan = plan;
    this.#summaries = summaries;
    this.cells = new CellSummaries([...summaries.values()]);
  }

  static async start(plan: AppendPlan, output: BuildOutput): Promise<AppendedSummaries> {
    const { parts, options, genes, cellOffset } = plan;
    const summaries = new Map<string, MatrixSummary>();
    for (const word of plan.summaries) {
      const columns = await readGeneColumns(parts.genes, word, options.signal);
      const matrix = plan.matrices.find(({ name }) => summaryWord(name) === word);
      const dtype: MatrixDtype = matrix?.options.dtype ?? "float64";
      const place = output.workPart("totals", word);
      const before = { columns, cellCount: cellOffset };
      summaries.set(word, new MatrixSummary({ name: word, dtype, geneCount: genes.size, place, before }));
    }
    return new AppendedSummaries(plan, summaries);
  }

  /** Null where the store has none of the matrix. */
  of(matrix: string): MatrixSummary | null {
    return this.#summaries.get(summaryWord(matrix)) ?? null;
  }

  /** All cells of the matrices were added. */
  async finish(): Promise<void> {
    const { files, matrices, samples, cellOffset } = this.#plan;
    for (const [word, summary] of this.#summaries) {
      const isWritten = matrices.some(({ name }) => summaryWord(name) === word);
      for (const [at, file] of isWritten ? [] : files.entries()) {
        await summary.file(at, cellOffset + samples.starts[at]!, file.cellCount).finish();
      }
      await summary.finish();
    }
  }

  async abort(): Promise<void> {
    for (const summary of this.#summaries.values()) await summary.abort();
  }

  /** Columns of all genes, the new ones included. */
  geneCells(): NamedCells {
    const { samples, cellOffset } = this.#plan;
    const cellCount = cellOffset + samples.starts.at(-1)!;
    const columns = [...this.#summaries.values()].flatMap((summary) => summary.geneColumns(cellCount));
    return new Map(columns.map(({ attribute, cells }) => [attribute.name, cells]));
  }
}
