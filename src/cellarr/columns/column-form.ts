import type { Column } from "../../array/columns.js";
import { ArgumentError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import { dtypeOf } from "../../h5ad/matrix.js";
import type { FrameColumn } from "../../util/frame.js";
import {
  attributeDatatype,
  type ColumnType,
  defaultType,
  hasNonAscii,
  isNullableType,
  storedColumn,
} from "../frames/column-types.js";
import type { FrameAttribute } from "../layout.js";

/** Which attribute a column becomes: by the type that the caller gives it, and by what values there are. */

/**
 * - "typed": nothing of a column is lost. Columns whose type is left open keep theirs; a number or boolean that is
 *   missing is null, and so is text where the column's type is left open or "string"; text that is not ASCII is UTF-8
 *   even in columns of type "ascii".
 * - "python": columns as Python cellarr 0.3.2 writes them. Those whose type is left open are text, missing numbers
 *   are NaN, or an error where the type has none.
 */
export type MetadataForm = "typed" | "python";

export const metadataForms = ["typed", "python"] as const satisfies readonly MetadataForm[];

/** The form that a build's options ask for. Throws ArgumentError for what is none. */
export function formOf(options: {
  readonly metadata?: MetadataForm;
  readonly layout?: string;
}): MetadataForm {
  const form = options.metadata ?? (options.layout === "python" ? "python" : "typed");
  if (metadataForms.includes(form)) return form;
  throw new ArgumentError(`metadata is '${String(form)}', expected ${metadataForms.join(" or ")}`);
}

export interface FormedColumn {
  readonly attribute: FrameAttribute;
  readonly cells: Column;
}

/** Throws ArgumentError for a type that is none, ValueError naming `what` and the row of a value without that type. */
export function formColumn(
  name: string,
  column: FrameColumn,
  given: ColumnType | undefined,
  form: MetadataForm,
  what: string,
): FormedColumn {
  const type = given ?? (form === "typed" ? ownType(column) : defaultType(column));
  const datatype = attributeDatatype(type, name);
  const nullable = isNullableType(type);
  if (form === "python" || nullable) {
    return {
      attribute: attributeOf(name, datatype, nullable),
      cells: storedColumn(column, datatype, what, nullable),
    };
  }
  if (datatypeInfo(datatype).kind === "string") return formText(name, column, datatype, what);
  const cells = storedColumn(column, datatype, what, true);
  const gaps = cells.validity?.includes(0) ?? false;
  return { attribute: attributeOf(name, datatype, gaps), cells: gaps ? cells : withoutValidity(cells) };
}

/** In UTF-8 where it has to be. */
function formText(
  name: string,
  column: FrameColumn,
  datatype: FrameAttribute["datatype"],
  what: string,
): FormedColumn {
  const cells = storedColumn(column, "string_utf8", what);
  if (cells.kind !== "var") return { attribute: { name, datatype }, cells };
  const { offsets, data } = cells;
  // A cell of one NUL is what readers take for one that nobody wrote, unless its attribute says which are null.
  const nullable = hasLoneNul(offsets, data);
  const utf8 = nullable || hasNonAscii(data) ? "string_utf8" : datatype;
  return { attribute: attributeOf(name, utf8, nullable), cells: { ...cells, datatype: utf8 } };
}

function attributeOf(name: string, datatype: FrameAttribute["datatype"], nullable: boolean): FrameAttribute {
  return nullable ? { name, datatype, nullable } : { name, datatype };
}

function withoutValidity(cells: Column): Column {
  const { validity, ...rest } = cells;
  return rest;
}

function hasLoneNul(offsets: Uint32Array, data: Uint8Array): boolean {
  if (!data.includes(0)) return false;
  for (let row = 0; row + 1 < offsets.length; row++) {
    if (offsets[row + 1]! - offsets[row]! === 1 && data[offsets[row]!] === 0) return true;
  }
  return false;
}

/** The type that a column has by itself. */
function ownType(column: FrameColumn): ColumnType {
  switch (column.kind) {
    case "boolean":
      return "bool";
    case "numeric":
      return dtypeOf(column.values);
    case "categorical":
      return column.categories.kind === "text" ? textType(column) : ownType(column.categories);
    case "text":
      return textType(column);
  }
}

function textType(column: FrameColumn): ColumnType {
  const gaps = column.kind === "categorical" ? column.codes.includes(-1) : column.validity?.includes(0);
  return gaps ? "string" : defaultType(column);
}

/** The attribute for the cells of two columns of the type of the first, one after the other. */
export function joinAttributes(one: FrameAttribute, other: FrameAttribute): FrameAttribute {
  const nullable = (one.nullable ?? false) || (other.nullable ?? false);
  const datatype = other.datatype === "string_utf8" ? other.datatype : one.datatype;
  return attributeOf(one.name, datatype, nullable);
}
