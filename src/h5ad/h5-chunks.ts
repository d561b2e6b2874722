import { unzlibSync } from "fflate";
import { FormatError, UnsupportedError } from "../errors.js";
import type { ReadAt } from "./h5-file.js";
import { hostInflate } from "./h5-inflate.js";
import { decodeLzf } from "./lzf.js";

/**
 * Chunks of datasets that are compressed with a filter that the HDF5 library here lacks: lzf, which h5py offers; and with
 * gzip where the host inflates faster than the library. It has no call that gives a chunk as it is stored, so the chunk's
 * place is looked up in the file. HDF5 file format specification, version 1 of what h5py writes unless told otherwise:
 *
 * | structure | fields |
 * |---|---|
 * | object header | see h5-header-patch.ts; message 16 continues it: offset (8), length (8) |
 * | layout message, version 3, class 2 | version (1), class (1), rank + 1 (1), address of the B-tree (8), chunk lengths (4 each), element size (4) |
 * | B-tree node, version 1, type 1 | "TREE", type (1), level (1), entries (2), siblings (8, 8), then key and child address (8) alternating |
 * | its keys | bytes stored (4), mask of filters left out (4), offsets (8 each, one more than the rank) |
 */

export interface StoredFilter {
  readonly id: number;
  readonly cd_values: readonly number[];
}

export interface Chunk {
  /** Of its first element, per dimension. */
  readonly offsets: readonly number[];
  readonly address: number;
  readonly bytes: number;
  /** Bit i set: filter i was left out. */
  readonly mask: number;
}

export interface ChunkIndex {
  /** Elements of a chunk, per dimension. */
  readonly lengths: readonly number[];
  /** Bytes of an element in the file. */
  readonly elementSize: number;
  /** Chunks by the first dimension's place: offset / length. */
  readonly bands: ReadonlyMap<number, readonly Chunk[]>;
}

const GZIP = 1;
const SHUFFLE = 2;
const FLETCHER32 = 3;
const LZF = 32000;
const KNOWN = new Set([GZIP, SHUFFLE, FLETCHER32, LZF]);

/** True if the library would fail on these filters and this module would not. */
export function decodesHere(filters: readonly StoredFilter[]): boolean {
  return filters.some((filter) => filter.id === LZF) && filters.every((filter) => KNOWN.has(filter.id));
}

/**
 * True if the host decodes these filters faster than the library: gzip, with or without shuffle. Checksums of chunks are
 * left to the library, which compares them.
 */
export function decodesFaster(filters: readonly StoredFilter[]): boolean {
  if (hostInflate() === null || !filters.some((filter) => filter.id === GZIP)) return false;
  return filters.every((filter) => filter.id === GZIP || filter.id === SHUFFLE);
}

/** Undoes the filters of a stored chunk, last first; what fills `into` where that is given is there in the end. */
export function decodeChunk(
  stored: Uint8Array,
  mask: number,
  filters: readonly StoredFilter[],
  size: number,
  elementSize: number,
  into?: Uint8Array,
): Uint8Array {
  let bytes = stored;
  for (let at = filters.length - 1; at >= 0; at--) {
    if ((mask >> at) & 1) continue;
    bytes = undo(filters[at]!.id, bytes, size, elementSize, at === 0 ? into : undefined);
  }
  if (bytes.length !== size) throw new FormatError(`chunk of ${bytes.length} bytes, expected ${size}`);
  if (into === undefined || bytes === into) return bytes;
  into.set(bytes);
  return into;
}

function undo(
  filter: number,
  bytes: Uint8Array,
  size: number,
  elementSize: number,
  into: Uint8Array | undefined,
): Uint8Array {
  if (filter === LZF) return decodeLzf(bytes, size);
  if (filter === SHUFFLE) return unshuffle(bytes, elementSize);
  if (filter === FLETCHER32) return bytes.subarray(0, bytes.length - 4);
  const out = into ?? new Uint8Array(size);
  try {
    const inflate = hostInflate();
    if (inflate === null) return unzlibSync(bytes, { out });
    inflate(bytes, out);
    return out;
  } catch (cause) {
    throw new FormatError("chunk: corrupt gzip data", { cause });
  }
}

/** Bytes 0 of all elements, then bytes 1, ...; what is left over at the end stays. */
function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  const count = Math.floor(bytes.length / elementSize);
  const output = bytes.slice();
  for (let byte = 0, from = 0; byte < elementSize; byte++) {
    for (let element = 0; element < count; element++) output[element * elementSize + byte] = bytes[from++]!;
  }
  return output;
}

