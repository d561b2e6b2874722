import { UnsupportedError } from "../errors.js";
import { Frame, textColumn } from "../util/frame.js";
import type { AnnData, DenseArray, UnsDict, UnsScalar, UnsValue } from "./anndata.js";
import { memoryLibrary, memoryPath } from "./h5-file.js";
import { applyPatch } from "./h5-header-patch.js";
import type { H5Writer } from "./h5-writer.js";
import type { Matrix, SparseMatrix } from "./matrix.js";
import {
  checkName,
  encode,
  writeBooleans,
  writeColumn,
  writeFrame,
  writeNumbers,
  writeText,
} from "./write-frame.js";
import { fillH5File, type WriteH5Options, writeH5File } from "./write-h5-file.js";

/** Writing H5AD files as anndata 0.8 and later do: every element carries encoding-type and encoding-version. */

export type WriteH5adOptions = WriteH5Options;

/**
 * Writes `data` to a path (Node). The file appears under its name when it is complete. Throws ExistsError,
 * StorageError (disk full, no such folder), ValueError or ArgumentError for what H5AD cannot hold.
 */
export async function writeH5ad(data: AnnData, path: string, options: WriteH5adOptions = {}): Promise<void> {
  await writeH5File(path, options, (writer) => writeAnnData(writer, data));
}

/** The bytes of an H5AD file of `data`. Held in memory whole. */
export async function toH5adBytes(data: AnnData, options: WriteH5adOptions = {}): Promise<Uint8Array> {
  const library = await memoryLibrary();
  const path = memoryPath();
  const { FS } = library.module;
  try {
    const patches = await fillH5File(library, path, data.name, options, (writer) =>
      writeAnnData(writer, data),
    );
    const bytes = FS.readFile(path) as Uint8Array;
    for (const patch of patches) {
      applyPatch(
        patch,
        (offset, length) => bytes.subarray(offset, offset + length),
        (offset, content) => bytes.set(content, offset),
      );
    }
    return bytes;
  } finally {
    if (FS.analyzePath(path).exists) FS.unlink(path);
  }
}

function writeAnnData(writer: H5Writer, data: AnnData): void {
  encode(writer, "/", "anndata", "0.1.0");
  if (data.X !== null) writeMatrix(writer, "/X", data.X);
  writeFrame(writer, "/obs", data.obs);
  writeFrame(writer, "/var", data.var);
  writeDict(writer, "/obsm", data.obsm);
  writeDict(writer, "/varm", data.varm);
  writeDict(writer, "/obsp", data.obsp);
  writeDict(writer, "/varp", data.varp);
  writeDict(writer, "/layers", data.layers);
  writeDict(writer, "/uns", data.uns);
  if (data.raw === null) return;
  writer.group("/raw");
  encode(writer, "/raw", "raw", "0.1.0");
  writeMatrix(writer, "/raw/X", data.raw.X);
  writeFrame(writer, "/raw/var", data.raw.var);
  writeDict(writer, "/raw/varm", new Map());
}

export function writeDict(writer: H5Writer, path: string, dict: UnsDict): void {
  writer.group(path);
  encode(writer, path, "dict", "0.1.0");
  for (const [name, value] of dict) {
    checkName(name, `${path.slice(1)}: key`);
    writeValue(writer, `${path}/${name}`, value);
  }
}

function writeValue(writer: H5Writer, path: string, value: UnsValue): void {
  if (typeof value !== "object" || value === null) writeScalar(writer, path, value);
  else if (value instanceof Frame) writeFrame(writer, path, value);
  else if (value instanceof Map) writeDict(writer, path, value);
  else if ("format" in value) writeMatrix(writer, path, value);
  else if (!("kind" in value))
    throw new UnsupportedError(`${path.slice(1)}: a value that H5AD does not hold`);
  else if (value.kind === "array") writeArray(writer, path, value);
  else writeColumn(writer, path, value);
}

function writeScalar(writer: H5Writer, path: string, value: UnsScalar): void {
  if (value === null) {
    writer.nothing(path);
    encode(writer, path, "null", "0.1.0");
  } else if (typeof value === "string") {
    writer.text(path, textColumn([value]), []);
    encode(writer, path, "string", "0.2.0");
  } else {
    if (typeof value === "boolean") writer.booleans(path, Uint8Array.of(value ? 1 : 0), []);
    else writer.numbers(path, scalarArray(value), []);
    encode(writer, path, "numeric-scalar", "0.2.0");
  }
}

function scalarArray(value: number | bigint): BigInt64Array | Float64Array {
  if (typeof value === "bigint") return BigInt64Array.of(value);
  return Number.isSafeInteger(value) ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value);
}

function writeArray(writer: H5Writer, path: string, { shape, values, boolean }: DenseArray): void {
  if (isText(values)) writeText(writer, path, textColumn(values), shape);
  else if (boolean && values instanceof Uint8Array) writeBooleans(writer, path, values, shape);
  else writeNumbers(writer, path, values, shape);
}

function isText(values: DenseArray["values"]): values is readonly (string | null)[] {
  return Array.isArray(values);
}

function writeMatrix(writer: H5Writer, path: string, matrix: Matrix): void {
  if (matrix.format === "dense") writeNumbers(writer, path, matrix.values, matrix.shape);
  else writeSparse(writer, path, matrix);
}

function writeSparse(writer: H5Writer, path: string, matrix: SparseMatrix): void {
  writer.group(path);
  encode(writer, path, `${matrix.format}_matrix`, "0.1.0");
  writer.numberAttribute(path, "shape", BigInt64Array.from(matrix.shape, BigInt));
  writer.numbers(`${path}/data`, matrix.data);
  const { indices, indptr } = positions(matrix);
  writer.numbers(`${path}/indices`, indices);
  writer.numbers(`${path}/indptr`, indptr);
}

/** scipy wants indices and indptr of one type, int32 where both fit. */
function positions({ indices, indptr, shape }: SparseMatrix): {
  indices: Int32Array | BigInt64Array;
  indptr: Int32Array | BigInt64Array;
} {
  const limit = 2 ** 31 - 1;
  if (indices.length <= limit && Math.max(...shape) <= limit) {
    return { indices: Int32Array.from(indices), indptr: Int32Array.from(indptr) };
  }
  return { indices: BigInt64Array.from(indices, BigInt), indptr: BigInt64Array.from(indptr, BigInt) };
}
