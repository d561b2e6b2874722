import { writeDenseCsv, writeLongCsv } from "../cellarr/export/csv.js";
import { viewOf, writeSliceJson } from "../cellarr/export/slice-json.js";
import type { ExportSource } from "../cellarr/export/source.js";
import { withSink } from "../cellarr/export/text-file.js";
import { numberedIndex } from "../cellarr/frames/frame-parts.js";
import { ArgumentError, NotFoundError } from "../errors.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import type { Produce } from "./body.js";
import { chosenColumns, selecting } from "./frame-routes.js";
import type { Limits } from "./options.js";
import { type Page, pageOf, pagingParameters } from "./paging.js";
import { RequestLimitError } from "./problem.js";
import type { Prepared, Route, RouteContext } from "./route.js";
import { selectCells, selectGenes } from "./select-rows.js";

/**
 * Cells x genes. JSON has all of the slice: values of each matrix with the metadata. CSV and Arrow have the values of one
 * matrix, read by blocks of cells.
 */
export const sliceRoute: Route = {
  formats: ["json", "csv", "arrow"],
  parameters: [
    ...["cells", "where", "sample", "genes", "geneWhere", "order", "matrix", "layout"],
    ...["columns", "geneColumns", ...pagingParameters],
  ],
  prepare,
};

interface Asked {
  readonly page: Page;
  readonly genes: Uint32Array;
  readonly matrices: readonly string[];
}

async function prepare(context: RouteContext): Promise<Prepared> {
  const { format } = context;
  const matrices = chosenMatrices(context);
  const layout = context.parameters.choice("layout", ["dense", "long"]) ?? "dense";
  const request = selecting(context);
  const [cells, genes] = await Promise.all([selectCells(request), selectGenes(request, "geneWhere")]);
  const page = pageOf(cells, context, cells.length, cells.length);
  const asked = { page, genes, matrices };
  checkSize(asked, context, layout);
  if (format === "json") return { headers: page.headers, produce: produceJson(asked, context) };
  return { headers: page.headers, produce: produceValues(asked, context, layout) };
}

/** CSV and Arrow hold one. */
function chosenMatrices({ dataset, parameters, format }: RouteContext): string[] {
  const present = dataset.matrixNames;
  const asked = [...new Set(parameters.list("matrix") ?? present)];
  const unknown = asked.find((name) => !present.includes(name));
  if (unknown !== undefined) {
    throw new NotFoundError(`no matrix '${unknown}'; there are: ${present.join(", ")}`);
  }
  if (format === "json" || asked.length === 1) return asked;
  throw new ArgumentError(`${format} holds one matrix: choose with matrix, from ${present.join(", ")}`);
}

/** What is sure to be too much is refused before it is read. */
function checkSize(asked: Asked, { limits, format }: RouteContext, layout: "dense" | "long"): void {
  const [cells, genes, matrices] = [asked.page.rows.length, asked.genes.length, asked.matrices.length];
  const values = cells * genes * matrices;
  if (values > limits.values) {
    throw new RequestLimitError(
      "values",
      limits.values,
      `${cells} cells x ${genes} genes of ${matrices} matrices, at most ${limits.values} values in one answer; ` +
        "ask for fewer genes, or for pages of cells with offset and limit",
    );
  }
  // A digit and a comma each.
  const leastBytes = format === "csv" && layout === "dense" ? 2 * values : cells;
  if (leastBytes > limits.bytes) throw tooManyBytes(limits);
}

function produceJson({ page, genes, matrices }: Asked, context: RouteContext): Produce {
  const { dataset, parameters, signal } = context;
  const columns = chosenColumns(parameters.list("columns"), dataset.getCellMetadataColumns());
  const geneColumns = chosenColumns(parameters.list("geneColumns"), dataset.getGeneAnnotationColumns());
  const query = { order: "asked", matrices, signal } as const;
  return async (write) => {
    const [cellMetadata, geneAnnotation, values] = await Promise.all([
      dataset.getCellSubset(page.rows, columns, query),
      dataset.getGeneSubset(genes, geneColumns, query),
      dataset.getMatrixSubset(page.rows, genes, query),
    ]);
    checkStored(values, context);
    const view = viewOf({ cellIndices: page.rows, cellMetadata, geneAnnotation, matrices: values });
    await withSink(write, (sink) => writeSliceJson(view, sink));
  };
}

/** Six characters a value at least: row, column and value with a comma each. */
function checkStored(matrices: ReadonlyMap<string, SparseMatrix>, { limits }: RouteContext): void {
  const stored = [...matrices.values()].reduce((sum, { data }) => sum + data.length, 0);
  if (6 * stored > limits.bytes) throw tooManyBytes(limits);
}

function tooManyBytes({ bytes }: Limits): RequestLimitError {
  return new RequestLimitError("bytes", bytes, `the answer has more than ${bytes} bytes`);
}

function produceValues(asked: Asked, context: RouteContext, layout: "dense" | "long"): Produce {
  const { format, signal } = context;
  const matrix = asked.matrices[0]!;
  return async (write) => {
    const source = await sourceOf(asked, context);
    if (format === "arrow") {
      const { writeMatrixArrow } = await import("./arrow-answer.js");
      return writeMatrixArrow(source, matrix, signal, write);
    }
    const writeCsv = layout === "long" ? writeLongCsv : writeDenseCsv;
    await withSink(write, (sink) => writeCsv(source, matrix, { format: "csv", signal }, sink));
  };
}

/** Values and the genes' names; columns of metadata are not asked for. */
async function sourceOf({ page, genes, matrices }: Asked, context: RouteContext): Promise<ExportSource> {
  const { dataset, signal } = context;
  const query = { order: "asked", signal } as const;
  const { rows } = page;
  return {
    cellCount: rows.length,
    geneCount: genes.length,
    cellNames: numberedIndex(rows),
    cells: rows,
    genes: await dataset.getGeneSubset(genes, [], query),
    cellColumns: [],
    matrixNames: matrices,
    cellRows: (first, end) => dataset.getCellSubset(rows.subarray(first, end), [], query),
    cellColumn: (name) => dataset.getCellMetadataColumn(name, { signal }),
    values: async (matrix, first, end) => {
      const part = rows.subarray(first, end);
      const read = await dataset.getMatrixSubset(part, genes, { ...query, matrices: [matrix] });
      return read.get(matrix)!;
    },
  };
}
