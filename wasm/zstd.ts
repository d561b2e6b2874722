// A Zstandard decoder (RFC 8878) in AssemblyScript. It is as fast as the C library in WebAssembly and a tenth of its
// size: small functions, so that engines compile and optimise them in a fraction of the time, which in a program that
// reads little is most of all. What is compiled from it lies in src/format/zstd/zstd-wasm.ts; `npm run wasm` makes it.
//
// Memory: tables from 0 to HEAP, then the compressed bytes and behind them the output, where the caller puts them, each
// followed by PADDING bytes that may be read or written.

/** Accuracy of the largest FSE tables: literal lengths, offsets, match lengths; weights. */
const LENGTH_LOG: u32 = 9;
const OFFSET_LOG: u32 = 8;
const WEIGHT_LOG: u32 = 6;
const HUFFMAN_LOG: u32 = 11;
const BLOCK_BYTES: u32 = 1 << 17;

/** An entry of an FSE table: base of the next state (u16), symbol (u8), bits of the next state (u8). */
const LITERAL_TABLE: u32 = 4096;
const OFFSET_TABLE: u32 = LITERAL_TABLE + 4 * (1 << LENGTH_LOG);
const MATCH_TABLE: u32 = OFFSET_TABLE + 4 * (1 << OFFSET_LOG);
const WEIGHT_TABLE: u32 = MATCH_TABLE + 4 * (1 << LENGTH_LOG);
/** Symbol (u8) and bits (u8) by the next HUFFMAN_LOG bits. */
const HUFFMAN_TABLE: u32 = WEIGHT_TABLE + 4 * (1 << WEIGHT_LOG);
/** Counts of an FSE table's symbols (i16), and the next state of each (u16). */
const COUNTS: u32 = HUFFMAN_TABLE + 2 * (1 << HUFFMAN_LOG);
const NEXT: u32 = COUNTS + 512;
const WEIGHTS: u32 = NEXT + 512;
const LITERALS: u32 = WEIGHTS + 256;
/** First byte that the caller may use: the tables' end. */
export const HEAP: u32 = LITERALS + BLOCK_BYTES + 64;

const LITERAL_COUNTS: usize = memory.data<i8>([
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
]);
const OFFSET_COUNTS: usize = memory.data<i8>([
  1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, 0, 0, 0,
]);
const MATCH_COUNTS: usize = memory.data<i8>([
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
]);
const LITERAL_BITS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]);
const LITERAL_BASE: usize = memory.data<u32>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024,
  2048, 4096, 8192, 16384, 32768, 65536,
]);
const MATCH_BITS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2,
  3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]);
const MATCH_BASE: usize = memory.data<u32>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
  34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
]);

/** What lasts from block to block of a frame; a log of -1: no table yet. */
let literalLog: i32 = -1;
let offsetLog: i32 = -1;
let matchLog: i32 = -1;
let huffmanLog: i32 = -1;
let repeat1: u32 = 1;
let repeat2: u32 = 4;
let repeat3: u32 = 8;

/** Where the last section that was read ends; 0: it is corrupt. Sections tell more than one thing. */
let literalsAt: u32 = 0;
let literalsSize: u32 = 0;

/** `count` bits (up to 32) below bit `end` of the stream at `base`; zeros where they lie before it. */
@inline
function bitsBelow(base: u32, end: i32, count: u32): u32 {
  const at = end - <i32>count;
  const mask = (<u64>1 << count) - 1;
  if (at >= 0) return <u32>((load<u64>(base + (at >> 3)) >> (at & 7)) & mask);
  if (end <= 0) return 0;
  return <u32>(((load<u64>(base) & ((<u64>1 << end) - 1)) << -at) & mask);
}

/** Bits of a stream of `size` bytes that is read backwards, without its final mark; -1 if it has none. */
function markedBits(base: u32, size: u32): i32 {
  if (size == 0) return -1;
  const last: u32 = load<u8>(base + size - 1);
  return last == 0 ? -1 : <i32>((size - 1) * 8 + 31 - clz(last));
}