/** Finds the chunks of the dataset whose object header is at `address`. */
export function readChunkIndex(read: ReadAt, address: number): ChunkIndex {
  const layout = viewOf(findLayout(read, address));
  const [version, layoutClass, rankAndOne] = [layout.getUint8(0), layout.getUint8(1), layout.getUint8(2)];
  if (version !== 3 || layoutClass !== 2) {
    throw new UnsupportedError(
      `lzf in a layout of version ${version}, class ${layoutClass}, expected 3 and 2`,
    );
  }
  const lengths = Array.from({ length: rankAndOne }, (_, at) => layout.getUint32(11 + at * 4, true));
  const elementSize = lengths.pop() ?? 0;
  if (elementSize === 0 || lengths.some((length) => length === 0)) throw new FormatError("empty chunks");
  const bands = new Map<number, Chunk[]>();
  const root = Number(layout.getBigUint64(3, true));
  if (layout.getBigUint64(3, true) !== UNDEFINED) readNode(read, root, lengths, bands, 256);
  return { lengths, elementSize, bands };
}

const UNDEFINED = 0xffffffffffffffffn;
const LAYOUT_MESSAGE = 8;
const CONTINUATION_MESSAGE = 16;

function findLayout(read: ReadAt, address: number): Uint8Array {
  const prefix = viewOf(expectBytes(read, address, 16));
  if (prefix.getUint8(0) !== 1) {
    throw new UnsupportedError(`lzf in an object header of version ${prefix.getUint8(0)}, expected 1`);
  }
  const blocks = [{ offset: address + 16, length: prefix.getUint32(8, true) }];
  // A header has few blocks; the limit ends a circle of them.
  for (let block = 0; block < blocks.length && block < 1000; block++) {
    const { offset, length } = blocks[block]!;
    const bytes = expectBytes(read, offset, length);
    const view = viewOf(bytes);
    for (let at = 0; at + 8 <= length; ) {
      const [type, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
      const data = bytes.subarray(at + 8, at + 8 + size);
      if (type === LAYOUT_MESSAGE && size >= 19) return data;
      if (type === CONTINUATION_MESSAGE && data.length >= 16) {
        const next = viewOf(data);
        blocks.push({
          offset: Number(next.getBigUint64(0, true)),
          length: Number(next.getBigUint64(8, true)),
        });
      }
      at += 8 + size;
    }
  }
  throw new FormatError(`object header at ${address}: no layout message`);
}

function readNode(
  read: ReadAt,
  address: number,
  lengths: readonly number[],
  bands: Map<number, Chunk[]>,
  below: number,
): void {
  const head = viewOf(expectBytes(read, address, 24));
  const [signature, type, level] = [head.getUint32(0), head.getUint8(4), head.getUint8(5)];
  if (signature !== 0x54524545 || type !== 1 || level >= below) {
    throw new FormatError(`no B-tree node of chunks at ${address}`);
  }
  const entries = head.getUint16(6, true);
  const keySize = 8 + 8 * (lengths.length + 1);
  const view = viewOf(expectBytes(read, address + 24, entries * (keySize + 8)));
  for (let entry = 0; entry < entries; entry++) {
    const key = entry * (keySize + 8);
    const child = Number(view.getBigUint64(key + keySize, true));
    if (level > 0) readNode(read, child, lengths, bands, level);
    else addChunk(bands, lengths, view, key, child);
  }
}

function addChunk(
  bands: Map<number, Chunk[]>,
  lengths: readonly number[],
  view: DataView,
  key: number,
  address: number,
): void {
  const offsets = lengths.map((_, axis) => Number(view.getBigUint64(key + 8 + axis * 8, true)));
  const chunk = { offsets, address, bytes: view.getUint32(key, true), mask: view.getUint32(key + 4, true) };
  const band = Math.floor(offsets[0]! / lengths[0]!);
  const others = bands.get(band);
  if (others === undefined) bands.set(band, [chunk]);
  else others.push(chunk);
}

/** Exactly `length` bytes, or FormatError: a read past the end is short. */
export function expectBytes(read: ReadAt, offset: number, length: number): Uint8Array {
  const bytes = Number.isSafeInteger(offset) ? read(offset, length) : new Uint8Array(0);
  if (bytes.length === length) return bytes;
  throw new FormatError(`${length} bytes at ${offset} are past the end of the file`);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
