import { CorruptFrame } from "./backward-bits.js";

/** Tables of finite state entropy (RFC 8878, section 4.1): how often each symbol comes, and what a state stands for. */

/** Symbols at most, of all tables. */
const MAX_SYMBOLS = 256;

const counts = new Int16Array(MAX_SYMBOLS);
const next = new Uint16Array(MAX_SYMBOLS);

export class FseTable {
  /** Bits of a state; -1: there is no table yet. */
  log = -1;
  /** Of each state: base of the next one (16 bits), symbol (8), bits that are added to the base (8). */
  readonly entries: Int32Array;
  readonly #maxLog: number;
  readonly #symbols: number;

  /** @param maxSymbol the largest symbol that there is */
  constructor(maxLog: number, maxSymbol: number) {
    this.entries = new Int32Array(1 << maxLog);
    this.#maxLog = maxLog;
    this.#symbols = maxSymbol + 1;
  }

  /** Every state gives the one symbol. */
  setSingle(symbol: number): void {
    if (symbol >= this.#symbols) throw new CorruptFrame();
    this.entries[0] = symbol << 16;
    this.log = 0;
  }

  /** The table of a distribution that the format knows. */
  setKnown(known: readonly number[], log: number): void {
    counts.fill(0);
    counts.set(known);
    this.#build(log);
  }

  /** Reads a distribution (section 4.1.1) from the bytes at `at`: where it ends. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw new CorruptFrame();
    const log = (bytes[at]! & 15) + 5;
    if (log > this.#maxLog) throw new CorruptFrame();
    const bits = readCounts(bytes, at, end, log, this.#symbols);
    this.#build(log);
    return at + ((bits + 7) >> 3);
  }

  #build(log: number): void {
    const { entries } = this;
    const size = 1 << log;
    spreadSymbols(entries, size, this.#symbols);
    for (let state = 0; state < size; state++) {
      const symbol = entries[state]!;
      const value = next[symbol]!++;
      const bits = log - (31 - Math.clz32(value));
      entries[state] = (bits << 24) | (symbol << 16) | ((value << bits) - size);
    }
    this.log = log;
  }
}

/** Fills `counts`; the bits that they took. */
function readCounts(bytes: Uint8Array, at: number, end: number, log: number, symbols: number): number {
  const limit = (end - at) * 8;
  let bit = 4;
  let remaining = (1 << log) + 1;
  let threshold = 1 << log;
  let width = log + 1;
  let symbol = 0;
  let wasZero = false;
  counts.fill(0);
  while (remaining > 1 && symbol < symbols) {
    if (bit > limit) throw new CorruptFrame();
    const from = at + (bit >> 3);
    const word = (bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16)) >> (bit & 7);
    if (wasZero) {
      const more = word & 3;
      bit += 2;
      symbol += more;
      wasZero = more === 3;
      continue;
    }
    const most = 2 * threshold - 1 - remaining;
    let count = word & (threshold - 1);
    if (count < most) bit += width - 1;
    else {
      count = word & (2 * threshold - 1);
      if (count >= threshold) count -= most;
      bit += width;
    }
    count--;
    remaining -= Math.abs(count);
    counts[symbol++] = count;
    wasZero = count === 0;
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold >>= 1;
    }
  }
  if (remaining !== 1 || symbol > symbols || bit > limit) throw new CorruptFrame();
  return bit;
}

/** Gives each state its symbol, and `next` the first of the values that its states have. */
function spreadSymbols(entries: Int32Array, size: number, symbols: number): void {
  let high = size - 1;
  for (let symbol = 0; symbol < symbols; symbol++) {
    const count = counts[symbol]!;
    next[symbol] = count < 0 ? 1 : count;
    if (count < 0) entries[high--] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (let left = counts[symbol]!; left > 0; left--) {
      entries[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position > high);
    }
  }
  if (position !== 0) throw new CorruptFrame();
}
