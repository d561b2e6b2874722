import { LimitError } from "../errors.js";
import type { TextColumn } from "../util/frame.js";
import type { TextType } from "./h5-type.js";

/** Text of HDF5 files as UTF-8 columns, without a string per cell. */

/** The bytes of a fixed-length string at `at`, without its padding. */
export function trimFixed(bytes: Uint8Array, at: number, type: TextType): Uint8Array {
  let end = at + type.size;
  if (type.padding === 0) {
    const zero = bytes.subarray(at, end).indexOf(0);
    return bytes.subarray(at, zero < 0 ? end : at + zero);
  }
  const pad = type.padding === 2 ? 0x20 : 0;
  while (end > at && bytes[end - 1] === pad) end--;
  return bytes.subarray(at, end);
}

/** Bytes of the zero-terminated string at a pointer; none at 0, which HDF5 uses for an empty string. */
function stringAt(heap: Uint8Array, pointer: number): Uint8Array {
  if (pointer === 0) return heap.subarray(0, 0);
  const end = heap.indexOf(0, pointer);
  return heap.subarray(pointer, end < 0 ? heap.length : end);
}

export class TextBuilder {
  private data = new Uint8Array(1024);
  private used = 0;
  private offsets = new Uint32Array(256);
  private count = 0;

  add(bytes: Uint8Array): void {
    if (this.used + bytes.length > this.data.length) this.growData(bytes.length);
    this.data.set(bytes, this.used);
    this.used += bytes.length;
    this.count++;
    if (this.count >= this.offsets.length) {
      const larger = new Uint32Array(this.offsets.length * 2);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    this.offsets[this.count] = this.used;
  }

  addPointers(pointers: Uint32Array, heap: Uint8Array): void {
    for (const pointer of pointers) this.add(stringAt(heap, pointer));
  }

  finish(): TextColumn {
    return {
      kind: "text",
      offsets: this.offsets.slice(0, this.count + 1),
      data: this.data.slice(0, this.used),
    };
  }

  private growData(more: number): void {
    if (this.used + more > 0xffffffff) throw new LimitError("a text column of more than 4 GiB");
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.used + more));
    larger.set(this.data.subarray(0, this.used));
    this.data = larger;
  }
}
