import { ArgumentError, FormatError, LimitError } from "../../errors.js";
import { elementCount, type Tensor, type Weights } from "./weights.js";

/**
 * The safetensors format:
 *
 *     uint64   bytes of the header, little-endian
 *     header   JSON: name -> { dtype, shape, data_offsets: [start, end] }, in bytes from the header's end;
 *              "__metadata__": text by name. Padded with spaces to a multiple of 8.
 *     data     little-endian, row-major, in the order of the offsets, without gaps
 *
 * Written are float32 (F32) and int64 (I64); others are refused.
 */

export interface SafetensorsFile {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

const METADATA = "__metadata__";
/** What other readers take at most. */
const MAX_HEADER = 100_000_000;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function writeSafetensors(tensors: Weights, metadata: Readonly<Record<string, string>>): Uint8Array {
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    if (values.length !== elementCount(shape)) {
      throw new ArgumentError(`weights '${name}': ${values.length} values for shape ${shape.join(" x ")}`);
    }
    const start = end;
    end += values.byteLength;
    const dtype = values instanceof Float32Array ? "F32" : "I64";
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > MAX_HEADER) {
    throw new LimitError(`the header takes ${headerBytes} bytes, a safetensors file's at most ${MAX_HEADER}`);
  }
  const bytes = new Uint8Array(8 + headerBytes + end).fill(0x20, 8, 8 + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, 8);
  let at = 8 + headerBytes;
  for (const { values } of tensors.values()) {
    bytes.set(littleEndian(values), at);
    at += values.byteLength;
  }
  return bytes;
}

/** Throws FormatError for what is no such file, or has other types. */
export function readSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const fail = (problem: string) => new FormatError(`safetensors: ${problem}`, { where });
  if (bytes.length < 8) throw fail(`${bytes.length} bytes, expected 8 at least`);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (size > BigInt(Math.min(bytes.length - 8, MAX_HEADER)))
    throw fail(`a header of ${size} bytes in ${bytes.length}`);
  const data = bytes.subarray(8 + Number(size));
  const header = parseHeader(bytes.subarray(8, 8 + Number(size)), fail);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(header)) {
    if (!isRecord(value)) throw fail(`'${name}' is not an object`);
    if (name === METADATA) {
      for (const [key, text] of Object.entries(value)) metadata.set(key, String(text));
    } else tensors.set(name, readTensor(name, value, data, fail));
  }
  return { tensors, metadata };
}

type Fail = (problem: string) => FormatError;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw fail("the header is not JSON");
  }
  if (!isRecord(header)) throw fail("the header is not an object");
  return header;
}

function readTensor(name: string, entry: Record<string, unknown>, data: Uint8Array, fail: Fail): Tensor {
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== "F32" && dtype !== "I64") throw fail(`'${name}' is ${String(dtype)}, expected F32 or I64`);
  if (!isCounts(shape)) throw fail(`'${name}' has no shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw fail(`'${name}' has no data_offsets`);
  const [start, end] = offsets as [number, number];
  const expected = elementCount(shape) * (dtype === "F32" ? 4 : 8);
  if (end > data.length || end - start !== expected) {
    throw fail(`'${name}' lies at ${start} to ${end} of ${data.length} bytes, expected ${expected} of them`);
  }
  // Not slice(), which in Node's own kind of bytes is no copy.
  const own = swapped(new Uint8Array(data.subarray(start, end)), dtype === "F32" ? 4 : 8);
  const values = dtype === "F32" ? new Float32Array(own.buffer) : new BigInt64Array(own.buffer);
  return { shape, values };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
}

/** The bytes of `values` as they are in files. */
export function littleEndian(values: Float32Array | BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return isLittleEndian ? bytes : swapped(bytes.slice(), values.BYTES_PER_ELEMENT);
}

/** In place, between this machine's order of bytes and little-endian. */
function swapped<T extends Uint8Array>(bytes: T, elementBytes: number): T {
  if (isLittleEndian) return bytes;
  for (let at = 0; at < bytes.length; at += elementBytes) bytes.subarray(at, at + elementBytes).reverse();
  return bytes;
}
