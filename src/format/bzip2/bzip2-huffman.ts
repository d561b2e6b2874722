import { GROUP } from "./bzip2-decode.js";

/** Huffman codes of a bzip2 block: up to six tables, of which each group of 50 symbols uses the one that suits it. */

/** bzip2 decoders take codes of up to 20 bits; bzip2 itself writes 17. */
const MAX_LENGTH = 17;
const ROUNDS = 4;

/** Code lengths of each table, and the table of each group. */
export interface CodeTables {
  readonly tables: readonly Uint8Array[];
  readonly selectors: Uint8Array;
}

export function codeLengths(symbols: Uint16Array, alphabet: number): CodeTables {
  const groups = Math.ceil(symbols.length / GROUP);
  const tableCount =
    symbols.length < 200
      ? 2
      : symbols.length < 600
        ? 3
        : symbols.length < 1200
          ? 4
          : symbols.length < 2400
            ? 5
            : 6;
  const selectors = new Uint8Array(groups);
  // Any start will do, since the rounds below move groups to the table that codes them best.
  for (let group = 0; group < groups; group++) selectors[group] = group % tableCount;
  let tables = tablesFor(symbols, alphabet, selectors, tableCount);
  for (let round = 0; round < ROUNDS; round++) {
    for (let group = 0; group < groups; group++) {
      selectors[group] = cheapest(symbols.subarray(group * GROUP, (group + 1) * GROUP), tables);
    }
    tables = tablesFor(symbols, alphabet, selectors, tableCount);
  }
  return { tables, selectors };
}

function tablesFor(
  symbols: Uint16Array,
  alphabet: number,
  selectors: Uint8Array,
  tableCount: number,
): Uint8Array[] {
  // Every symbol gets a code in every table.
  const counts = Array.from({ length: tableCount }, () => new Float64Array(alphabet).fill(1));
  for (let i = 0; i < symbols.length; i++) {
    // Weighs what occurs far above what does not.
    counts[selectors[Math.floor(i / GROUP)]!]![symbols[i]!]! += 16;
  }
  return counts.map(lengthsFor);
}

function cheapest(group: Uint16Array, tables: readonly Uint8Array[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  tables.forEach((lengths, table) => {
    let cost = 0;
    for (const symbol of group) cost += lengths[symbol]!;
    if (cost < least) {
      least = cost;
      best = table;
    }
  });
  return best;
}

/** Lengths of at most MAX_LENGTH; flatter counts until they are. */
function lengthsFor(counts: Float64Array): Uint8Array {
  let weights = counts;
  for (;;) {
    const lengths = huffman(weights);
    if (lengths.every((length) => length <= MAX_LENGTH)) return lengths;
    weights = weights.map((weight) => Math.floor(weight / 2) + 1);
  }
}

/** Lengths of Huffman's code; at least two symbols. */
function huffman(weights: Float64Array): Uint8Array {
  const count = weights.length;
  const parents = new Int32Array(2 * count - 1);
  const total = new Float64Array(2 * count - 1);
  total.set(weights);
  // Leaves in order of weight, and inner nodes in the order in which they are made, which is that of their weight.
  const leaves = Array.from(weights.keys()).sort((a, b) => weights[a]! - weights[b]!);
  let leaf = 0;
  let inner = count;
  for (let node = count; node < 2 * count - 1; node++) {
    for (let child = 0; child < 2; child++) {
      const takeLeaf = leaf < count && (inner >= node || total[leaves[leaf]!]! <= total[inner]!);
      const taken = takeLeaf ? leaves[leaf++]! : inner++;
      parents[taken] = node;
      total[node]! += total[taken]!;
    }
  }
  const depths = new Uint8Array(2 * count - 1);
  for (let node = 2 * count - 3; node >= 0; node--) depths[node] = depths[parents[node]!]! + 1;
  return depths.slice(0, count);
}

/** The canonical codes of code lengths. */
export function codesOf(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === length) codes[symbol] = code++;
    }
    code *= 2;
  }
  return codes;
}