/** Reads the counts of an FSE table: its log, or -1. `literalsAt` is then where they end. */
function readCounts(at: u32, end: u32, maxLog: u32, maxSymbol: u32): i32 {
  if (at >= end) return -1;
  const log: u32 = (load<u8>(at) & 15) + 5;
  if (log > maxLog) return -1;
  let bit: u32 = 4;
  let remaining: i32 = (1 << log) + 1;
  let threshold: i32 = 1 << log;
  let width: u32 = log + 1;
  let symbol: u32 = 0;
  let wasZero = false;
  const limit = (end - at) * 8;
  memory.fill(COUNTS, 0, 512);
  while (remaining > 1 && symbol <= maxSymbol) {
    if (bit > limit) return -1;
    let bits: u32 = load<u32>(at + (bit >> 3)) >> (bit & 7);
    if (wasZero) {
      const more = bits & 3;
      bit += 2;
      symbol += more;
      wasZero = more == 3;
      continue;
    }
    const most: i32 = 2 * threshold - 1 - remaining;
    let count: i32 = bits & (threshold - 1);
    if (count < most) bit += width - 1;
    else {
      count = bits & (2 * threshold - 1);
      if (count >= threshold) count -= most;
      bit += width;
    }
    count--;
    remaining -= count < 0 ? -count : count;
    store<i16>(COUNTS + symbol * 2, <i16>count);
    symbol++;
    wasZero = count == 0;
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold >>= 1;
    }
  }
  if (remaining != 1 || symbol > maxSymbol + 1 || bit > limit) return -1;
  literalsAt = at + ((bit + 7) >> 3);
  return log;
}

/** Makes the FSE table of COUNTS; false if they don't fill it. */
function buildTable(table: u32, log: u32, symbols: u32): bool {
  const size: u32 = 1 << log;
  const mask = size - 1;
  let high = mask;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count: i32 = load<i16>(COUNTS + symbol * 2);
    store<u16>(NEXT + symbol * 2, count < 0 ? 1 : <u16>count);
    if (count >= 0) continue;
    store<u8>(table + high * 4, <u8>symbol, 2);
    high--;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count: i32 = load<i16>(COUNTS + symbol * 2);
    for (let i = 0; i < count; i++) {
      store<u8>(table + position * 4, <u8>symbol, 2);
      do position = (position + step) & mask;
      while (position > high);
    }
  }
  if (position != 0) return false;
  for (let state: u32 = 0; state < size; state++) {
    const entry = table + state * 4;
    const place = NEXT + <u32>load<u8>(entry, 2) * 2;
    const next: u32 = load<u16>(place);
    store<u16>(place, <u16>(next + 1));
    const bits = log - (31 - clz(next));
    store<u8>(entry, <u8>bits, 3);
    store<u16>(entry, <u16>((next << bits) - size));
  }
  return true;
}

/** The weights of a Huffman table by an FSE stream; their number, or 0. */
function readCodedWeights(at: u32, size: u32): u32 {
  const end = at + size;
  const log = readCounts(at, end, WEIGHT_LOG, 255);
  if (log < 0 || !buildTable(WEIGHT_TABLE, log, 256)) return 0;
  const base = literalsAt;
  if (base >= end) return 0;
  let bit = markedBits(base, end - base);
  if (bit < 2 * log) return 0;
  let state = bitsBelow(base, bit, log);
  let other = bitsBelow(base, bit - log, log);
  bit -= 2 * log;
  let count: u32 = 0;
  while (count < 254) {
    const entry = WEIGHT_TABLE + state * 4;
    store<u8>(WEIGHTS + count, load<u8>(entry, 2));
    count++;
    const bits: u32 = load<u8>(entry, 3);
    if (<i32>bits > bit) {
      store<u8>(WEIGHTS + count, load<u8>(WEIGHT_TABLE + other * 4, 2));
      return count + 1;
    }
    const next = <u32>load<u16>(entry) + bitsBelow(base, bit, bits);
    bit -= bits;
    state = other;
    other = next;
  }
  return 0;
}

/** Reads a Huffman table; where it ends, or 0. */
function readHuffman(at: u32, end: u32): u32 {
  if (at >= end) return 0;
  const header: u32 = load<u8>(at);
  at++;
  let count: u32;
  if (header < 128) {
    if (header > end - at) return 0;
    count = readCodedWeights(at, header);
    at += header;
    if (count == 0) return 0;
  } else {
    count = header - 127;
    const bytes = (count + 1) >> 1;
    if (bytes > end - at) return 0;
    for (let i: u32 = 0; i < count; i++) {
      const pair: u32 = load<u8>(at + (i >> 1));
      store<u8>(WEIGHTS + i, <u8>((i & 1) == 0 ? pair >> 4 : pair & 15));
    }
    at += bytes;
  }
  return buildHuffman(count) ? at : 0;
}

