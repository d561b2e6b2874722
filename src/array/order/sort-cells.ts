import type { SortKeys } from "./sort-keys.js";

/** Sorting of cells by their keys: a permutation, never objects. */

const DIGIT_BITS = 16;
const BUCKETS = 1 << DIGIT_BITS;
/** Below this many cells clearing the buckets costs more than comparing. */
const SMALL = 2048;

/** The first cell whose keys are below those of the cell before it, or -1 where all are in order. */
export function firstUnsorted(keys: SortKeys): number {
  const cells = keys[0]?.length ?? 0;
  const [first] = keys;
  for (let i = 1; i < cells; i++) {
    const difference = first![i]! - first![i - 1]!;
    if (difference > 0) continue;
    if (difference < 0 || compareFrom(keys, 1, i - 1, i) > 0) return i;
  }
  return -1;
}

/** The first cell with the keys of the cell before it, or -1; `order` as of `sortOrder`. */
export function firstDuplicate(keys: SortKeys, order: Uint32Array | null): number {
  const cells = keys[0]?.length ?? 0;
  // The last words differ most often between neighbours.
  const words = keys.toReversed();
  for (let i = 1; i < cells; i++) {
    const a = order === null ? i - 1 : order[i - 1]!;
    const b = order === null ? i : order[i]!;
    if (compareFrom(words, 0, a, b) === 0) return i;
  }
  return -1;
}

/**
 * The permutation that puts cells in order: order[i] is the input's position of cell i. Null where they are already
 * in order. Cells of equal keys keep the input's order.
 */
export function sortOrder(keys: SortKeys): Uint32Array | null {
  if (firstUnsorted(keys) < 0) return null;
  const cells = keys[0]!.length;
  const order = new Uint32Array(cells);
  for (let i = 0; i < cells; i++) order[i] = i;
  // Typed arrays sort stably.
  if (cells < SMALL) return order.sort((a, b) => compareFrom(keys, 0, a, b));
  return radixSort(keys, order);
}

function compareFrom(keys: SortKeys, from: number, a: number, b: number): number {
  for (let k = from; k < keys.length; k++) {
    const difference = keys[k]![a]! - keys[k]![b]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Least significant digit first; a digit in which all cells agree is passed over. */
function radixSort(keys: SortKeys, initial: Uint32Array): Uint32Array {
  let order: Uint32Array = initial;
  let spare: Uint32Array = new Uint32Array(initial.length);
  const counts = new Uint32Array(BUCKETS);
  for (const words of keys.toReversed()) {
    const varying = varyingBits(words);
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (((varying >>> shift) & (BUCKETS - 1)) === 0) continue;
      scatter(words, shift, order, spare, counts);
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** Bits in which the words are not all alike. */
function varyingBits(words: Uint32Array): number {
  let bits = 0;
  const first = words[0]!;
  for (let i = 1; i < words.length; i++) bits |= words[i]! ^ first;
  return bits;
}

function scatter(
  words: Uint32Array,
  shift: number,
  from: Uint32Array,
  to: Uint32Array,
  counts: Uint32Array,
): void {
  counts.fill(0);
  for (let i = 0; i < words.length; i++) {
    const digit = (words[i]! >>> shift) & (BUCKETS - 1);
    counts[digit] = counts[digit]! + 1;
  }
  let start = 0;
  for (let digit = 0; digit < BUCKETS; digit++) {
    const count = counts[digit]!;
    counts[digit] = start;
    start += count;
  }
  for (let i = 0; i < from.length; i++) {
    const cell = from[i]!;
    const digit = (words[cell]! >>> shift) & (BUCKETS - 1);
    const at = counts[digit]!;
    to[at] = cell;
    counts[digit] = at + 1;
  }
}
