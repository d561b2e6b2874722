import { selectCells } from "../../array/column-ops.js";
import type { Column } from "../../array/columns.js";
import { run } from "../../array/read/selection.js";
import { ArgumentError, throwIfAborted } from "../../errors.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import type { Frame, FrameColumn } from "../../util/frame.js";
import { describeColumn, obsAttribute, obsCells } from "../columns/obs-columns.js";
import { attributeDatatype, type ColumnType, defaultType, storedColumn } from "../frames/column-types.js";
import { FrameWriter } from "../frames/frame-writer.js";
import { repeatedText } from "../frames/text-builder.js";
import { addedColumns, type FrameAttribute } from "../layout.js";
import type { CellSummaries } from "../summary/cell-summaries.js";
import type { BuildPlan } from "./build-plan.js";
import { withSource } from "./file-sources.js";
import { cellColumns, type Samples } from "./sample-table.js";
import type { ScannedFile } from "./scan.js";
import { readTable, type TypedTable, typedTable } from "./tables.js";

/** Cell metadata, a row per cell: from obs of the files or from what the caller gives, and the matrices' summaries. */

/** The caller's table, checked before anything is written; null where obs is taken. */
export async function cellTable(
  options: BuildPlan["options"],
  form: BuildPlan["form"],
  samples: Samples,
): Promise<TypedTable | null> {
  const { cellMetadata, cellMetadataOptions } = options;
  if (cellMetadata === undefined || cellMetadataOptions?.skip) return null;
  const frame = await readTable(cellMetadata, "cell metadata", false, options.storage);
  return typedTable(givenColumns(frame, samples), cellMetadataOptions?.columnTypes, form, "cell metadata");
}

/**
 * Writes the frame, of each file at a time; returns how many fragments it has. `report` gets the number of cells done.
 */
export async function writeCellMetadata(
  folder: StoreLocation<WritableStore>,
  plan: BuildPlan,
  summaries: CellSummaries,
  report: (cells: number) => void,
): Promise<number> {
  const { files, samples, options } = plan;
  const given = plan.cellTable === null ? null : withoutColumns(plan.cellTable, summaries.names);
  const own = given?.attributes ?? obsAttributes(plan, summaries.names);
  const attributes = [...own, ...summaries.attributes];
  const writer = await FrameWriter.create(folder, attributes, samples.starts.at(-1)!, options.signal);
  for (const [at, file] of files.entries()) {
    throwIfAborted(options.signal);
    const [start, end] = [samples.starts[at]!, samples.starts[at + 1]!];
    const cells =
      given === null
        ? await fileCells(file, samples.names[at]!, own, plan)
        : given.columns.map((column) => selectCells(column, run(start, end)));
    await writer.append([...cells, ...(await summaries.read(at))]);
    report(end);
  }
  return writer.finish();
}

/** The caller's columns; unlike Python from a CSV, those that tie cells to samples are added where missing. */
function givenColumns(frame: Frame, samples: Samples): Map<string, FrameColumn> {
  const total = samples.starts.at(-1)!;
  if (frame.rowCount !== total) {
    throw new ArgumentError(
      `cell metadata has ${frame.rowCount} rows, expected one for each of ${total} cells`,
    );
  }
  const columns = new Map<string, FrameColumn>(frame.columns);
  if (columns.has(addedColumns.sample) && columns.has(addedColumns.cellIndexInSample)) return columns;
  const added = cellColumns(samples);
  if (!columns.has(addedColumns.sample)) columns.set(addedColumns.sample, added.sample);
  if (!columns.has(addedColumns.cellIndexInSample)) {
    columns.set(addedColumns.cellIndexInSample, added.indexInSample);
  }
  return columns;
}

function withoutColumns({ attributes, columns }: TypedTable, names: ReadonlySet<string>): TypedTable {
  const isKept = ({ name }: FrameAttribute) => !names.has(name);
  return {
    attributes: attributes.filter(isKept),
    columns: columns.filter((_, at) => isKept(attributes[at]!)),
  };
}

function obsAttributes(
  { samples, options, form, files }: BuildPlan,
  replaced: ReadonlySet<string>,
): FrameAttribute[] {
  const types = options.cellMetadataOptions?.columnTypes ?? {};
  const sampleType = defaultType(repeatedText(samples.names.join(""), 1));
  const added: [string, ColumnType][] = [
    [addedColumns.sample, types[addedColumns.sample] ?? sampleType],
    [addedColumns.cellIndexInSample, types[addedColumns.cellIndexInSample] ?? "ascii"],
  ];
  const others = Object.entries(types).filter(([name]) => !isAdded(name) && !replaced.has(name));
  return [
    ...added.map(([name, type]) => ({ name, datatype: attributeDatatype(type, name) })),
    ...others.map(([name, type]) => obsAttribute(name, type, form, files)),
  ];
}

export function isAdded(name: string): boolean {
  return name === addedColumns.sample || name === addedColumns.cellIndexInSample;
}

/** The cells of one file, a column per attribute. */
function fileCells(
  file: ScannedFile,
  sample: string,
  attributes: readonly FrameAttribute[],
  { options }: BuildPlan,
): Promise<Column[]> {
  const rows = file.cellCount;
  const types = options.cellMetadataOptions?.columnTypes ?? {};
  return withSource(file.input, async (source) => {
    const columns: Column[] = [];
    for (const attribute of attributes) {
      const { name, datatype } = attribute;
      if (isAdded(name)) {
        const column = name === addedColumns.sample ? repeatedText(sample, rows) : positions(rows);
        columns.push(storedColumn(column, datatype, describeColumn(name, file.name)));
      } else columns.push(await obsCells(source, attribute, types[name] ?? null, file.name));
    }
    return columns;
  });
}

function positions(rows: number): FrameColumn {
  return { kind: "numeric", values: Int32Array.from({ length: rows }, (_, row) => row) };
}
