import { Frame, textValues } from "../util/frame.js";
import type { AxisArray, DenseArray, UnsDict, UnsValue } from "./anndata.js";
import { textAttribute } from "./h5-attribute.js";
import { H5Dataset } from "./h5-dataset.js";
import type { H5File } from "./h5-file.js";
import { isMatrix, locateMatrix } from "./h5-matrix.js";
import { readMatrix } from "./h5-matrix-source.js";
import type { Matrix } from "./matrix.js";
import { readColumn } from "./read-column.js";
import { readCompound } from "./read-compound.js";
import { readFrame } from "./read-frame.js";

/** Elements of uns, obsm, varm, obsp, varp. What is not kept is added to `skipped` by its path. */

/** A group of uns as a map, nested groups as maps. */
export function readDict(
  file: H5File,
  path: string,
  skipped: string[],
  omit: ReadonlySet<string> = new Set(),
): UnsDict {
  const dict = new Map<string, UnsValue>();
  for (const name of file.keys(path)) {
    if (omit.has(name)) continue;
    const value = readElement(file, `${path}/${name}`, skipped);
    if (value !== undefined) dict.set(name, value);
  }
  return dict;
}

/** One element; undefined (and its path in `skipped`) for an encoding that is not kept. */
function readElement(file: H5File, path: string, skipped: string[]): UnsValue | undefined {
  const kind = file.kind(path);
  if (kind === "dataset") return readDataset(file, path, skipped);
  if (kind === null) return skip(path, skipped);
  const encoding = textAttribute(file, path, "encoding-type");
  if (encoding === "dataframe") return readFrame(file, path, { skipped });
  if (isMatrix(file, path)) return readMatrix(locateMatrix(file, path, path.slice(1)));
  if (encoding === "categorical" || encoding?.startsWith("nullable-")) {
    return readColumn(file, path) ?? skip(path, skipped);
  }
  // "raw" is how anndata 0.7 marks a plain group in places.
  if (encoding === undefined || encoding === "dict" || encoding === "raw") {
    return readDict(file, path, skipped);
  }
  return skip(path, skipped);
}

function skip(path: string, skipped: string[]): undefined {
  skipped.push(path.slice(1));
  return undefined;
}

function readDataset(file: H5File, path: string, skipped: string[]): UnsValue | undefined {
  if (textAttribute(file, path, "encoding-type") === "null") return null;
  const dataset = new H5Dataset(file, path);
  const array = readArray(dataset);
  if (array === null) return skip(path, skipped);
  if (array.shape.length > 0) return array;
  const value = array.values[0];
  if (value === undefined) return skip(path, skipped);
  return array.boolean ? value === 1 : value;
}

function readArray(dataset: H5Dataset): DenseArray | null {
  const { shape, type } = dataset;
  if (shape === null) return null;
  if (type.kind === "text") return { kind: "array", shape, values: textValues(dataset.text()) };
  if (type.kind !== "number") return null;
  const array: DenseArray = { kind: "array", shape, values: dataset.numbers() };
  return type.boolean ? { ...array, boolean: true } : array;
}

/** obsm or varm: a group, or (before anndata 0.7) a dataset of records. */
export function readAxisArrays(file: H5File, path: string, skipped: string[]): Map<string, AxisArray> {
  const kind = file.kind(path);
  if (kind === null) return new Map();
  if (kind === "group") return axisArraysOfGroup(file, path, skipped);
  const table = readCompound(new H5Dataset(file, path));
  for (const name of [...table.skipped, ...table.columns.keys()]) skipped.push(`${path.slice(1)}/${name}`);
  return new Map(table.arrays);
}

function axisArraysOfGroup(file: H5File, path: string, skipped: string[]): Map<string, AxisArray> {
  const arrays = new Map<string, AxisArray>();
  for (const name of file.keys(path)) {
    const value = readElement(file, `${path}/${name}`, skipped);
    if (value === undefined) continue;
    if (value instanceof Frame || isMatrixValue(value) || isArray(value)) arrays.set(name, value);
    else skipped.push(`${path.slice(1)}/${name}`);
  }
  return arrays;
}

/** obsp or varp: square matrices by cells or genes. */
export function readPairs(file: H5File, path: string, skipped: string[]): Map<string, Matrix> {
  const pairs = new Map<string, Matrix>();
  if (file.kind(path) !== "group") return pairs;
  for (const name of file.keys(path)) {
    const inner = `${path}/${name}`;
    if (isMatrix(file, inner)) pairs.set(name, readMatrix(locateMatrix(file, inner, inner.slice(1))));
    else skipped.push(inner.slice(1));
  }
  return pairs;
}

function isMatrixValue(value: UnsValue): value is Matrix {
  return typeof value === "object" && value !== null && "format" in value;
}

function isArray(value: UnsValue): value is DenseArray {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "array";
}
