import { FormatError, LimitError } from "../../errors.js";
import { ByteReader } from "../byte-reader.js";
import type { Stored } from "./filter.js";
import { OFFSET_BYTES, type Strings } from "./strings.js";

/**
 * Variable-length strings in run lengths (since version 12) or through a dictionary (since 13; UTF-8 since 17;
 * format_spec/filters/dictionary_encoding.md): the first filter of a pipeline, which takes a whole tile as one chunk
 * and holds the lengths of the cells besides their bytes. Its metadata:
 *
 * | field | type |
 * |---|---|
 * | number of metadata parts 0, of data parts 1 | uint32, uint32 |
 * | bytes of the strings, bytes of the data, bytes of the offsets | uint32, uint32, uint32 |
 * | rle: bytes of a run length, of a string length | uint8, uint8 |
 * | dictionary: bytes of an index, of a string length | uint8, uint8 |
 * | dictionary: its bytes; of each string: length, string | uint32; integer, bytes |
 *
 * Data of rle: of each run its length, the string's length, the string. Of dictionary: an index per cell. Lengths and
 * indices are big-endian integers of 1, 2, 4 or 8 bytes.
 */

/**
 * Undoes either coding.
 *
 * @param cells expected number of cells
 * @param size expected bytes of the strings
 */
export function decodeStrings(
  coding: "rle" | "dictionary",
  stored: Stored,
  cells: number,
  size: number,
): Strings {
  const reader = new ByteReader(stored.metadata, `${coding} filter`);
  const metadataParts = reader.u32("number of metadata parts");
  const dataParts = reader.u32("number of data parts");
  const stringBytes = reader.u32("bytes of strings");
  const dataBytes = reader.u32("bytes of data");
  const offsetBytes = reader.u32("bytes of offsets");
  if (metadataParts !== 0 || dataParts !== 1 || dataBytes !== stored.data.byteLength) {
    throw reader.error(
      `expected one part of ${stored.data.byteLength} bytes, found ${metadataParts} + ${dataParts} parts of ${dataBytes}`,
    );
  }
  if (stringBytes !== size || offsetBytes !== cells * OFFSET_BYTES) {
    throw reader.error(
      `expected ${cells} strings of ${size} bytes, found ${offsetBytes / OFFSET_BYTES} of ${stringBytes}`,
    );
  }
  const first = readWidth(reader, coding === "rle" ? "bytes of a run length" : "bytes of an index");
  const second = readWidth(reader, "bytes of a string length");
  return coding === "rle"
    ? decodeRuns(stored.data, first, second, cells, size)
    : decodeIndices(stored.data, first, readDictionary(reader, second), cells, size);
}

function readWidth(reader: ByteReader, field: string): number {
  const width = reader.u8(field);
  if (width === 1 || width === 2 || width === 4 || width === 8) return width;
  throw reader.error(`expected 1, 2, 4 or 8 ${field}, found ${width}`);
}

function decodeRuns(
  runs: Uint8Array,
  runWidth: number,
  lengthWidth: number,
  cells: number,
  size: number,
): Strings {
  // First only count, so that memory is taken for what is there.
  let counted = 0;
  let bytes = 0;
  for (let at = 0; at < runs.byteLength; ) {
    if (runs.byteLength - at < runWidth + lengthWidth) throw mismatch("rle", "a run is cut");
    const run = getInteger(runs, at, runWidth);
    const length = getInteger(runs, at + runWidth, lengthWidth);
    at += runWidth + lengthWidth + length;
    if (at > runs.byteLength) throw mismatch("rle", "a string is cut");
    counted += run;
    bytes += run * length;
  }
  if (counted !== cells || bytes !== size) {
    throw mismatch("rle", `expected ${cells} strings of ${size} bytes, found ${counted} of ${bytes}`);
  }
  const offsets = new Uint32Array(cells + 1);
  const data = allocate("rle", size);
  let cell = 0;
  let to = 0;
  for (let at = 0; at < runs.byteLength; ) {
    const run = getInteger(runs, at, runWidth);
    const length = getInteger(runs, at + runWidth, lengthWidth);
    at += runWidth + lengthWidth;
    const string = runs.subarray(at, at + length);
    for (let i = 0; i < run; i++) {
      data.set(string, to);
      to += length;
      offsets[++cell] = to;
    }
    at += length;
  }
  return { offsets, data };
}

interface Dictionary {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

function readDictionary(reader: ByteReader, lengthWidth: number): Dictionary {
  const bytes = reader.take(reader.u32("bytes of the dictionary"), "dictionary");
  const starts: number[] = [];
  const lengths: number[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    if (bytes.byteLength - at < lengthWidth) throw reader.error("a length in the dictionary is cut");
    const length = getInteger(bytes, at, lengthWidth);
    at += lengthWidth;
    if (length > bytes.byteLength - at) throw reader.error("a string in the dictionary is cut");
    starts.push(at);
    lengths.push(length);
    at += length;
  }
  return { bytes, starts: Uint32Array.from(starts), lengths: Uint32Array.from(lengths) };
}

function decodeIndices(
  indices: Uint8Array,
  width: number,
  dictionary: Dictionary,
  cells: number,
  size: number,
): Strings {
  if (indices.byteLength !== cells * width) {
    throw mismatch(
      "dictionary",
      `expected ${cells} indices of ${width} bytes, found ${indices.byteLength} bytes`,
    );
  }
  const { bytes, starts, lengths } = dictionary;
  const offsets = new Uint32Array(cells + 1);
  let total = 0;
  for (let i = 0; i < cells; i++) {
    const index = getInteger(indices, i * width, width);
    if (index >= lengths.length) throw mismatch("dictionary", `index ${index} of ${lengths.length} strings`);
    total += lengths[index]!;
    if (total > size) throw mismatch("dictionary", `more than the expected ${size} bytes of strings`);
    offsets[i + 1] = total;
  }
  if (total !== size) throw mismatch("dictionary", `expected ${size} bytes of strings, found ${total}`);
  const data = allocate("dictionary", size);
  for (let i = 0; i < cells; i++) {
    const index = getInteger(indices, i * width, width);
    const start = starts[index]!;
    data.set(bytes.subarray(start, start + lengths[index]!), offsets[i]!);
  }
  return { offsets, data };
}

function mismatch(coding: string, problem: string): FormatError {
  return new FormatError(`${coding} filter: ${problem}`);
}

function allocate(coding: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new LimitError(`${coding} filter: cannot take ${size} bytes`, { cause });
  }
}

function getInteger(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i]!;
  return value;
}
