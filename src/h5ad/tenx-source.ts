import { ArgumentError, FormatError, NotFoundError } from "../errors.js";
import { Frame, type FrameColumn, type TextColumn } from "../util/frame.js";
import { H5Dataset } from "./h5-dataset.js";
import { H5File } from "./h5-file.js";
import type { SparseLocation } from "./h5-matrix.js";
import { H5MatrixSource } from "./h5-matrix-source.js";
import { expectNumbers } from "./h5-type.js";
import type { MatrixShape } from "./matrix.js";
import type { AnnDataSource, MatrixSource } from "./source.js";

/**
 * Feature-barcode matrices of Cell Ranger in HDF5 (`filtered_feature_bc_matrix.h5`), read as needed. A group has the
 * matrix of genes x cells compressed by columns, which is the same as cells x genes compressed by rows:
 *
 *     version 3 on    /matrix/{barcodes, data, indices, indptr, shape}, /matrix/features/{id, name, feature_type, genome}
 *     version 2       /<genome>/{barcodes, data, indices, indptr, shape, genes, gene_names}, a group per genome
 *
 * Genes have their names as index, which need not be unique, and the columns that scanpy gives them: `gene_ids`, and of
 * version 3 `feature_types` and the other text of `features`.
 */

/** The matrix's names: what builds ask for unless told otherwise, and that of AnnData. */
const MATRIX_NAMES = ["counts", "X"];

export interface TenxOptions {
  /** Name for messages; default the path. */
  readonly name?: string | undefined;
  /** Group of a version 2 file with several genomes. */
  readonly genome?: string | undefined;
}

/** Opens such a file: a path (Node) or its bytes. Throws NotFoundError, FormatError; ArgumentError without a `genome`. */
export async function openTenxH5(
  source: string | Uint8Array,
  options: TenxOptions = {},
): Promise<AnnDataSource> {
  const file = await H5File.open(source, options.name);
  try {
    return new TenxSource(file, options.genome);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Groups of a file that hold a matrix; none where it is no file of Cell Ranger. */
export function tenxGroups(file: H5File): string[] {
  const isMatrix = (group: string) =>
    file.kind(`/${group}`) === "group" &&
    ["barcodes", "data", "indices", "indptr", "shape"].every(
      (part) => file.kind(`/${group}/${part}`) === "dataset",
    );
  return file.keys("/").filter(isMatrix);
}

export class TenxSource implements AnnDataSource {
  readonly file: H5File;
  readonly name: string;
  readonly obsCount: number;
  readonly varCount: number;
  readonly matrixNames: readonly string[] = MATRIX_NAMES;
  readonly #group: string;

  constructor(file: H5File, genome?: string) {
    this.file = file;
    this.name = file.name;
    this.#group = chooseGroup(file, genome);
    const shape = new H5Dataset(file, `${this.#group}/shape`).numbers();
    const [genes, cells] = Array.from(shape as ArrayLike<number | bigint>, Number);
    if (shape.length !== 2 || !isCount(genes) || !isCount(cells)) {
      throw new FormatError("10x matrix: shape is no pair of counts", { where: file.name });
    }
    this.obsCount = cells;
    this.varCount = genes;
  }

  async obs(columns: readonly string[] = []): Promise<Frame> {
    const index = this.#text("barcodes", this.obsCount);
    return selected(new Frame(index, new Map()), columns, "obs", this.name);
  }

  async var(columns?: readonly string[]): Promise<Frame> {
    const frame = this.#features();
    return columns === undefined ? frame : selected(frame, columns, "var", this.name);
  }

  async rawVar(): Promise<Frame> {
    throw new NotFoundError("no raw/var in a 10x file", { where: this.name });
  }

  matrix(name: string): MatrixSource {
    if (!MATRIX_NAMES.includes(name.replace(/^layers\//, ""))) {
      throw new NotFoundError(`no matrix '${name}'; a 10x file has one, 'counts' or 'X'`, {
        where: this.name,
      });
    }
    return new H5MatrixSource(this.#locate(name));
  }

  async close(): Promise<void> {
    this.file.close();
  }

  #locate(label: string): SparseLocation {
    const part = (name: string) => new H5Dataset(this.file, `${this.#group}/${name}`);
    const [indptr, indices, data] = [part("indptr"), part("indices"), part("data")];
    const shape: MatrixShape = [this.obsCount, this.varCount];
    const type = expectNumbers(data.type, `matrix '${label}'`, this.name);
    this.#checkLength("indices", indices.rows, data.rows);
    this.#checkLength("indptr", indptr.rows, this.obsCount + 1);
    return { storage: "csr", label, shape, type, indptr, indices, data };
  }

  #features(): Frame {
    const folder = `${this.#group}/features`;
    if (this.file.kind(folder) !== "group") {
      const columns = new Map<string, FrameColumn>([["gene_ids", this.#text("genes", this.varCount)]]);
      return new Frame(this.#text("gene_names", this.varCount), columns);
    }
    const columns = new Map<string, FrameColumn>([["gene_ids", this.#text("features/id", this.varCount)]]);
    for (const name of this.file.keys(folder)) {
      const path = `features/${name}`;
      if (name === "id" || name === "name" || !this.#isColumn(path)) continue;
      columns.set(name === "feature_type" ? "feature_types" : name, this.#text(path, this.varCount));
    }
    return new Frame(this.#text("features/name", this.varCount), columns);
  }

  /** Text of every gene; `_all_tag_keys` and the like are something else. */
  #isColumn(part: string): boolean {
    const path = `${this.#group}/${part}`;
    if (this.file.kind(path) !== "dataset") return false;
    const { type, shape, rows } = new H5Dataset(this.file, path);
    return type.kind === "text" && shape?.length === 1 && rows === this.varCount;
  }

  #text(part: string, count: number): TextColumn {
    const path = `${this.#group}/${part}`;
    if (this.file.kind(path) !== "dataset") {
      throw new FormatError(`10x matrix: no dataset '${part}'`, { where: this.name });
    }
    const dataset = new H5Dataset(this.file, path);
    this.#checkLength(part, dataset.rows, count);
    return dataset.text();
  }

  #checkLength(part: string, actual: number, expected: number): void {
    if (actual === expected) return;
    throw new FormatError(`10x matrix: ${part} has ${actual} entries, expected ${expected}`, {
      where: this.name,
    });
  }
}

function chooseGroup(file: H5File, genome: string | undefined): string {
  const groups = tenxGroups(file);
  const list = groups.join(", ");
  if (groups.length === 0) {
    throw new FormatError("no matrix of Cell Ranger in it", { where: file.name });
  }
  if (genome !== undefined) {
    if (groups.includes(genome)) return `/${genome}`;
    throw new NotFoundError(`no genome '${genome}'; there are: ${list}`, { where: file.name });
  }
  if (groups.length === 1) return `/${groups[0]!}`;
  throw new ArgumentError(`several genomes: ${list}; open it by openTenxH5 with the one that is meant`, {
    where: file.name,
  });
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

/** Only these columns. */
export function selected(frame: Frame, columns: readonly string[], part: string, where: string): Frame {
  const taken = columns.map((name): [string, FrameColumn] => {
    const column = frame.columns.get(name);
    if (column !== undefined) return [name, column];
    const list = frame.columnNames.join(", ") || "none";
    throw new NotFoundError(`no column '${name}' in ${part}; there are: ${list}`, { where });
  });
  return new Frame(frame.index, new Map(taken), frame.indexName);
}
