import type { AnnData, AxisArray, DenseArray, UnsValue } from "../../src/h5ad/anndata.js";
import { dtypeOf, type Matrix } from "../../src/h5ad/matrix.js";
import type { CsrBlock, MatrixSource } from "../../src/h5ad/source.js";
import { columnValues, Frame, type FrameColumn, textValues } from "../../src/util/frame.js";

/** An AnnData as plain JSON, in the form of test/python/h5ad_content.py. */
export function contentOf(data: AnnData) {
  const { raw } = data;
  return {
    shape: [...data.shape],
    obs: frame(data.obs),
    var: frame(data.var),
    X: matrix(data.X),
    layers: sorted(data.layers, matrix),
    raw: raw === null ? null : { X: matrix(raw.X), var: frame(raw.var) },
    obsm: sorted(data.obsm, axisArray),
    varm: sorted(data.varm, axisArray),
    uns: sorted(data.uns, element),
  };
}

function sorted<T, U>(map: ReadonlyMap<string, T>, work: (value: T) => U): Record<string, U> {
  const names = [...map.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, work(map.get(name)!)]));
}

function scalar(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" && Number.isNaN(value) ? "NaN" : value;
}

function column(column: FrameColumn) {
  const values = columnValues(column).map(scalar);
  if (column.kind === "categorical") {
    const categories = columnValues(column.categories).map(scalar);
    return { kind: column.kind, values, categories, ordered: column.ordered };
  }
  return column.kind === "numeric"
    ? { kind: column.kind, dtype: dtypeOf(column.values), values }
    : { kind: column.kind, values };
}

export function frame(table: Frame) {
  return {
    index: textValues(table.index),
    indexName: table.indexName,
    columns: Object.fromEntries([...table.columns].map(([name, value]) => [name, column(value)])),
  };
}

function matrix(value: Matrix | null) {
  if (value === null) return null;
  const data = value.format === "dense" ? value.values : value.data;
  return { format: value.format, dtype: dtypeOf(data), values: dense(value) };
}

/** All values, row by row. */
export function dense(value: Matrix): unknown[][] {
  const [rows, columns] = value.shape;
  const all = Array.from({ length: rows }, () => new Array<unknown>(columns).fill(0));
  if (value.format === "dense") {
    value.values.forEach((cell: number | bigint, at: number) => {
      all[Math.floor(at / columns)]![at % columns] = scalar(cell);
    });
    return all;
  }
  for (let major = 0; major + 1 < value.indptr.length; major++) {
    for (let at = value.indptr[major]!; at < value.indptr[major + 1]!; at++) {
      const minor = value.indices[at]!;
      const [row, col] = value.format === "csr" ? [major, minor] : [minor, major];
      all[row]![col] = scalar(value.data[at]);
    }
  }
  return all;
}

/** The same from blocks, which must follow each other without a gap. */
export async function denseOfBlocks(source: MatrixSource, maxCells: number): Promise<unknown[][]> {
  const all: unknown[][] = [];
  for await (const block of source.blocks({ maxCells })) {
    if (block.firstRow !== all.length) throw new Error(`block at ${block.firstRow}, expected ${all.length}`);
    all.push(...denseOfBlock(block, source.shape[1]));
  }
  return all;
}

function denseOfBlock(block: CsrBlock, columns: number): unknown[][] {
  return Array.from({ length: block.rowCount }, (_, row) => {
    const cells = new Array<unknown>(columns).fill(0);
    for (let at = block.indptr[row]!; at < block.indptr[row + 1]!; at++) {
      cells[block.indices[at]!] = scalar(block.values[at]);
    }
    return cells;
  });
}

function axisArray(value: AxisArray): unknown {
  return element(value);
}

function element(value: UnsValue): unknown {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (value instanceof Frame) return frame(value);
  if (value instanceof Map) return sorted(value as ReadonlyMap<string, UnsValue>, element);
  if ("format" in value) return value.format === "dense" ? dense(value) : matrix(value);
  if ("kind" in value && value.kind === "array") return nested(value);
  return column(value as FrameColumn);
}

function nested({ shape, values, boolean }: DenseArray): unknown {
  const flat = Array.from(values as ArrayLike<unknown>, (value) => (boolean ? value === 1 : scalar(value)));
  return reshape(flat, shape);
}

function reshape(flat: unknown[], shape: readonly number[]): unknown[] {
  if (shape.length < 2) return flat;
  const step = flat.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, at) =>
    reshape(flat.slice(at * step, (at + 1) * step), shape.slice(1)),
  );
}
