import { FormatError } from "../errors.js";
import { expectBytes, viewOf } from "./h5-chunks.js";
import type { ReadAt } from "./h5-file.js";

/**
 * Where HDF5 keeps values of variable length. A dataset holds references: length (4), address of a collection (8),
 * index in it (4). A collection: "GCOL", version (1), reserved (3), size (8), then objects: index (2), references (2),
 * reserved (4), size (8), data filled up to 8 bytes; index 0 is the free rest.
 */

/** Bytes of a reference. */
export const REFERENCE_SIZE = 16;

export class GlobalHeap {
  private readonly read: ReadAt;
  private readonly limit: number;
  private readonly collections = new Map<number, Map<number, Uint8Array>>();

  /** @param limit size of the file, more than which no collection can be */
  constructor(read: ReadAt, limit: number) {
    this.read = read;
    this.limit = limit;
  }

  /** The value that the reference at `at` points to; empty for a null reference. */
  value(references: DataView, at: number): Uint8Array {
    const length = references.getUint32(at, true);
    const address = Number(references.getBigUint64(at + 4, true));
    if (length === 0 || address === 0) return new Uint8Array(0);
    const found = this.collection(address).get(references.getUint32(at + 12, true));
    if (found !== undefined && found.length >= length) return found.subarray(0, length);
    throw new FormatError(`no value of ${length} bytes in the heap at ${address}`);
  }

  private collection(address: number): Map<number, Uint8Array> {
    let objects = this.collections.get(address);
    if (objects === undefined) {
      // References run through collections in order; a few are enough to keep.
      if (this.collections.size > 16) this.collections.clear();
      objects = this.load(address);
      this.collections.set(address, objects);
    }
    return objects;
  }

  private load(address: number): Map<number, Uint8Array> {
    const head = viewOf(expectBytes(this.read, address, 16));
    const size = Number(head.getBigUint64(8, true));
    if (head.getUint32(0) !== 0x47434f4c || size < 16 || size > this.limit) {
      throw new FormatError(`no heap of values at ${address}`);
    }
    const bytes = expectBytes(this.read, address, size);
    const view = viewOf(bytes);
    const objects = new Map<number, Uint8Array>();
    for (let at = 16; at + 16 <= size; ) {
      const index = view.getUint16(at, true);
      const length = Number(view.getBigUint64(at + 8, true));
      if (index === 0) break;
      objects.set(index, bytes.subarray(at + 16, at + 16 + length));
      at += 16 + Math.ceil(length / 8) * 8;
    }
    return objects;
  }
}
