import { FormatError, NotFoundError } from "../../errors.js";
import type { AnnDataSource, MatrixSource } from "../../h5ad/source.js";
import { selected } from "../../h5ad/tenx-source.js";
import { lastPart } from "../../storage/key.js";
import { locationUri, resolveReadable } from "../../storage/resolve.js";
import type { ReadableStore, StoreEntry, StoreLocation } from "../../storage/types.js";
import { Frame, type FrameColumn, type TextColumn } from "../../util/frame.js";
import { TextBuilder } from "../frames/text-builder.js";
import { MtxMatrix, mtxHeader } from "./mtx-blocks.js";
import type { MtxHeader } from "./mtx-parser.js";
import { type TextFile, textPieces } from "./text-pieces.js";

/**
 * Folders with a matrix in Matrix Market form and its names, as Cell Ranger writes them, gzipped or not, with a prefix
 * before all names or without:
 *
 *     matrix.mtx      genes x cells (cells x genes is told by the counts)
 *     features.tsv    id, name, type of each gene; genes.tsv of version 2: id, name
 *     barcodes.tsv    the cells' names
 *
 * Genes have their names as index, which need not be unique, and the columns that scanpy gives them: `gene_ids`, and of
 * version 3 `feature_types`.
 */

const MATRIX_NAMES = ["counts", "X"];
const MATRIX_FILE = /^(.*)matrix\.mtx(\.gz)?$/;

/** A path that names the matrix's file itself. */
export function isMtxPath(path: string): boolean {
  return /\.mtx(\.gz)?$/.test(path);
}

/** Opens a folder, or the file of the matrix in it. Throws NotFoundError naming the file that is missing. */
export async function openMtx(input: string | StoreLocation): Promise<AnnDataSource> {
  const location = resolveReadable(input);
  const isFile = isMtxPath(location.path);
  const folder = isFile ? { ...location, path: parentOf(location.path) } : location;
  const wanted = isFile ? lastPart(location.path) : null;
  return MtxSource.open(folder, wanted, locationUri(location));
}

/** True if the folder has one matrix. */
export async function isMtxFolder(location: StoreLocation): Promise<boolean> {
  const entries = await location.store.list(location.path, { recursive: false });
  return entries.some(({ key, size }) => size !== undefined && MATRIX_FILE.test(lastPart(key)));
}

function parentOf(key: string): string {
  const cut = key.lastIndexOf("/");
  return cut < 0 ? "" : key.slice(0, cut);
}

class MtxSource implements AnnDataSource {
  readonly name: string;
  readonly matrixNames: readonly string[] = MATRIX_NAMES;
  readonly #obs: Frame;
  readonly #var: Frame;
  readonly #matrix: MtxMatrix;

  private constructor(name: string, obs: Frame, features: Frame, matrix: MtxMatrix) {
    this.name = name;
    this.#obs = obs;
    this.#var = features;
    this.#matrix = matrix;
  }

  static async open(folder: StoreLocation, wanted: string | null, name: string): Promise<MtxSource> {
    const entries = await folder.store.list(folder.path, { recursive: false });
    const matrix = findMatrix(folder.store, entries, wanted, name);
    const base = lastPart(matrix.key)
      .replace(/\.gz$/, "")
      .replace(/\.mtx$/, "");
    const prefix = base.endsWith("matrix") ? base.slice(0, -"matrix".length) : `${base}_`;
    const find = (names: readonly string[]) => findFile(folder.store, entries, prefix, names, name);
    const obs = new Frame((await readColumns(find(["barcodes.tsv"])))[0]!, new Map());
    const features = featureFrame(await readColumns(find(["features.tsv", "genes.tsv"])));
    const header = await mtxHeader(matrix);
    const cellsAreRows = orientation(header, obs.rowCount, features.rowCount, name);
    return new MtxSource(name, obs, features, new MtxMatrix("counts", matrix, header, cellsAreRows));
  }

  get obsCount(): number {
    return this.#obs.rowCount;
  }

  get varCount(): number {
    return this.#var.rowCount;
  }

