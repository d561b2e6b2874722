import type { Column } from "../array/columns.js";
import { ArgumentError, isCellarrError, throwIfAborted } from "../errors.js";
import { datatypeInfo } from "../format/datatype.js";
import type { AnnDataSource } from "../h5ad/source.js";
import type { StoreLocation, WritableStore } from "../storage/types.js";
import type { Frame, FrameColumn } from "../util/frame.js";
import { attributeDatatype, type ColumnType, defaultType, storedColumn } from "./column-types.js";
import { withSource } from "./file-sources.js";
import { FrameWriter } from "./frame-writer.js";
import { addedColumns, type FrameAttribute } from "./layout.js";
import type { BuildOptions } from "./options.js";
import { cellColumns, type Samples } from "./sample-table.js";
import type { ScannedFile } from "./scan.js";
import { readTable, typedTable } from "./tables.js";
import { repeatedText } from "./text-builder.js";

/** Third step of a build: a row per cell, from obs of the files or from what the caller gives. */

/** What a column holds for the cells of a file that does not have it. */
const NOT_AVAILABLE = "NA";

/** Writes the frame; returns how many fragments it has. `report` gets the number of cells done. */
export async function writeCellMetadata(
  folder: StoreLocation<WritableStore>,
  files: readonly ScannedFile[],
  samples: Samples,
  options: BuildOptions,
  report: (cells: number) => void,
): Promise<number> {
  const total = samples.starts.at(-1)!;
  if (options.cellMetadata === undefined) {
    const attributes = obsAttributes(samples, options);
    const writer = await FrameWriter.create(folder, attributes, total, options.signal);
    for (const [sample, file] of files.entries()) {
      throwIfAborted(options.signal);
      await writer.append(await fileCells(file, samples.names[sample]!, attributes));
      report(samples.starts[sample + 1]!);
    }
    return writer.finish();
  }
  const frame = await readTable(options.cellMetadata, "cell metadata", false);
  const columns = givenColumns(frame, samples);
  const table = typedTable(columns, options.cellMetadataOptions?.columnTypes, "cell metadata");
  const writer = await FrameWriter.create(folder, table.attributes, total, options.signal);
  await writer.append(table.columns);
  report(total);
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

function obsAttributes(samples: Samples, options: BuildOptions): FrameAttribute[] {
  const types = options.cellMetadataOptions?.columnTypes ?? {};
  const sampleType = defaultType(repeatedText(samples.names.join(""), 1));
  const all: [string, ColumnType][] = [
    [addedColumns.sample, types[addedColumns.sample] ?? sampleType],
    [addedColumns.cellIndexInSample, types[addedColumns.cellIndexInSample] ?? "ascii"],
    ...Object.entries(types).filter(([name]) => !isAdded(name)),
  ];
  return all.map(([name, type]) => ({ name, datatype: attributeDatatype(type, name) }));
}

function isAdded(name: string): boolean {
  return name === addedColumns.sample || name === addedColumns.cellIndexInSample;
}

/** The cells of one file, a column per attribute. */
function fileCells(
  file: ScannedFile,
  sample: string,
  attributes: readonly FrameAttribute[],
): Promise<Column[]> {
  const rows = file.cellCount;
  return withSource(file.input, async (source) => {
    const columns: Column[] = [];
    for (const { name, datatype } of attributes) {
      const what = `cell metadata: column '${name}' of ${file.name}`;
      const column =
        name === addedColumns.sample
          ? repeatedText(sample, rows)
          : name === addedColumns.cellIndexInSample
            ? positions(rows)
            : ((await obsColumn(source, name)) ?? missing(rows, datatypeInfo(datatype).kind));
      columns.push(storedColumn(column, datatype, what));
    }
    return columns;
  });
}

function positions(rows: number): FrameColumn {
  return { kind: "numeric", values: Int32Array.from({ length: rows }, (_, row) => row) };
}

/** Null where obs has no such column. */
async function obsColumn(source: AnnDataSource, name: string): Promise<FrameColumn | null> {
  try {
    return (await source.obs([name])).columns.get(name) ?? null;
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return null;
    throw error;
  }
}

function missing(rows: number, kind: string): FrameColumn {
  if (kind === "float") return { kind: "numeric", values: new Float64Array(rows).fill(Number.NaN) };
  return repeatedText(NOT_AVAILABLE, rows);
}
