import { FormatError } from "../errors.js";
import type {
  BooleanColumn,
  CategoricalColumn,
  FrameColumn,
  NumericColumn,
  TextColumn,
} from "../util/frame.js";
import { columnLength, columnValues, textColumn } from "../util/frame.js";
import type { NumberArray, TypedArray } from "../util/typed-arrays.js";
import { readAttribute, textAttribute } from "./h5-attribute.js";
import { H5Dataset } from "./h5-dataset.js";
import type { H5File } from "./h5-file.js";

/**
 * Columns of obs, var and other frames. By encoding-type:
 *
 * | encoding | stored as |
 * |---|---|
 * | array, string-array, none | a dataset of numbers, booleans or text |
 * | categorical 0.2 | a group: codes, categories, attribute ordered |
 * | nullable-integer, -boolean, -string-array 0.1 | a group: values, mask (1 where missing) |
 * | none, attribute categories (anndata 0.7) | codes; a reference to __categories/NAME with attribute ordered |
 */

export type PlainColumn = NumericColumn | BooleanColumn | TextColumn;

/** The column at `path`, or null for an encoding that is none of the above. */
export function readColumn(file: H5File, path: string): FrameColumn | null {
  const kind = file.kind(path);
  if (kind === "group") return readGroupColumn(file, path);
  if (kind === null) return null;
  const categories = readAttribute(file, path, "categories");
  if (typeof categories === "string") return readCategorical(file, path, categories, categories);
  return readPlainColumn(file, path);
}

/** A dataset of one dimension (or a scalar) as a column; null for other elements. */
function readPlainColumn(file: H5File, path: string): PlainColumn | null {
  const dataset = new H5Dataset(file, path);
  if (dataset.shape === null || dataset.shape.length > 1) return null;
  if (dataset.type.kind === "text") return dataset.text();
  if (dataset.type.kind !== "number") return null;
  return numberColumn(dataset.numbers(), dataset.type.boolean);
}

/** Values as a numeric or boolean column. */
export function numberColumn(values: TypedArray, boolean: boolean): NumericColumn | BooleanColumn {
  if (boolean && values instanceof Uint8Array) return { kind: "boolean", values };
  return { kind: "numeric", values };
}

function readGroupColumn(file: H5File, path: string): FrameColumn | null {
  const encoding = textAttribute(file, path, "encoding-type");
  if (encoding === "categorical") {
    return readCategorical(file, `${path}/codes`, `${path}/categories`, path);
  }
  return encoding?.startsWith("nullable-") ? readNullable(file, path) : null;
}

function readNullable(file: H5File, path: string): FrameColumn | null {
  const column = readPlainColumn(file, `${path}/values`);
  const mask = readPlainColumn(file, `${path}/mask`);
  if (column === null || mask === null) return null;
  if (mask.kind === "text" || columnLength(mask) !== columnLength(column)) {
    throw new FormatError(`${path.slice(1)}: values and mask do not fit together`, { where: file.name });
  }
  const validity = new Uint8Array(mask.values.length);
  let missing = false;
  for (let row = 0; row < validity.length; row++) {
    const isMissing = Number(mask.values[row]) !== 0;
    validity[row] = isMissing ? 0 : 1;
    missing ||= isMissing;
  }
  return missing ? { ...column, validity } : column;
}

/** @param ordered the object whose attribute says whether categories are ordered */
function readCategorical(
  file: H5File,
  codesPath: string,
  categoriesPath: string,
  ordered: string,
): CategoricalColumn | null {
  const codes = readPlainColumn(file, codesPath);
  const categories = readColumn(file, categoriesPath);
  if (codes === null || categories === null || categories.kind === "categorical") return null;
  const isOrdered = Number(readAttribute(file, ordered, "ordered") ?? 0) !== 0;
  return categorical(codes, categories, isOrdered, codesPath.slice(1), file.name);
}

/** Joins codes and categories; FormatError where a code points past the categories. */
export function categorical(
  codes: PlainColumn,
  categories: PlainColumn,
  ordered: boolean,
  label: string,
  where: string,
): CategoricalColumn {
  if (codes.kind === "text") throw new FormatError(`${label}: codes are text`, { where });
  const count = columnLength(categories);
  const checked = Int32Array.from(codes.values as NumberArray, Number);
  for (let row = 0; row < checked.length; row++) {
    const code = checked[row]!;
    if (code >= count || code < -1) {
      throw new FormatError(`${label}: code ${code} in row ${row}, expected -1 to ${count - 1}`, { where });
    }
  }
  return { kind: "categorical", codes: checked, categories, ordered };
}

/** Any column as text: row names may be stored as numbers or categories. */
export function asText(column: FrameColumn): TextColumn {
  if (column.kind === "text") return column;
  return textColumn(columnValues(column).map((value) => (value === null ? null : String(value))));
}