/** Makes the Huffman table of WEIGHTS, of which the last is what is left. */
function buildHuffman(count: u32): bool {
  let total: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const weight: u32 = load<u8>(WEIGHTS + i);
    if (weight > HUFFMAN_LOG) return false;
    total += (1 << weight) >> 1;
  }
  if (total == 0) return false;
  const log = 32 - clz(total);
  const left = (1 << log) - total;
  if (log > <i32>HUFFMAN_LOG || (left & (left - 1)) != 0) return false;
  store<u8>(WEIGHTS + count, <u8>(32 - clz(left)));
  let position: u32 = 0;
  let lowest: u32 = 0;
  for (let weight: u32 = 1; weight <= <u32>log; weight++) {
    const span: u32 = (1 << weight) >> 1;
    for (let symbol: u32 = 0; symbol <= count; symbol++) {
      if (load<u8>(WEIGHTS + symbol) != weight) continue;
      const entry = <u16>(symbol | ((log + 1 - weight) << 8));
      for (let i: u32 = 0; i < span; i++) store<u16>(HUFFMAN_TABLE + (position + i) * 2, entry);
      position += span;
      if (weight == 1) lowest++;
    }
  }
  huffmanLog = log;
  return lowest >= 2 && (lowest & 1) == 0;
}

/** Decodes a Huffman stream of `size` bytes to `count` bytes at `to`; it has to be used up. */
function decodeHuffman(base: u32, size: u32, to: u32, count: u32): bool {
  let bit = markedBits(base, size);
  if (bit < 0) return false;
  const shift: u64 = 64 - huffmanLog;
  const end = to + count;
  // Five codes of up to 11 bits from what 8 bytes hold below any bit.
  while (bit >= 64 && to + 5 <= end) {
    let window = load<u64>(base + (bit >> 3) - 7) << (8 - (bit & 7));
    let used: u32 = 0;
    for (let i = 0; i < 5; i++) {
      const entry: u32 = load<u16>(HUFFMAN_TABLE + (<u32>(window >> shift) << 1));
      store<u8>(to + i, <u8>entry);
      window <<= entry >> 8;
      used += entry >> 8;
    }
    to += 5;
    bit -= used;
  }
  while (to < end) {
    const entry: u32 = load<u16>(HUFFMAN_TABLE + (bitsBelow(base, bit, huffmanLog) << 1));
    store<u8>(to, <u8>entry);
    to++;
    bit -= entry >> 8;
    if (bit < 0) return false;
  }
  return bit == 0;
}

/** Reads the literals of a block, so that they lie at `literalsAt`; where the section ends, or 0. */
function readLiterals(at: u32, end: u32): u32 {
  const header: u64 = load<u64>(at);
  const type: u32 = <u32>header & 3;
  const format: u32 = (<u32>header >> 2) & 3;
  if (type < 2) {
    const bytes: u32 = (format & 1) == 0 ? 1 : format == 1 ? 2 : 3;
    const size = bytes == 1 ? (<u32>header & 255) >> 3 : (<u32>header & ((1 << (bytes * 8)) - 1)) >> 4;
    if (bytes > end - at || size > BLOCK_BYTES) return 0;
    at += bytes;
    literalsSize = size;
    literalsAt = at;
    if (type == 0) return size > end - at ? 0 : at + size;
    if (at >= end) return 0;
    literalsAt = LITERALS;
    memory.fill(LITERALS, load<u8>(at), size);
    return at + 1;
  }
  const bytes: u32 = format < 2 ? 3 : format + 2;
  const width: u32 = format < 2 ? 10 : format == 2 ? 14 : 18;
  const size = <u32>(header >> 4) & ((1 << width) - 1);
  const stored = <u32>(header >> (4 + width)) & ((1 << width) - 1);
  if (bytes > end - at || size > BLOCK_BYTES || stored > end - at - bytes) return 0;
  at += bytes;
  const last = at + stored;
  if (type == 2) at = readHuffman(at, last);
  if (at == 0 || huffmanLog < 0) return 0;
  literalsAt = LITERALS;
  literalsSize = size;
  const whole = format == 0 ? decodeHuffman(at, last - at, LITERALS, size) : decodeFour(at, last, size);
  return whole ? last : 0;
}

