import { FormatError, NotFoundError } from "../errors.js";
import { columnLength, Frame, type FrameColumn, type TextColumn } from "../util/frame.js";
import { readAttribute, textAttribute } from "./h5-attribute.js";
import { H5Dataset } from "./h5-dataset.js";
import type { H5File } from "./h5-file.js";
import { asText, categorical, readColumn } from "./read-column.js";
import { readCompound } from "./read-compound.js";

/**
 * Frames: a group with a dataset or group per column and the attributes `_index` (name of the row names' column) and
 * `column-order` (anndata 0.7 and later), or one dataset of records whose first member is the row names (before).
 */

export interface FrameOptions {
  /** Only these columns. */
  readonly columns?: readonly string[] | undefined;
  /** Receives paths of columns in encodings that are not read. */
  readonly skipped?: string[];
  /** Before 0.7, categories of a column of obs or var lie in uns as NAME_categories. */
  readonly categoriesInUns?: boolean;
}

export function readFrame(file: H5File, path: string, options: FrameOptions = {}): Frame {
  const kind = file.kind(path);
  if (kind === null) throw new FormatError(`no ${path.slice(1)} in this file`, { where: file.name });
  return kind === "group" ? readGroupFrame(file, path, options) : readRecordFrame(file, path, options);
}

/** Rows of a frame, reading no more of it than its row names' size. */
export function frameRows(file: H5File, path: string): number {
  const kind = file.kind(path);
  if (kind === null) throw new FormatError(`no ${path.slice(1)} in this file`, { where: file.name });
  if (kind === "dataset") return new H5Dataset(file, path).rows;
  const index = `${path}/${indexName(file, path)}`;
  if (file.kind(index) !== "group") return new H5Dataset(file, index).rows;
  const inner = ["values", "codes"].find((name) => file.kind(`${index}/${name}`) === "dataset");
  return new H5Dataset(file, `${index}/${inner ?? "values"}`).rows;
}

function indexName(file: H5File, path: string): string {
  const named = textAttribute(file, path, "_index");
  if (named !== undefined) return named;
  const found = ["_index", "index"].find((name) => file.kind(`${path}/${name}`) !== null);
  if (found !== undefined) return found;
  throw new FormatError(`${path.slice(1)}: no attribute '_index' and no column '_index'`, {
    where: file.name,
  });
}

function readGroupFrame(file: H5File, path: string, options: FrameOptions): Frame {
  const index = indexName(file, path);
  const names = columnOrder(file, path, index);
  checkWanted(options.columns, names, path, file.name);
  const wanted = options.columns ?? names;
  const rowNames = readColumn(file, `${path}/${index}`);
  if (rowNames === null) {
    throw new FormatError(`${path.slice(1)}: cannot read the row names '${index}'`, { where: file.name });
  }
  const columns = new Map<string, FrameColumn>();
  for (const name of wanted) {
    const column = readColumn(file, `${path}/${name}`);
    if (column === null) options.skipped?.push(`${path.slice(1)}/${name}`);
    else columns.set(name, column);
  }
  return makeFrame(asText(rowNames), columns, index === "_index" ? null : index, path, file.name);
}

function columnOrder(file: H5File, path: string, index: string): string[] {
  const order = readAttribute(file, path, "column-order");
  // A frame without columns has an empty float64 attribute.
  if (Array.isArray(order)) return order.map(String);
  return file.keys(path).filter((name) => name !== index && name !== "__categories");
}

function readRecordFrame(file: H5File, path: string, options: FrameOptions): Frame {
  const dataset = new H5Dataset(file, path);
  if (dataset.type.kind !== "compound") throw dataset.unexpected("a table of records");
  const members = dataset.type.members.map((member) => member.name);
  const index = members[0];
  if (index === undefined) throw dataset.unexpected("a table of records with row names");
  const names = members.slice(1);
  checkWanted(options.columns, names, path, file.name);
  const wanted = new Set([index, ...(options.columns ?? names)]);
  const table = readCompound(dataset, (name) => wanted.has(name));
  const rowNames = table.columns.get(index);
  if (rowNames === undefined) throw dataset.unexpected("row names as first member");
  for (const name of [...table.skipped, ...table.arrays.keys()]) {
    options.skipped?.push(`${path.slice(1)}/${name}`);
  }
  const columns = new Map<string, FrameColumn>();
  for (const name of options.columns ?? names) {
    const column = table.columns.get(name);
    if (column !== undefined) columns.set(name, withUnsCategories(file, path, name, column, options));
  }
  return makeFrame(asText(rowNames), columns, index === "index" ? null : index, path, file.name);
}

function withUnsCategories(
  file: H5File,
  path: string,
  name: string,
  column: FrameColumn,
  options: FrameOptions,
): FrameColumn {
  const source = `/uns/${name}_categories`;
  if (!options.categoriesInUns || column.kind !== "numeric" || file.kind(source) === null) return column;
  const categories = readColumn(file, source);
  if (categories === null || categories.kind === "categorical") return column;
  return categorical(column, categories, false, `${path.slice(1)}/${name}`, file.name);
}

function checkWanted(
  columns: readonly string[] | undefined,
  present: readonly string[],
  path: string,
  where: string,
): void {
  for (const name of columns ?? []) {
    if (present.includes(name)) continue;
    const list = present.length === 0 ? "none" : present.join(", ");
    throw new NotFoundError(`no column '${name}' in ${path.slice(1)}; there are: ${list}`, { where });
  }
}

function makeFrame(
  index: TextColumn,
  columns: ReadonlyMap<string, FrameColumn>,
  indexName: string | null,
  path: string,
  where: string,
): Frame {
  const rows = columnLength(index);
  for (const [name, column] of columns) {
    const length = columnLength(column);
    if (length === rows) continue;
    throw new FormatError(`${path.slice(1)}/${name}: ${length} rows, row names have ${rows}`, { where });
  }
  return new Frame(index, columns, indexName);
}
