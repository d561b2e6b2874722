import type { CellArrDataset, QueryOptions } from "../cellarr/dataset.js";
import { csvLine, writeFrameRows } from "../cellarr/export/csv.js";
import { writeJsonFrame, writeJsonList } from "../cellarr/export/slice-json.js";
import { type TextSink, withSink } from "../cellarr/export/text-file.js";
import { addedColumns } from "../cellarr/layout.js";
import { NotFoundError } from "../errors.js";
import { type Frame, type FrameColumn, textValues } from "../util/frame.js";
import type { Limits } from "./options.js";
import { defaultPage, type Page, pageOf, pagingParameters } from "./paging.js";
import type { Prepared, Route, RouteContext } from "./route.js";
import { type Selecting, searchGenes, selectCells, selectSamples } from "./select-rows.js";

/** Metadata: rows and columns of the cells, the genes or the samples. */

interface Table {
  /** Parameters that choose rows. */
  readonly parameters: readonly string[];
  /** Header of the first column of CSV. */
  readonly rowHeader: string;
  /** First column of Arrow: the rows' numbers in the store. */
  readonly arrowIndex: string;
  /** Whether rows have names besides their numbers. */
  readonly isNamed: boolean;
  select(request: Selecting): Promise<Uint32Array>;
  columns(dataset: CellArrDataset): string[];
  read(dataset: CellArrDataset, rows: Uint32Array, columns: string[], options: QueryOptions): Promise<Frame>;
}

const tables: Readonly<Record<"cells" | "genes" | "samples", Table>> = {
  cells: {
    parameters: ["cells", "where", "sample"],
    rowHeader: "cell",
    arrowIndex: "cell_index",
    isNamed: false,
    select: selectCells,
    columns: (dataset) => dataset.getCellMetadataColumns(),
    read: (dataset, ...query) => dataset.getCellSubset(...query),
  },
  genes: {
    parameters: ["genes", "rows", "where", "prefix", "order"],
    rowHeader: "gene",
    arrowIndex: "gene_index",
    isNamed: true,
    select: searchGenes,
    columns: (dataset) => dataset.getGeneAnnotationColumns(),
    read: (dataset, ...query) => dataset.getGeneSubset(...query),
  },
  samples: {
    parameters: ["samples", "rows", "where"],
    rowHeader: "sample",
    arrowIndex: "sample_index",
    isNamed: false,
    select: selectSamples,
    columns: (dataset) => dataset.getSampleMetadataColumns(),
    read: (dataset, ...query) => dataset.getSampleSubset(...query),
  },
};

export const cellsRoute = frameRoute(tables.cells);
export const genesRoute = frameRoute(tables.genes);
export const samplesRoute = frameRoute(tables.samples);

function frameRoute(table: Table): Route {
  return {
    formats: ["json", "csv", "arrow"],
    parameters: [...table.parameters, "columns", ...pagingParameters],
    prepare: (context) => prepare(table, context),
  };
}

/** What selects rows, of a route's context. */
export function selecting({ dataset, parameters, limits, signal }: RouteContext): Selecting {
  return { dataset, parameters, maxListed: limits.values, signal };
}

async function prepare(table: Table, context: RouteContext): Promise<Prepared> {
  const { dataset, parameters, limits, format, signal } = context;
  const columns = chosenColumns(parameters.list("columns"), table.columns(dataset));
  const rows = await table.select(selecting(context));
  const page = pageOf(rows, context, defaultLimit(limits), limits.rows);
  return {
    headers: page.headers,
    async produce(write) {
      const frame = await table.read(dataset, page.rows, columns, { order: "asked", signal });
      if (format === "arrow") {
        const { writeFrameArrow } = await import("./arrow-answer.js");
        return writeFrameArrow(frame, leadingColumns(table, page, frame), write);
      }
      const writeText = format === "json" ? writeJson : writeCsv;
      return withSink(write, (sink) => writeText(table, page, frame, sink));
    },
  };
}

function defaultLimit({ rows }: Limits): number {
  return Math.min(defaultPage, rows);
}

/** All unless some are asked for. NotFoundError for one that is not there. */
export function chosenColumns(asked: string[] | undefined, present: readonly string[]): string[] {
  if (asked === undefined) return [...present];
  const unknown = asked.find((name) => !present.includes(name));
  if (unknown === undefined) return [...new Set(asked)];
  throw new NotFoundError(`no column '${unknown}'; there are: ${present.join(", ")}`);
}

/** total, offset, rows (numbers in the store), names (of genes), columns. */
async function writeJson({ isNamed }: Table, page: Page, frame: Frame, sink: TextSink): Promise<void> {
  await sink.write(`{"total":${page.total},"offset":${page.offset},"rows":`);
  await writeJsonList(sink, page.rows.length, (at) => `${page.rows[at]}`);
  if (isNamed) {
    const names = textValues(frame.index);
    await sink.write(`,"names":`);
    await writeJsonList(sink, names.length, (at) => JSON.stringify(names[at]));
  }
  await sink.write(`,"columns":`);
  await writeJsonFrame(sink, frame);
  await sink.write("}\n");
}

async function writeCsv(table: Table, { rows }: Page, frame: Frame, sink: TextSink): Promise<void> {
  await sink.write(csvLine([table.rowHeader, ...frame.columnNames]));
  await writeFrameRows(frame, table.isNamed ? textValues(frame.index) : Array.from(rows, String), sink);
}

function leadingColumns(
  { arrowIndex, isNamed }: Table,
  { rows }: Page,
  frame: Frame,
): [string, FrameColumn][] {
  const numbers: [string, FrameColumn] = [arrowIndex, { kind: "numeric", values: rows }];
  return isNamed ? [numbers, [addedColumns.geneIndex, frame.index]] : [numbers];
}