/** Four Huffman streams after a table of the lengths of three. */
function decodeFour(at: u32, end: u32, size: u32): bool {
  if (end - at < 10 || size < 4) return false;
  const first: u32 = load<u16>(at);
  const second: u32 = load<u16>(at, 2);
  const third: u32 = load<u16>(at, 4);
  at += 6;
  if (first + second + third >= end - at) return false;
  const part = (size + 3) >> 2;
  if (part * 3 > size) return false;
  if (!decodeHuffman(at, first, LITERALS, part)) return false;
  at += first;
  if (!decodeHuffman(at, second, LITERALS + part, part)) return false;
  at += second;
  if (!decodeHuffman(at, third, LITERALS + 2 * part, part)) return false;
  at += third;
  return decodeHuffman(at, end - at, LITERALS + 3 * part, size - 3 * part);
}

/** Where the table's description ended; 0: corrupt. */
let tableEnd: u32 = 0;

/** Makes an FSE table as a block's header says: its log, or -1. */
function readTable(
  mode: u32, at: u32, end: u32, table: u32, kept: i32, maxLog: u32, maxSymbol: u32, counts: usize, log: u32,
): i32 {
  tableEnd = at;
  if (mode == 3) return kept;
  if (mode == 1) {
    if (at >= end || <u32>load<u8>(at) > maxSymbol) return -1;
    store<u32>(table, <u32>load<u8>(at) << 16);
    tableEnd = at + 1;
    return 0;
  }
  if (mode == 0) {
    for (let i: u32 = 0; i <= maxSymbol; i++) store<i16>(COUNTS + i * 2, load<i8>(counts + i));
    return buildTable(table, log, maxSymbol + 1) ? log : -1;
  }
  const found = readCounts(at, end, maxLog, maxSymbol);
  if (found < 0 || !buildTable(table, found, maxSymbol + 1)) return -1;
  tableEnd = literalsAt;
  return found;
}

@inline
function copyMatch(to: u32, offset: u32, length: u32): void {
  const end = to + length;
  if (offset >= 8) {
    do {
      store<u64>(to, load<u64>(to - offset));
      to += 8;
    } while (to < end);
  } else if (offset == 1) memory.fill(to, load<u8>(to - 1), length);
  else if (offset >= 4) {
    do {
      store<u32>(to, load<u32>(to - offset));
      to += 4;
    } while (to < end);
  } else {
    do {
      store<u8>(to, load<u8>(to - offset));
      to++;
    } while (to < end);
  }
}

/** Decodes a compressed block to `to`: where its output ends, or 0. `start` is where the frame's output begins. */
function decodeBlock(at: u32, end: u32, start: u32, to: u32, limit: u32): u32 {
  if (end - at < 2) return 0;
  at = readLiterals(at, end);
  if (at == 0 || at >= end) return 0;
  const literals = literalsAt;
  const literalsEnd = literals + literalsSize;
  let count: u32 = load<u8>(at);
  at++;
  if (count >= 128) {
    if (count < 255) {
      count = ((count - 128) << 8) + load<u8>(at);
      at++;
    } else {
      count = <u32>load<u16>(at) + 0x7f00;
      at += 2;
    }
    if (at > end) return 0;
  }
  if (count == 0) return at == end ? copyLiterals(literals, literalsEnd, to, limit) : 0;
  if (at >= end) return 0;
  const modes: u32 = load<u8>(at);
  if ((modes & 3) != 0) return 0;
  literalLog = readTable(modes >> 6, at + 1, end, LITERAL_TABLE, literalLog, LENGTH_LOG, 35, LITERAL_COUNTS, 6);
  if (literalLog < 0) return 0;
  offsetLog = readTable((modes >> 4) & 3, tableEnd, end, OFFSET_TABLE, offsetLog, OFFSET_LOG, 31, OFFSET_COUNTS, 5);
  if (offsetLog < 0) return 0;
  matchLog = readTable((modes >> 2) & 3, tableEnd, end, MATCH_TABLE, matchLog, LENGTH_LOG, 52, MATCH_COUNTS, 6);
  if (matchLog < 0 || tableEnd >= end) return 0;
  literalsAt = literals;
  to = runSequences(tableEnd, end - tableEnd, count, literalsEnd, start, to, limit);
  return to == 0 ? 0 : copyLiterals(literalsAt, literalsEnd, to, limit);
}

function copyLiterals(from: u32, end: u32, to: u32, limit: u32): u32 {
  const size = end - from;
  if (size > limit - to) return 0;
  memory.copy(to, from, size);
  return to + size;
}

