import type { BitWriter } from "./bit-writer.js";

/**
 * Finite state entropy (RFC 8878, section 4.1): an encoder's tables for a distribution, and the distribution's
 * description. Symbols are encoded last to first, since decoders read backwards.
 */

/** How often a symbol comes, of 2^log in all; -1 stands for less than once. */
export type Distribution = readonly number[] | Int16Array;

/** Symbols and states at most. */
const MAX_SYMBOLS = 64;
const MAX_STATES = 64;

const next = new Int32Array(MAX_SYMBOLS);
const symbols = new Uint8Array(MAX_STATES);

export class FseTable {
  log = 0;
  /** Next state of each symbol's states, from the symbol's first on. */
  readonly states = new Uint16Array(MAX_STATES);
  /** Of each symbol: bits that leave a state, as the difference that makes them the upper 16 bits of a sum. */
  readonly bits = new Int32Array(MAX_SYMBOLS);
  /** Of each symbol: where its states start, less how often it comes. */
  readonly starts = new Int32Array(MAX_SYMBOLS);

  /** Makes the table that of another distribution. */
  build(counts: Distribution, log: number): this {
    this.log = log;
    const size = 1 << log;
    for (let symbol = 0, total = 0; symbol < counts.length; symbol++) {
      const count = Math.abs(counts[symbol]!);
      next[symbol] = total;
      this.starts[symbol] = total - count;
      const most = count <= 1 ? log : log - (31 - Math.clz32(count - 1));
      this.bits[symbol] = (most << 16) - (count << most);
      total += count;
    }
    spread(counts, size);
    for (let at = 0; at < size; at++) this.states[next[symbols[at]!]!++] = size + at;
    return this;
  }
}

/** One run of symbols through a table. */
export class FseEncoder {
  readonly #table: FseTable;
  #state = 0;

  constructor(table: FseTable) {
    this.#table = table;
  }

  /** Starts with the last symbol, which takes no bits. */
  start(symbol: number): void {
    const table = this.#table;
    const bits = (table.bits[symbol]! + (1 << 15)) >> 16;
    const value = (bits << 16) - table.bits[symbol]!;
    this.#state = table.states[(value >> bits) + table.starts[symbol]!]!;
  }

  encode(symbol: number, to: BitWriter): void {
    const table = this.#table;
    const bits = (this.#state + table.bits[symbol]!) >> 16;
    to.add(this.#state & ((1 << bits) - 1), bits);
    this.#state = table.states[(this.#state >> bits) + table.starts[symbol]!]!;
  }

  /** Writes the state, which the decoder starts with. */
  end(to: BitWriter): void {
    to.add(this.#state & ((1 << this.#table.log) - 1), this.#table.log);
  }
}

/** The symbol of each state: rare ones from the end, the others in steps that reach every state once. */
function spread(counts: Distribution, size: number): void {
  const step = (size >> 1) + (size >> 3) + 3;
  let last = size - 1;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol] === -1) symbols[last--] = symbol;
  }
  let at = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    for (let left = counts[symbol]!; left > 0; left--) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > last);
    }
  }
}

/** Scales counts to a distribution of 2^log, in `scaled`, in which each symbol that occurs comes at least once. */
export function scaleCounts(counts: Uint32Array, total: number, log: number, scaled: Int16Array): void {
  let left = 1 << log;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    scaled[symbol] =
      counts[symbol] === 0 ? 0 : Math.max(1, Math.floor((counts[symbol]! * (1 << log)) / total));
    left -= scaled[symbol]!;
  }
  if (left > 0) scaled[largest(scaled)]! += left;
  for (; left < 0; left++) scaled[largest(scaled)]! -= 1;
}

function largest(counts: Int16Array): number {
  let found = 0;
  for (let symbol = 1; symbol < counts.length; symbol++) if (counts[symbol]! > counts[found]!) found = symbol;
  return found;
}

/** Writes the description of a distribution without -1 (section 4.1.1). Ends within a byte. */
export function describeDistribution(counts: Int16Array, log: number, to: BitWriter): void {
  to.add(log - 5, 4);
  let remaining = (1 << log) + 1;
  let threshold = 1 << log;
  let bits = log + 1;
  for (let symbol = 0; symbol < counts.length && remaining > 1; ) {
    const count = counts[symbol++]!;
    const most = 2 * threshold - 1 - remaining;
    remaining -= count;
    const value = count + 1 >= threshold ? count + 1 + most : count + 1;
    to.add(value, value < most ? bits - 1 : bits);
    if (count === 0) symbol = describeZeros(counts, symbol, to);
    while (remaining < threshold && threshold > 1) {
      bits--;
      threshold >>= 1;
    }
  }
}

/** How many symbols after one that does not occur do not either: by threes, then the rest. Returns the next symbol. */
function describeZeros(counts: Int16Array, first: number, to: BitWriter): number {
  let symbol = first;
  while (symbol < counts.length && counts[symbol] === 0) symbol++;
  let zeros = symbol - first;
  for (; zeros >= 3; zeros -= 3) to.add(3, 2);
  to.add(zeros, 2);
  return symbol;
}
