import { concatBytes } from "../../util/typed-arrays.js";

/** A set of byte strings: asking costs the same whatever its size, and takes no memory. */
export class ByteStringSet {
  /** String `i` is [starts[i], starts[i + 1]) of the data. */
  readonly #data: Uint8Array;
  readonly #starts: Uint32Array;
  /** Open addressing: the string's number + 1, or 0; at most half of it is used. */
  readonly #slots: Int32Array;

  constructor(strings: readonly Uint8Array[]) {
    this.#data = concatBytes(strings);
    this.#starts = new Uint32Array(strings.length + 1);
    for (const [i, one] of strings.entries()) this.#starts[i + 1] = this.#starts[i]! + one.length;
    this.#slots = new Int32Array(slotsFor(strings.length));
    for (let i = 0; i < strings.length; i++) {
      const [from, to] = [this.#starts[i]!, this.#starts[i + 1]!];
      const slot = this.#slotOf(this.#data, from, to);
      if (this.#slots[slot] === 0) this.#slots[slot] = i + 1;
    }
  }

  /** Whether [from, to) of the data is one of the strings. */
  has(data: Uint8Array, from: number, to: number): boolean {
    return this.#slots[this.#slotOf(data, from, to)] !== 0;
  }

  /** Where the string stands, or the free slot that it would take. */
  #slotOf(data: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(data, from, to) & mask;
    for (;;) {
      const one = this.#slots[slot]! - 1;
      if (one < 0) return slot;
      const start = this.#starts[one]!;
      if (
        this.#starts[one + 1]! - start === to - from &&
        equalBytes(this.#data, start, data, from, to - from)
      ) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
  }
}

/** Slots of an open hash table for so many keys: a power of two, at least twice as many. */
export function slotsFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2 * count, 2)));
}

/** FNV-1a, 32 bits, its upper bits mixed into the lower ones. */
function hashOf(data: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Whether `length` bytes are the same. */
export function equalBytes(
  a: Uint8Array,
  fromA: number,
  b: Uint8Array,
  fromB: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[fromA + i] !== b[fromB + i]) return false;
  return true;
}