/** The first `count` bits (up to 56) of a window that holds the stream's next bits at its top. */
@inline
function topBits(window: u64, count: u32): u32 {
  return <u32>((window >> 1) >> (63 - <u64>count));
}

/** The bits of the stream below `end`, 56 of them or more, at the top of a word; `end` has to be 64 at least. */
@inline
function windowBelow(base: u32, end: i32): u64 {
  return load<u64>(base + (end >> 3) - 7) << (8 - (end & 7));
}

/** Carries out `count` sequences: where the output ends, or 0; `literalsAt` is then the first literal that is left. */
function runSequences(base: u32, size: u32, count: u32, literalsEnd: u32, start: u32, to: u32, limit: u32): u32 {
  let bit = markedBits(base, size);
  if (bit < literalLog + offsetLog + matchLog) return 0;
  let literals = literalsAt;
  let last1 = repeat1;
  let last2 = repeat2;
  let last3 = repeat3;
  let literalState = LITERAL_TABLE + 4 * bitsBelow(base, bit, literalLog);
  bit -= literalLog;
  let offsetState = OFFSET_TABLE + 4 * bitsBelow(base, bit, offsetLog);
  bit -= offsetLog;
  let matchState = MATCH_TABLE + 4 * bitsBelow(base, bit, matchLog);
  bit -= matchLog;
  for (;;) {
    const offsetEntry: u32 = load<u32>(offsetState);
    const matchEntry: u32 = load<u32>(matchState);
    const literalEntry: u32 = load<u32>(literalState);
    const offsetBits: u32 = (offsetEntry >> 16) & 255;
    const matchCode: u32 = (matchEntry >> 16) & 255;
    const matchBits: u32 = load<u8>(MATCH_BITS + matchCode);
    const literalCode: u32 = (literalEntry >> 16) & 255;
    const literalBits: u32 = load<u8>(LITERAL_BITS + literalCode);
    let offset: u32 = 1 << offsetBits;
    let length = load<u32>(MATCH_BASE + matchCode * 4);
    let fresh = load<u32>(LITERAL_BASE + literalCode * 4);
    const used: i32 = offsetBits + matchBits + literalBits;
    if (bit >= 64 && used <= 56) {
      let window = windowBelow(base, bit);
      offset += topBits(window, offsetBits);
      window <<= offsetBits;
      length += topBits(window, matchBits);
      window <<= matchBits;
      fresh += topBits(window, literalBits);
      bit -= used;
    } else {
      offset += bitsBelow(base, bit, offsetBits);
      bit -= offsetBits;
      length += bitsBelow(base, bit, matchBits);
      bit -= matchBits;
      fresh += bitsBelow(base, bit, literalBits);
      bit -= literalBits;
      if (bit < 0) return 0;
    }
    if (offset > 3) {
      offset -= 3;
      last3 = last2;
      last2 = last1;
      last1 = offset;
    } else {
      const which = offset - 1 + u32(fresh == 0);
      if (which == 0) offset = last1;
      else {
        offset = which == 1 ? last2 : which == 2 ? last3 : last1 - 1;
        if (which != 1) last3 = last2;
        last2 = last1;
        last1 = offset;
      }
    }
    if (fresh > literalsEnd - literals || <u64>fresh + length > <u64>(limit - to)) return 0;
    if (fresh <= 16) {
      store<u64>(to, load<u64>(literals));
      store<u64>(to, load<u64>(literals, 8), 8);
    } else memory.copy(to, literals, fresh);
    to += fresh;
    literals += fresh;
    if (offset == 0 || offset > to - start) return 0;
    copyMatch(to, offset, length);
    to += length;
    if (--count == 0) break;
    const literalNext: u32 = literalEntry >> 24;
    const matchNext: u32 = matchEntry >> 24;
    const offsetNext: u32 = offsetEntry >> 24;
    // Three states take 26 bits at the most.
    if (bit >= 64) {
      let window = windowBelow(base, bit);
      literalState = LITERAL_TABLE + 4 * ((literalEntry & 0xffff) + topBits(window, literalNext));
      window <<= literalNext;
      matchState = MATCH_TABLE + 4 * ((matchEntry & 0xffff) + topBits(window, matchNext));
      window <<= matchNext;
      offsetState = OFFSET_TABLE + 4 * ((offsetEntry & 0xffff) + topBits(window, offsetNext));
      bit -= literalNext + matchNext + offsetNext;
    } else {
      literalState = LITERAL_TABLE + 4 * ((literalEntry & 0xffff) + bitsBelow(base, bit, literalNext));
      bit -= literalNext;
      matchState = MATCH_TABLE + 4 * ((matchEntry & 0xffff) + bitsBelow(base, bit, matchNext));
      bit -= matchNext;
      offsetState = OFFSET_TABLE + 4 * ((offsetEntry & 0xffff) + bitsBelow(base, bit, offsetNext));
      bit -= offsetNext;
      if (bit < 0) return 0;
    }
  }
  repeat1 = last1;
  repeat2 = last2;
  repeat3 = last3;
  literalsAt = literals;
  return bit == 0 ? to : 0;
}

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

