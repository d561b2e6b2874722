import type { Column } from "../../array/columns.js";
import { isCellarrError, NotFoundError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import type { FrameColumn } from "../../util/frame.js";
import type { ObsTypes } from "../build/options.js";
import { attributeDatatype, type ColumnType, isNullableType, storedColumn } from "../frames/column-types.js";
import { repeatedText } from "../frames/text-builder.js";
import type { FrameAttribute } from "../layout.js";
import { formColumn, joinAttributes, type MetadataForm } from "./column-form.js";
import { commonAttribute } from "./common-type.js";
import { askedCategories } from "./enumerated.js";

/**
 * Columns of obs that become cell metadata: all files are asked for them before anything is written, since one attribute
 * holds the cells of all files.
 */

/** What a column of text holds for the cells of a file that does not have it. */
const NOT_AVAILABLE = "NA";

export interface ObsRequest {
  readonly types: ObsTypes;
  readonly form: MetadataForm;
  /** Columns that are stored as categories, of which all values have to be known. */
  readonly enumerated?: ReadonlySet<string>;
}

/** The attributes that the columns of one file ask for; `file` is for messages. Throws ValueError for a value that does not have its type. */
export async function surveyObs(
  source: AnnDataSource,
  { types, form, enumerated }: ObsRequest,
  file: string | null,
): Promise<Map<string, FrameAttribute>> {
  const found = new Map<string, FrameAttribute>();
  for (const [name, type] of Object.entries(types)) {
    const given = type ?? (form === "python" ? "ascii" : null);
    const datatype = given === null ? null : attributeDatatype(given, name);
    const column = await obsColumn(source, name);
    if (column === null) continue;
    if (enumerated?.has(name)) {
      found.set(name, askedCategories(name, column));
      continue;
    }
    // Numbers as text are long to write and always ASCII.
    const isPlain = datatype !== null && isText(datatype) && isNumeric(column) && !isNullableType(given!);
    const attribute = isPlain
      ? { name, datatype }
      : formColumn(name, column, type ?? undefined, form, describeColumn(name, file)).attribute;
    found.set(name, attribute);
  }
  return found;
}

function isText(datatype: Datatype): boolean {
  return datatypeInfo(datatype).kind === "string";
}

function isNumeric(column: FrameColumn): boolean {
  return column.kind === "numeric" || column.kind === "boolean";
}

/** The attribute of a column for the cells of all files. Throws NotFoundError where none says what it could be. */
export function obsAttribute(
  name: string,
  type: ColumnType | null,
  form: MetadataForm,
  files: readonly { readonly obs: ReadonlyMap<string, FrameAttribute> }[],
): FrameAttribute {
  if (type === null) return ownAttribute(name, form, files);
  const datatype = attributeDatatype(type, name);
  const isGap = form === "typed" && !isText(datatype) && files.some(({ obs }) => !obs.has(name));
  const own: FrameAttribute =
    isGap || isNullableType(type) ? { name, datatype, nullable: true } : { name, datatype };
  return files.reduce((joined, { obs }) => joinAttributes(joined, obs.get(name) ?? joined), own);
}

/** Throws NotFoundError for a column whose type is left open and that no file has. */
export function checkOpenTypes({ types, form }: ObsRequest, files: Parameters<typeof ownAttribute>[2]): void {
  for (const [name, type] of Object.entries(types)) if (type === null) ownAttribute(name, form, files);
}

/** That of the files' columns, which may differ. */
function ownAttribute(
  name: string,
  form: MetadataForm,
  files: readonly { readonly obs: ReadonlyMap<string, FrameAttribute> }[],
): FrameAttribute {
  const found = files.flatMap(({ obs }) => obs.get(name) ?? []);
  if (found.length === 0) {
    throw new NotFoundError(`no file has the column '${name}' in obs; give it a type to store it as missing`);
  }
  const joined = found.reduce(commonAttribute);
  const isGap = form === "typed" && found.length < files.length;
  return isGap ? { ...joined, nullable: true } : joined;
}

/** The cells of a file. */
export async function obsCells(
  source: AnnDataSource,
  attribute: FrameAttribute,
  type: ColumnType | null,
  file: string,
): Promise<Column> {
  const { name, datatype, nullable } = attribute;
  const column = (await obsColumn(source, name)) ?? missingColumn(source.obsCount, attribute, type);
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

function missingColumn(
  rows: number,
  { datatype, nullable }: FrameAttribute,
  type: ColumnType | null,
): FrameColumn {
  const hasNull = type === null ? nullable : isNullableType(type);
  if (isText(datatype) && !hasNull) return repeatedText(NOT_AVAILABLE, rows);
  const validity = new Uint8Array(rows);
  if (isText(datatype))
    return { kind: "text", offsets: new Uint32Array(rows + 1), data: new Uint8Array(0), validity };
  return { kind: "numeric", values: new Float64Array(rows).fill(Number.NaN), validity };
}
