import { ArgumentError } from "../../errors.js";
import type { AnnData } from "../../h5ad/anndata.js";
import { type MatrixDtype, matrixDtypes } from "../../h5ad/matrix.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import type { StoreLocation } from "../../storage/types.js";
import type { Frame } from "../../util/frame.js";
import type { MetadataForm } from "../columns/column-form.js";
import type { ColumnType } from "../frames/column-types.js";
import { type IndexType, storeNames } from "../layout.js";
import type { CombineRule } from "./combine.js";
import type { MisfitRule } from "./fit-values.js";
import type { MatrixLayout } from "./matrix-schema.js";

/** What a build takes: the options of Python cellarr 0.3.2 in camelCase, with our own defaults where Python's fail. */

/** Types of columns by name; columns that are not named get theirs by `metadata` of the build. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>;

/**
 * Types of columns of obs. Null leaves the type open: by `metadata` of the build that of the files' columns, the narrowest
 * that has the values of all of them, or text.
 */
export type ObsTypes = Readonly<Record<string, ColumnType | null>>;

export interface CellMetadataOptions {
  /** True: don't write cell metadata. */
  readonly skip?: boolean;
  /** Type of the matrices' cell dimension; default "uint32". */
  readonly dtype?: IndexType;
  /** Default "cell_metadata". */
  readonly tiledbStoreName?: string;
  /**
   * Without `cellMetadata`: the columns of obs to store and their types, in this order; for the cells of a file that does
   * not have one it is null, and "NA" where it is of type "ascii" or "utf8". A column whose type is left open must be in
   * one file at least. With `cellMetadata`: types of its columns.
   */
  readonly columnTypes?: ObsTypes;
}

export interface GeneAnnotationOptions {
  readonly skip?: boolean;
  /** Column of var that names the genes; default "index", the row names. */
  readonly featureColumn?: string;
  /** Type of the matrices' gene dimension; default "uint32". */
  readonly dtype?: IndexType;
  /** Default "gene_annotation". */
  readonly tiledbStoreName?: string;
  /** Types of the annotation's columns. */
  readonly columnTypes?: ColumnTypes;
}

export interface SampleMetadataOptions {
  readonly skip?: boolean;
  /** Python takes it too: no array has a dimension of samples. Checked, otherwise without effect. */
  readonly dtype?: IndexType;
  /** Default "sample_metadata". */
  readonly tiledbStoreName?: string;
  /** Types of the columns, those that cellarr adds included. */
  readonly columnTypes?: ColumnTypes;
}

export interface MatrixOptions {
  /** A layer of every file ("counts" or "layers/counts"), "X" or "raw/X"; default "counts". */
  readonly matrixName?: string;
  /** Name of the array's attribute; default "data". */
  readonly matrixAttrName?: string;
  /** Name of the array in the group `assays`; default the matrix's name ("raw/X" becomes "raw_X"). */
  readonly tiledbStoreName?: string;
  /** Type of the values; default "uint16". */
  readonly dtype?: MatrixDtype;
  /** What becomes of values that `dtype` does not have; default "error". */
  readonly onMisfit?: MisfitRule;
  /** How columns of the same gene in one file are combined; default "sum". */
  readonly consolidateDuplicateGeneFunc?: CombineRule;
  /** True: don't write this matrix. */
  readonly skip?: boolean;
}

/**
 * A path or URL (https:, s3: and others) of an H5AD file or a 10x HDF5 file, the path of a Matrix Market folder or of the
 * matrix in it, the bytes of an HDF5 file, or annotated data that is open already (and stays open).
 */
export type FileInput = string | Uint8Array | AnnData | AnnDataSource;

/** A frame, a path of a CSV file, or CSV itself: text with a line break, or UTF-8 bytes. */
export type TableInput = Frame | string | Uint8Array;

export type BuildStep =
  | "download"
  | "scan"
  | "gene_annotation"
  | "sample_metadata"
  | "cell_metadata"
  | "matrix"
  | "gene_major"
  | "optimize";

export interface BuildProgress {
  readonly step: BuildStep;
  /** The file, store or matrix that the step is at. */
  readonly item: string;
  /** Parts of the step that are done, of `total`: files of "scan", bytes of "download", otherwise cells or arrays. */
  readonly done: number;
  readonly total: number;
}