function round(state: u64, word: u64): u64 {
  return rotl(state + word * PRIME_2, 31) * PRIME_1;
}

/** XXH64 of some bytes with seed 0; frames may end with its lower half. */
function checksum(at: u32, size: u32): u64 {
  const end = at + size;
  let hash: u64 = PRIME_5;
  if (size >= 32) {
    let a: u64 = PRIME_1 + PRIME_2;
    let b: u64 = PRIME_2;
    let c: u64 = 0;
    let d: u64 = 0 - PRIME_1;
    for (; at + 32 <= end; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    hash = (hash ^ round(0, a)) * PRIME_1 + PRIME_4;
    hash = (hash ^ round(0, b)) * PRIME_1 + PRIME_4;
    hash = (hash ^ round(0, c)) * PRIME_1 + PRIME_4;
    hash = (hash ^ round(0, d)) * PRIME_1 + PRIME_4;
  }
  hash += size;
  for (; at + 8 <= end; at += 8) hash = rotl(hash ^ round(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4;
  if (at + 4 <= end) {
    hash = rotl(hash ^ (<u64>load<u32>(at) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl(hash ^ (<u64>load<u8>(at) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}

/** Decodes the blocks of a frame (`at`: after its header) to `to`: where the frame ends, or 0; `output` is the output's end. */
let output: u32 = 0;

function decodeFrame(at: u32, end: u32, to: u32, limit: u32, checked: bool): u32 {
  const start = to;
  literalLog = offsetLog = matchLog = huffmanLog = -1;
  repeat1 = 1;
  repeat2 = 4;
  repeat3 = 8;
  let last: u32 = 0;
  while (last == 0) {
    if (end - at < 3) return 0;
    const header = load<u32>(at) & 0xffffff;
    at += 3;
    last = header & 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    const stored: u32 = type == 1 ? 1 : size;
    if (type == 3 || stored > end - at || (type != 2 && size > limit - to)) return 0;
    if (type == 0) memory.copy(to, at, size);
    else if (type == 1) memory.fill(to, load<u8>(at), size);
    if (type < 2) to += size;
    else {
      if (size > BLOCK_BYTES) return 0;
      to = decodeBlock(at, at + size, start, to, limit);
      if (to == 0) return 0;
    }
    at += stored;
  }
  output = to;
  if (!checked) return at;
  if (end - at < 4 || <u32>checksum(start, to - start) != load<u32>(at)) return 0;
  return at + 4;
}

/** Decodes all frames between `at` and `end` to `to`: the number of bytes, or -1 if they are corrupt or too many. */
export function decode(at: u32, end: u32, to: u32, limit: u32): i32 {
  const first = to;
  while (at < end) {
    if (end - at < 6 || load<u32>(at) != 0xfd2fb528) return -1;
    const descriptor: u32 = load<u8>(at, 4);
    // Bit 3 is reserved; dictionaries are not known here.
    if ((descriptor & 8) != 0 || (descriptor & 3) != 0) return -1;
    const single = (descriptor >> 5) & 1;
    const format = descriptor >> 6;
    const width: u32 = format == 0 ? single : 1 << format;
    at += 6 - single + width;
    if (at >= end) return -1;
    let claimed = load<u64>(at - width) & (width == 8 ? <u64>-1 : (<u64>1 << (width * 8)) - 1);
    if (width == 2) claimed += 256;
    const start = to;
    at = decodeFrame(at, end, to, limit, (descriptor & 4) != 0);
    if (at == 0) return -1;
    to = output;
    if (width > 0 && claimed != <u64>(to - start)) return -1;
  }
  return <i32>(to - first);
}
