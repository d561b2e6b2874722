import { ArgumentError, isCellarrError, throwIfAborted } from "../../errors.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { Frame, type FrameColumn, textColumn } from "../../util/frame.js";
import { attributeDatatype } from "../column-types.js";
import { withSource } from "../file-sources.js";
import { numberedIndex } from "../frame-parts.js";
import type { FrameReader } from "../frame-reader.js";
import { FrameWriter } from "../frame-writer.js";
import { addedColumns, type FrameAttribute } from "../layout.js";
import type { ColumnTypes } from "../options.js";
import { cellColumns } from "../sample-table.js";
import type { Place } from "../staging.js";
import { readTable } from "../tables.js";
import type { AppendPlan } from "./append-plan.js";
import { copyRows, frameCells, furtherAttributes, storedAttributes } from "./stored-frame.js";

/** Frames with the rows of an append behind those that are there. */

/** A frame and rows of a table; columns that only one of them has are filled, see frameCells. */
export async function writeLonger(
  to: Place,
  frame: FrameReader,
  rows: Frame,
  options: { types?: ColumnTypes | undefined; added: ReadonlySet<string>; signal?: AbortSignal | undefined },
): Promise<void> {
  const stored = storedAttributes(frame);
  const given = new Map([...rows.columns].filter(([name]) => !options.added.has(name)));
  const attributes = [...stored, ...furtherAttributes(stored, given, options.types)];
  const count = frame.rowCount + rows.rowCount;
  const writer = await FrameWriter.create(to, attributes, count, options.signal);
  await copyRows(frame, attributes, [0, frame.rowCount], writer, options);
  if (rows.rowCount > 0) {
    await writer.append(attributes.map((attribute) => frameCells(rows, attribute, "new rows")));
  }
  await writer.finish();
}

/** Columns that cellarr adds; a store that does not have one of them, as older ones, does not get it. */
export const columnsOfOurs: ReadonlySet<string> = new Set(Object.values(addedColumns));

export async function writeLongerCells(to: Place, plan: AppendPlan): Promise<void> {
  const { options, parts, samples, cellOffset } = plan;
  const { signal } = options;
  const total = cellOffset + samples.starts.at(-1)!;
  let done = 0;
  const onRows = (rows: number) => {
    done += rows;
    options.onProgress?.({ step: "cell_metadata", item: "cell_metadata", done, total });
  };
  const stored = storedAttributes(parts.cells);
  const given = options.cellMetadata === undefined ? null : await givenCells(plan);
  const types = options.cellMetadataOptions?.columnTypes;
  const attributes = [
    ...stored,
    ...(given === null
      ? obsAttributes(stored, types)
      : furtherAttributes(stored, withoutOurs(given.columns), types)),
  ];
  const writer = await FrameWriter.create(to, attributes, total, signal);
  await copyRows(parts.cells, attributes, [0, cellOffset], writer, { signal, onRows });
  if (given !== null) {
    await writer.append(attributes.map((attribute) => frameCells(given, attribute, "cell metadata")));
    onRows(given.rowCount);
  } else {
    for (const [at, file] of plan.files.entries()) {
      throwIfAborted(signal);
      const rows = await withSource(file.input, (source) => fileCells(source, plan, at, attributes));
      await writer.append(attributes.map((attribute) => frameCells(rows, attribute, file.name)));
      onRows(rows.rowCount);
    }
  }
  await writer.finish();
}

function withoutOurs(columns: ReadonlyMap<string, FrameColumn>): Map<string, FrameColumn> {
  return new Map([...columns].filter(([name]) => !columnsOfOurs.has(name)));
}

function obsAttributes(stored: readonly FrameAttribute[], types: ColumnTypes | undefined): FrameAttribute[] {
  const known = new Set(stored.map(({ name }) => name));
  const further = Object.entries(types ?? {}).filter(([name]) => !known.has(name));
  return further.map(([name, type]) => ({ name, datatype: attributeDatatype(type, name) }));
}

/** The caller's rows, with the columns that tie cells to samples. */
async function givenCells({ options, samples }: AppendPlan): Promise<Frame> {
  const frame = await readTable(options.cellMetadata!, "cell metadata", false);
  const total = samples.starts.at(-1)!;
  if (frame.rowCount !== total) {
    throw new ArgumentError(
      `cell metadata has ${frame.rowCount} rows, expected one for each of ${total} cells`,
    );
  }
  const added = cellColumns(samples);
  const columns = new Map<string, FrameColumn>([
    [addedColumns.sample, added.sample],
    [addedColumns.cellIndexInSample, added.indexInSample],
    ...frame.columns,
  ]);
  return new Frame(frame.index, columns, frame.indexName);
}

/** The cells of one file with those of the columns that it has. */
async function fileCells(
  source: AnnDataSource,
  { samples }: AppendPlan,
  at: number,
  attributes: readonly FrameAttribute[],
): Promise<Frame> {
  const rows = samples.cellCounts[at]!;
  const columns = new Map<string, FrameColumn>();
  for (const { name } of attributes) {
    const column =
      name === addedColumns.sample
        ? sampleColumn(samples.names[at]!, rows)
        : name === addedColumns.cellIndexInSample
          ? { kind: "numeric" as const, values: Int32Array.from({ length: rows }, (_, row) => row) }
          : await obsColumn(source, name);
    if (column !== null) columns.set(name, column);
  }
  return new Frame(numberedIndex(rows), columns);
}

function sampleColumn(name: string, rows: number): FrameColumn {
  return { kind: "categorical", codes: new Int32Array(rows), categories: textColumn([name]), ordered: false };
}

async function obsColumn(source: AnnDataSource, name: string): Promise<FrameColumn | null> {
  try {
    return (await source.obs([name])).columns.get(name) ?? null;
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return null;
    throw error;
  }
}
