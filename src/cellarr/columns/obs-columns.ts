import type { Column } from "../../array/columns.js";
import { isCellarrError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import type { FrameColumn } from "../../util/frame.js";
import type { ColumnTypes } from "../build/options.js";
import { attributeDatatype, type ColumnType, isNullableType, storedColumn } from "../frames/column-types.js";
import { repeatedText } from "../frames/text-builder.js";
import type { FrameAttribute } from "../layout.js";
import { formColumn, joinAttributes, type MetadataForm } from "./column-form.js";

/**
 * Columns of obs that become cell metadata: all files are asked for them before anything is written, since one attribute
 * holds the cells of all files.
 */

/** What a column of text holds for the cells of a file that does not have it. */
const NOT_AVAILABLE = "NA";

export interface ObsRequest {
  readonly types: ColumnTypes;
  readonly form: MetadataForm;
}

/** The attributes that the columns of one file ask for; `file` is for messages. Throws ValueError for a value that does not have its type. */
export async function surveyObs(
  source: AnnDataSource,
  { types, form }: ObsRequest,
  file: string | null,
): Promise<Map<string, FrameAttribute>> {
  const found = new Map<string, FrameAttribute>();
  for (const [name, type] of Object.entries(types)) {
    const datatype = attributeDatatype(type, name);
    const column = await obsColumn(source, name);
    if (column === null) continue;
    // Numbers as text are long to write and always ASCII.
    const isPlain = datatypeInfo(datatype).kind === "string" && isNumeric(column) && !isNullableType(type);
    const attribute = isPlain
      ? { name, datatype }
      : formColumn(name, column, type, form, describeColumn(name, file)).attribute;
    found.set(name, attribute);
  }
  return found;
}

function isNumeric(column: FrameColumn): boolean {
  return column.kind === "numeric" || column.kind === "boolean";
}

/** The attribute of a column for the cells of all files. */
export function obsAttribute(
  name: string,
  type: ColumnType,
  form: MetadataForm,
  files: readonly { readonly obs: ReadonlyMap<string, FrameAttribute> }[],
): FrameAttribute {
  const datatype = attributeDatatype(type, name);
  const isText = datatypeInfo(datatype).kind === "string";
  const isGap = form === "typed" && !isText && files.some(({ obs }) => !obs.has(name));
  const own: FrameAttribute =
    isGap || isNullableType(type) ? { name, datatype, nullable: true } : { name, datatype };
  return files.reduce((joined, { obs }) => joinAttributes(joined, obs.get(name) ?? joined), own);
}

/** The cells of a file. */
export async function obsCells(
  source: AnnDataSource,
  { name, datatype, nullable }: FrameAttribute,
  type: ColumnType,
  file: string,
): Promise<Column> {
  const column = (await obsColumn(source, name)) ?? missingColumn(source.obsCount, datatype, type);
  return storedColumn(column, datatype, describeColumn(name, file), nullable);
}

/** As messages name it. */
export function describeColumn(name: string, file: string | null): string {
  return file === null ? `column '${name}'` : `cell metadata: column '${name}' of ${file}`;
}

/** Null where obs has no such column. */
export async function obsColumn(source: AnnDataSource, name: string): Promise<FrameColumn | null> {
  try {
    return (await source.obs([name])).columns.get(name) ?? null;
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return null;
    throw error;
  }
}

function missingColumn(rows: number, datatype: FrameAttribute["datatype"], type: ColumnType): FrameColumn {
  const isText = datatypeInfo(datatype).kind === "string";
  if (isText && !isNullableType(type)) return repeatedText(NOT_AVAILABLE, rows);
  const validity = new Uint8Array(rows);
  if (isText) return { kind: "text", offsets: new Uint32Array(rows + 1), data: new Uint8Array(0), validity };
  return { kind: "numeric", values: new Float64Array(rows).fill(Number.NaN), validity };
}