  async obs(columns: readonly string[] = []): Promise<Frame> {
    return selected(this.#obs, columns, "obs", this.name);
  }

  async var(columns?: readonly string[]): Promise<Frame> {
    return columns === undefined ? this.#var : selected(this.#var, columns, "var", this.name);
  }

  async rawVar(): Promise<Frame> {
    throw new NotFoundError("no raw/var in a Matrix Market folder", { where: this.name });
  }

  matrix(name: string): MatrixSource {
    if (MATRIX_NAMES.includes(name.replace(/^layers\//, ""))) return this.#matrix;
    throw new NotFoundError(`no matrix '${name}'; a Matrix Market folder has one, 'counts' or 'X'`, {
      where: this.name,
    });
  }

  async close(): Promise<void> {}
}

function findMatrix(
  store: ReadableStore,
  entries: readonly StoreEntry[],
  wanted: string | null,
  where: string,
): TextFile {
  const files = entries.filter(({ key, size }) => {
    const name = lastPart(key);
    return size !== undefined && (wanted === null ? MATRIX_FILE.test(name) : name === wanted);
  });
  const [file, other] = files;
  if (file === undefined) throw new NotFoundError("no file matrix.mtx or matrix.mtx.gz", { where });
  if (other === undefined) return { store, key: file.key, size: file.size! };
  const list = files.map(({ key }) => lastPart(key)).join(", ");
  throw new NotFoundError(`several matrices: ${list}; give the path of the one that is meant`, { where });
}

function findFile(
  store: ReadableStore,
  entries: readonly StoreEntry[],
  prefix: string,
  names: readonly string[],
  where: string,
): TextFile {
  const wanted = names.flatMap((name) => [`${prefix}${name}`, `${prefix}${name}.gz`]);
  const found = entries.find(({ key, size }) => size !== undefined && wanted.includes(lastPart(key)));
  if (found !== undefined) return { store, key: found.key, size: found.size! };
  throw new NotFoundError(`the matrix has no names beside it: no file ${wanted.join(" or ")}`, { where });
}

function featureFrame(columns: readonly TextColumn[]): Frame {
  const [ids, names = ids, types] = columns;
  const all = new Map<string, FrameColumn>([["gene_ids", ids!]]);
  if (types !== undefined) all.set("feature_types", types);
  return new Frame(names!, all);
}

/** Whether cells are rows. Where both ways fit, genes are, as Cell Ranger has it. */
function orientation({ rows, columns }: MtxHeader, cells: number, genes: number, where: string): boolean {
  if (rows === genes && columns === cells) return false;
  if (rows === cells && columns === genes) return true;
  throw new FormatError(
    `the matrix is ${rows} x ${columns}, expected ${genes} genes x ${cells} cells by the names beside it`,
    { where },
  );
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const MAX_COLUMNS = 3;

/** The first three columns of a file of tab-separated text; those that its first line has. */
async function readColumns(file: TextFile): Promise<TextColumn[]> {
  const parts: Uint8Array[] = [];
  for await (const piece of textPieces(file)) parts.push(piece.slice());
  const bytes = joined(parts);
  const firstEnd = bytes.indexOf(NEWLINE);
  const first = bytes.subarray(0, firstEnd < 0 ? bytes.length : firstEnd);
  const count = Math.min(MAX_COLUMNS, first.filter((byte) => byte === TAB).length + 1);
  const builders = Array.from({ length: count }, () => new TextBuilder());
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const next = newline < 0 ? bytes.length : newline;
    const end = next > at && bytes[next - 1] === RETURN ? next - 1 : next;
    splitLine(bytes, at, end, builders);
    at = next + 1;
  }
  return builders.map((builder) => builder.finish());
}

function splitLine(bytes: Uint8Array, start: number, end: number, builders: readonly TextBuilder[]): void {
  let from = start;
  for (const builder of builders) {
    const tab = from > end ? -1 : bytes.subarray(from, end).indexOf(TAB);
    const to = tab < 0 ? Math.max(from, end) : from + tab;
    if (from > end) builder.push("");
    else builder.pushBytes(bytes, from, to);
    from = to + 1;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