export interface BuildOptions {
  /** Folder of the store; made where it does not exist. */
  readonly outputPath: string | StoreLocation;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  /** One sample each, in the order in which their cells are stored. */
  readonly files: readonly FileInput[];
  /**
   * The genes of the store. A list: its sorted set. A frame or CSV: its rows in their order, named by the column
   * `cellarr_gene_index` where present, otherwise by the frame's index or CSV's first column. Default: all genes of
   * all files, sorted by code point as Python does.
   */
  readonly geneAnnotation?: readonly string[] | TableInput;
  /** A row per file, in the order of `files`. */
  readonly sampleMetadata?: TableInput;
  /** A row per cell, in the order of `files` and the cells in them. */
  readonly cellMetadata?: TableInput;
  readonly geneAnnotationOptions?: GeneAnnotationOptions;
  readonly sampleMetadataOptions?: SampleMetadataOptions;
  readonly cellMetadataOptions?: CellMetadataOptions;
  /** Default: the layer "counts" as uint16. */
  readonly matrixOptions?: MatrixOptions | readonly MatrixOptions[];
  /**
   * Default true: every array has one fragment in the end, as after Python's `optimize_tiledb`. Matrices are written so
   * that there is nothing to consolidate. False: a fragment per file and matrix.
   */
  readonly optimize?: boolean;
  /**
   * How matrices are stored: "compact" (default), a third of the size, or with the filters of Python cellarr. Both are
   * read by Python cellarr.
   */
  readonly layout?: MatrixLayout;
  /**
   * How columns are stored whose type is left open, and what becomes of missing values: "typed", so that nothing is lost,
   * or "python", as Python cellarr does it; see MetadataForm. Default "typed", with the layout "python" that.
   */
  readonly metadata?: MetadataForm;
  /**
   * Columns of cell metadata and gene annotation that say what each matrix adds up to, such as `cellarr_counts_total`;
   * see summaryNames. Default true, with metadata "python" false. They stand for the matrices of this build: skipped parts
   * have none.
   */
  readonly summaries?: boolean;
  /**
   * Default true: beside each matrix a copy sorted by genes, from which few genes of many cells are read; it takes about
   * four fifths of the matrix's bytes. Python cellarr takes no notice of it. `indexDataset` makes it later.
   */
  readonly geneMajor?: boolean;
  /**
   * Files in work at a time; default 1. While matrices are written with `optimize`, matrices at a time. They share one
   * thread: what is gained is that reading, compressing (in Node off the thread) and writing overlap.
   */
  readonly numThreads?: number;
  /**
   * True: replace arrays of the same names that are in the folder, and with frames all matrices. The old ones stay until
   * the new ones are complete, so there must be room for both; a build that fails or is aborted leaves them as they were.
   * (In a store without `rename` they are deleted before the new ones are copied to their places.)
   */
  readonly overwrite?: boolean;
  /**
   * True: a build that fails, is aborted or is killed keeps the files of each matrix that are done, and the next one with
   * the same inputs and options, and `resume`, goes on from there. It takes longer: each file makes a fragment, and these
   * are consolidated afterwards. A build without `resume`, with `overwrite` where a store is there, starts anew.
   */
  readonly resume?: boolean;
  readonly onProgress?: (progress: BuildProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export type ResolvedMatrix = Required<MatrixOptions>;

export const misfitRules = ["error", "round", "clip", "round-clip"] as const satisfies readonly MisfitRule[];
const combineRules: readonly string[] = ["sum", "max", "min", "mean", "first"] satisfies CombineRule[];

/** All matrices with their defaults. Throws ArgumentError for what is unknown, and for names given twice. */
export function resolveMatrices(options: BuildOptions["matrixOptions"]): ResolvedMatrix[] {
  const list: readonly MatrixOptions[] = isList(options) ? options : [options ?? {}];
  const matrices = list.map(resolveMatrix);
  checkUnique(
    matrices.map(({ matrixName }) => matrixName),
    "matrix",
  );
  checkUnique(
    matrices.map(({ tiledbStoreName }) => tiledbStoreName),
    "store name of matrices",
  );
  return matrices;
}

function isList(options: BuildOptions["matrixOptions"]): options is readonly MatrixOptions[] {
  return Array.isArray(options);
}

function resolveMatrix(options: MatrixOptions): ResolvedMatrix {
  const matrixName = options.matrixName ?? "counts";
  const matrix: ResolvedMatrix = {
    matrixName,
    matrixAttrName: options.matrixAttrName ?? "data",
    tiledbStoreName: options.tiledbStoreName ?? matrixName.replaceAll("/", "_"),
    dtype: options.dtype ?? "uint16",
    onMisfit: options.onMisfit ?? "error",
    consolidateDuplicateGeneFunc: options.consolidateDuplicateGeneFunc ?? "sum",
    skip: options.skip ?? false,
  };
  const what = `matrix '${matrixName}'`;
  checkOneOf(matrix.dtype, matrixDtypes, `${what}: dtype`);
  checkOneOf(matrix.onMisfit, misfitRules, `${what}: onMisfit`);
  const combine = matrix.consolidateDuplicateGeneFunc;
  if (typeof combine !== "function") {
    checkOneOf(combine, combineRules, `${what}: consolidateDuplicateGeneFunc`);
  }
  checkStoreName(matrix.tiledbStoreName, what);
  return matrix;
}

function checkOneOf(value: string, allowed: readonly string[], what: string): void {
  if (allowed.includes(value)) return;
  throw new ArgumentError(`${what} is '${value}', expected ${allowed.join(", ")}`);
}

function checkUnique(names: readonly string[], what: string): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ArgumentError(`${what} '${twice}' is given twice`);
}

/** Names of the frames' folders, checked to be three different ones. */
export function resolveFrameNames(options: BuildOptions): {
  readonly genes: string;
  readonly samples: string;
  readonly cells: string;
} {
  const names = {
    genes: options.geneAnnotationOptions?.tiledbStoreName ?? storeNames.geneAnnotation,
    samples: options.sampleMetadataOptions?.tiledbStoreName ?? storeNames.sampleMetadata,
    cells: options.cellMetadataOptions?.tiledbStoreName ?? storeNames.cellMetadata,
  };
  for (const [what, name] of Object.entries(names)) checkStoreName(name, `store of ${what}`);
  checkUnique([...Object.values(names), storeNames.assays, storeNames.geneMajor], "store name");
  return names;
}

/** A folder of its own, that no other part of a TileDB array or group is called. */
function checkStoreName(name: string, what: string): void {
  if (/^[^/\\\0]+$/.test(name) && name !== "." && name !== ".." && !name.startsWith("__")) return;
  throw new ArgumentError(
    `${what}: '${name}' cannot be a store's name: one folder name that does not start with "__" is expected`,
  );
}
