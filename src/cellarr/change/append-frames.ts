import { selectCells } from "../../array/column-ops.js";
import type { Column } from "../../array/columns.js";
import { run } from "../../array/read/selection.js";
import { ArgumentError, throwIfAborted } from "../../errors.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { Frame, type FrameColumn, textColumn } from "../../util/frame.js";
import { withSource } from "../build/file-sources.js";
import type { ColumnTypes } from "../build/options.js";
import { cellColumns } from "../build/sample-table.js";
import type { Place } from "../build/staging.js";
import { readTable } from "../build/tables.js";
import { joinAttributes } from "../columns/column-form.js";
import { isEnumerated, joinCategories } from "../columns/enumerated.js";
import { obsAttribute, obsColumn } from "../columns/obs-columns.js";
import { numberedIndex, runRows, takeFrameRows } from "../frames/frame-parts.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { FrameWriter } from "../frames/frame-writer.js";
import { addedColumns, type FrameAttribute } from "../layout.js";
import type { CellSummaries } from "../summary/cell-summaries.js";
import type { NamedCells } from "../summary/stored-summaries.js";
import type { AppendPlan } from "./append-plan.js";
import {
  copyRows,
  frameCells,
  furtherAttributes,
  storedAttributes,
  typeOfAttribute,
  widened,
  withGaps,
} from "./stored-frame.js";

/** Frames with the rows of an append behind those that are there. */

export interface LongerOptions {
  readonly types?: ColumnTypes | undefined;
  /** Columns that the store does not get where it does not have them. */
  readonly added: ReadonlySet<string>;
  /** All rows, the further ones included, of columns that take the place of the frame's. */
  readonly replaced?: NamedCells;
  readonly signal?: AbortSignal | undefined;
}

/** A frame and rows of a table; columns that only one of them has are filled, see frameCells. */
export async function writeLonger(
  to: Place,
  frame: FrameReader,
  rows: Frame,
  options: LongerOptions,
): Promise<void> {
  const { added, types, signal, replaced = new Map<string, Column>() } = options;
  const what = "new rows";
  const widen = (attribute: FrameAttribute) =>
    rows.rowCount === 0 || replaced.has(attribute.name)
      ? attribute
      : widened(attribute, rows.columns.get(attribute.name), what);
  const stored = (await storedAttributes(frame)).map(widen);
  const given = new Map([...rows.columns].filter(([name]) => !added.has(name)));
  const attributes = [...stored, ...furtherAttributes(stored, given, types, what)];
  const [first, count] = [frame.rowCount, frame.rowCount + rows.rowCount];
  const writer = await FrameWriter.create(to, attributes, count, signal);
  await copyRows(frame, attributes, [0, first], writer, { signal, replaced });
  if (rows.rowCount > 0) {
    const cells = attributes.map((attribute) => {
      const column = replaced.get(attribute.name);
      return column === undefined
        ? frameCells(rows, attribute, what)
        : selectCells(column, run(first, count));
    });
    await writer.append(cells);
  }
  await writer.finish();
}

/** Columns that cellarr adds; a store that does not have one of them, as older ones, does not get it. */
export const columnsOfOurs: ReadonlySet<string> = new Set(Object.values(addedColumns));

export async function writeLongerCells(to: Place, plan: AppendPlan, summaries: CellSummaries): Promise<void> {
  const { options, parts, samples, cellOffset } = plan;
  const { signal } = options;
  const total = cellOffset + samples.starts.at(-1)!;
  let done = 0;
  const onRows = (rows: number) => {
    done += rows;
    options.onProgress?.({ step: "cell_metadata", item: "cell_metadata", done, total });
  };
  const given = options.cellMetadata === undefined ? null : await givenCells(plan);
  const attributes = cellAttributes(plan, await storedAttributes(parts.cells), given, summaries.names);
  const writer = await FrameWriter.create(to, attributes, total, signal);
  await copyRows(parts.cells, attributes, [0, cellOffset], writer, { signal, onRows });
  for (const [at, file] of plan.files.entries()) {
    throwIfAborted(signal);
    const totals = await summaries.named(at);
    const own = attributes.filter(({ name }) => !totals.has(name));
    const rows =
      given === null
        ? await withSource(file.input, (source) => fileCells(source, plan, at, own))
        : takeFrameRows(given, runRows(samples.starts[at]!, samples.starts[at + 1]!));
    const what = given === null ? file.name : "cell metadata";
    await writer.append(attributes.map((one) => totals.get(one.name) ?? frameCells(rows, one, what)));
    onRows(rows.rowCount);
  }
  await writer.finish();
}

/** Those of the store, with room for what the files or the caller's rows hold, and further ones. */
function cellAttributes(
  { files, options, samples }: AppendPlan,
  before: readonly FrameAttribute[],
  given: Frame | null,
  summaries: ReadonlySet<string>,
): FrameAttribute[] {
  const types = options.cellMetadataOptions?.columnTypes;
  const widen = (attribute: FrameAttribute): FrameAttribute => {
    const { name } = attribute;
    if (name === addedColumns.sample) return widened(attribute, textColumn(samples.names), "samples");
    if (name === addedColumns.cellIndexInSample || summaries.has(name)) return attribute;
    if (given !== null) return widened(attribute, given.columns.get(name), "cell metadata");
    if (isEnumerated(attribute)) {
      return files.reduce((joined, { obs }) => joinCategories(joined, obs.get(name)), attribute);
    }
    const type = typeOfAttribute(attribute);
    return type === null ? attribute : joinAttributes(attribute, obsAttribute(name, type, "typed", files));
  };
  const stored = before.map(widen);
  if (given !== null) {
    const columns = withoutOurs(given.columns);
    return [...stored, ...furtherAttributes(stored, columns, types, "cell metadata")];
  }
  const known = new Set(stored.map(({ name }) => name));
  const further = Object.entries(types ?? {}).filter(([name]) => !known.has(name));
  const added = further.map(([name, type]) => {
    const attribute = obsAttribute(name, type, "typed", files);
    return type === null ? { ...attribute, nullable: true } : withGaps(attribute);
  });
  return [...stored, ...added];
}

function withoutOurs(columns: ReadonlyMap<string, FrameColumn>): Map<string, FrameColumn> {
  return new Map([...columns].filter(([name]) => !columnsOfOurs.has(name)));
}

/** The caller's rows, with the columns that tie cells to samples. */
async function givenCells({ options, samples }: AppendPlan): Promise<Frame> {
  const frame = await readTable(options.cellMetadata!, "cell metadata", false, options.storage);
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
