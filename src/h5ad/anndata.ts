import { ArgumentError } from "../errors.js";
import { Frame, type FrameColumn, textColumn } from "../util/frame.js";
import type { TypedArray } from "../util/typed-arrays.js";
import { checkMatrix, type Matrix } from "./matrix.js";
import type { WriteH5adOptions } from "./write-anndata.js";

/** An annotated matrix in memory: cells (obs) x genes (var). */

/** A dense array of any rank, row-major. */
export interface DenseArray {
  readonly kind: "array";
  readonly shape: readonly number[];
  /** Numbers, or text (row-major, null where missing). */
  readonly values: TypedArray | readonly (string | null)[];
  /** True for booleans, which are a byte each in `values`. */
  readonly boolean?: boolean;
}

export type UnsScalar = string | number | bigint | boolean | null;

export interface UnsDict extends ReadonlyMap<string, UnsValue> {}

/** Unstructured annotation: scalars, arrays, columns (categoricals, nullable), frames, sparse matrices, nested maps. */
export type UnsValue = UnsScalar | DenseArray | FrameColumn | Frame | Matrix | UnsDict;

/** What obsm, varm hold per key: one row per cell or gene. */
export type AxisArray = DenseArray | Matrix | Frame;

export interface RawMatrix {
  readonly X: Matrix;
  readonly var: Frame;
}

export interface AnnDataInput {
  /** Cells; default: numbered "0", "1", ... by X. */
  readonly obs?: Frame;
  /** Genes; default: numbered. */
  readonly var?: Frame;
  readonly X?: Matrix | null;
  readonly layers?: ReadonlyMap<string, Matrix> | Readonly<Record<string, Matrix>>;
  readonly raw?: RawMatrix | null;
  readonly obsm?: ReadonlyMap<string, AxisArray>;
  readonly varm?: ReadonlyMap<string, AxisArray>;
  readonly obsp?: ReadonlyMap<string, Matrix>;
  readonly varp?: ReadonlyMap<string, Matrix>;
  readonly uns?: UnsDict;
  /** Name for messages, such as the path. */
  readonly name?: string;
  /** Paths of a file that were not kept. */
  readonly skipped?: readonly string[];
}

export class AnnData {
  readonly name: string;
  readonly obs: Frame;
  readonly var: Frame;
  readonly X: Matrix | null;
  readonly layers: ReadonlyMap<string, Matrix>;
  readonly raw: RawMatrix | null;
  readonly obsm: ReadonlyMap<string, AxisArray>;
  readonly varm: ReadonlyMap<string, AxisArray>;
  readonly obsp: ReadonlyMap<string, Matrix>;
  readonly varp: ReadonlyMap<string, Matrix>;
  readonly uns: UnsDict;
  /** Paths of the file it was read from that this class does not keep, "uns/rank_genes_groups/names" for example. */
  readonly skipped: readonly string[];

  /** Throws ArgumentError if any part's shape does not fit obs and var. */
  constructor(input: AnnDataInput) {
    this.name = input.name ?? "AnnData";
    this.X = input.X ?? null;
    this.obs = input.obs ?? numbered(input.X, 0, "obs");
    this.var = input.var ?? numbered(input.X, 1, "var");
    this.layers = asMap(input.layers);
    this.raw = input.raw ?? null;
    this.obsm = input.obsm ?? new Map();
    this.varm = input.varm ?? new Map();
    this.obsp = input.obsp ?? new Map();
    this.varp = input.varp ?? new Map();
    this.uns = input.uns ?? new Map();
    this.skipped = input.skipped ?? [];
    checkParts(this);
  }

  /** Cells, genes. */
  get shape(): readonly [number, number] {
    return [this.obs.rowCount, this.var.rowCount];
  }

  /** Writes an H5AD file (Node); see `writeH5ad`. */
  async write(path: string, options?: WriteH5adOptions): Promise<void> {
    // Loaded late: what only reads stores makes annotated data, too, but writes none.
    const { writeH5ad } = await import("./write-anndata.js");
    await writeH5ad(this, path, options);
  }
}

function asMap(layers: AnnDataInput["layers"]): ReadonlyMap<string, Matrix> {
  if (layers === undefined) return new Map();
  return layers instanceof Map ? layers : new Map(Object.entries(layers));
}

function numbered(matrix: Matrix | null | undefined, axis: 0 | 1, part: string): Frame {
  if (!matrix) throw new ArgumentError(`AnnData: ${part} is needed where there is no X`);
  return new Frame(textColumn(Array.from({ length: matrix.shape[axis] }, (_, row) => `${row}`)), new Map());
}

function checkParts(data: AnnData): void {
  const [cells, genes] = data.shape;
  if (data.X !== null) checkShape("X", data.X, cells, genes);
  for (const [name, layer] of data.layers) checkShape(`layers/${name}`, layer, cells, genes);
  for (const [name, pairs] of data.obsp) checkShape(`obsp/${name}`, pairs, cells, cells);
  for (const [name, pairs] of data.varp) checkShape(`varp/${name}`, pairs, genes, genes);
  for (const [name, part] of data.obsm) checkRows(`obsm/${name}`, part, cells, "cells");
  for (const [name, part] of data.varm) checkRows(`varm/${name}`, part, genes, "genes");
  if (data.raw !== null) checkShape("raw/X", data.raw.X, cells, data.raw.var.rowCount);
}

function checkShape(name: string, matrix: Matrix, rows: number, columns: number): void {
  checkMatrix(matrix, name);
  if (matrix.shape[0] === rows && matrix.shape[1] === columns) return;
  throw new ArgumentError(
    `AnnData: '${name}' is ${matrix.shape[0]} x ${matrix.shape[1]}, expected ${rows} x ${columns}`,
  );
}

function checkRows(name: string, part: AxisArray, rows: number, of: string): void {
  if ("format" in part) checkMatrix(part, name);
  const actual = part instanceof Frame ? part.rowCount : (part.shape[0] ?? 0);
  if (actual === rows) return;
  throw new ArgumentError(`AnnData: '${name}' has ${actual} rows, expected one for each of ${rows} ${of}`);
}
