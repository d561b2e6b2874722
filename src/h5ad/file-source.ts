import { FormatError, NotFoundError } from "../errors.js";
import type { Frame } from "../util/frame.js";
import { H5File } from "./h5-file.js";
import { isMatrix, locateMatrix, type MatrixLocation } from "./h5-matrix.js";
import { H5MatrixSource } from "./h5-matrix-source.js";
import type { MatrixShape } from "./matrix.js";
import { frameRows, readFrame } from "./read-frame.js";
import type { AnnDataSource, MatrixSource } from "./source.js";

/** An H5AD file, read as needed. */

export interface OpenOptions {
  /** Name for messages; default the path. */
  readonly name?: string;
}

/**
 * Opens an H5AD file: a path (Node; read from disk as needed) or its bytes (not copied). Files of anndata 0.5 and later.
 * Throws NotFoundError, or FormatError for a cut, empty or foreign file. Call `close` when done.
 */
export async function openH5ad(
  source: string | Uint8Array,
  options: OpenOptions = {},
): Promise<AnnDataSource> {
  return FileSource.open(source, options);
}

export class FileSource implements AnnDataSource {
  readonly file: H5File;
  readonly name: string;
  readonly obsCount: number;
  readonly varCount: number;
  readonly matrixNames: readonly string[];
  /** Paths of matrices in the file, by name. */
  private readonly paths: ReadonlyMap<string, string>;

  /** Takes over the open file. Throws FormatError where it is no H5AD file. */
  constructor(file: H5File) {
    this.file = file;
    this.name = file.name;
    if (file.kind("/obs") === null || file.kind("/var") === null) {
      throw new FormatError("not an H5AD file: no obs and var in it", { where: file.name });
    }
    this.obsCount = frameRows(file, "/obs");
    this.varCount = frameRows(file, "/var");
    this.paths = matrixPaths(file);
    this.matrixNames = [...this.paths.keys()];
  }

  static async open(source: string | Uint8Array, options: OpenOptions): Promise<FileSource> {
    const file = await H5File.open(source, options.name);
    try {
      return new FileSource(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async obs(columns?: readonly string[]): Promise<Frame> {
    return readFrame(this.file, "/obs", { columns, categoriesInUns: true });
  }

  async var(columns?: readonly string[]): Promise<Frame> {
    return readFrame(this.file, "/var", { columns, categoriesInUns: true });
  }

  async rawVar(columns?: readonly string[]): Promise<Frame> {
    const path = rawVarPath(this.file);
    if (path === null) throw new NotFoundError("no raw/var", { where: this.name });
    return readFrame(this.file, path, { columns });
  }

  matrix(name: string): MatrixSource {
    return new H5MatrixSource(this.locate(name));
  }

  locate(name: string): MatrixLocation {
    const path = this.paths.get(name) ?? this.paths.get(name.replace(/^layers\//, ""));
    if (path === undefined) {
      const list = this.matrixNames.length === 0 ? "none" : this.matrixNames.join(", ");
      throw new NotFoundError(`no matrix or layer '${name}'; there are: ${list}`, { where: this.name });
    }
    return locateMatrix(this.file, path, name, this.expectedShape(name));
  }

  async close(): Promise<void> {
    this.file.close();
  }

  private expectedShape(name: string): MatrixShape {
    const raw = name === "raw/X" ? rawVarPath(this.file) : null;
    return [this.obsCount, raw === null ? this.varCount : frameRows(this.file, raw)];
  }
}

/** Path of raw's genes: "raw.var" before anndata 0.7. */
export function rawVarPath(file: H5File): string | null {
  return ["/raw/var", "/raw.var"].find((path) => file.kind(path) !== null) ?? null;
}

/** Name of a layer among all matrices: its own, but for one that is called X. */
export function layerKey(name: string): string {
  return name === "X" ? "layers/X" : name;
}

function matrixPaths(file: H5File): Map<string, string> {
  const paths = new Map<string, string>();
  if (isMatrix(file, "/X")) paths.set("X", "/X");
  const raw = ["/raw/X", "/raw.X"].find((path) => isMatrix(file, path));
  if (raw !== undefined) paths.set("raw/X", raw);
  const layers = file.kind("/layers") === "group" ? file.keys("/layers") : [];
  for (const name of layers) {
    const path = `/layers/${name}`;
    if (isMatrix(file, path)) paths.set(layerKey(name), path);
  }
  return paths;
}
