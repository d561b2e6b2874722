import type { ArraySchema, Dimension } from "../../format/array-schema.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column, VarColumn } from "../columns.js";
import { isInteger } from "../integer-types.js";
import { compareSignedBytes } from "./byte-order.js";
import { comparable } from "./comparable.js";
import { hilbertWords } from "./hilbert.js";

/**
 * Coordinates as unsigned 32-bit words whose lexicographic order, most significant word first, is the array's global
 * order: first the space tile along each dimension in tile order, or the place along the Hilbert curve, then the
 * coordinates in cell order. Whatever the datatypes, sorting and comparing then run over Uint32Arrays.
 */
export type SortKeys = readonly Uint32Array[];

/** Keys that compare without ranking texts: words, or the texts themselves. */
export type OrderKeys = readonly (Uint32Array | VarColumn)[];

/** `coordinates`: a column per dimension, in the schema's order. */
export function sortKeys(schema: ArraySchema, coordinates: readonly Column[]): SortKeys {
  return orderKeys(schema, coordinates).map((key) => (key instanceof Uint32Array ? key : textRanks(key)));
}

/** Like `sortKeys`, for comparing neighbours only. */
export function orderKeys(schema: ArraySchema, coordinates: readonly Column[]): OrderKeys {
  const order = schema.dimensions.map((_, d) => d);
  const tileOrder = schema.tileOrder === "col-major" ? order.toReversed() : order;
  const cellOrder = schema.cellOrder === "col-major" ? order.toReversed() : order;
  const keys: (Uint32Array | VarColumn)[] = [];
  if (schema.cellOrder === "hilbert") keys.push(...hilbertWords(schema, coordinates));
  else for (const d of tileOrder) keys.push(...tileWords(schema.dimensions[d]!, coordinates[d]!));
  for (const d of cellOrder) {
    const column = coordinates[d]!;
    if (column.kind === "var") keys.push(column);
    else keys.push(...fixedWords(column.values));
  }
  return keys;
}

/** The first cell that is below the one before it, or equal to it unless that is allowed; -1 if there is none. */
export function firstUnordered(keys: OrderKeys, cellCount: number, allowEqual: boolean): number {
  const most = allowEqual ? 0 : -1;
  for (let i = 1; i < cellCount; i++) if (compareCells(keys, i - 1, i) > most) return i;
  return -1;
}

/** Below 0 where cell `a` comes first, 0 where both have the same coordinates. */
function compareCells(keys: OrderKeys, a: number, b: number): number {
  for (const key of keys) {
    const difference = key instanceof Uint32Array ? key[a]! - key[b]! : compareTexts(key, a, b);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Like `compareCells`, for cells of two blocks of one array. */
export function compareAcross(keysA: OrderKeys, a: number, keysB: OrderKeys, b: number): number {
  for (let k = 0; k < keysA.length; k++) {
    const [keyA, keyB] = [keysA[k]!, keysB[k]!];
    let difference = 0;
    if (keyA instanceof Uint32Array && keyB instanceof Uint32Array) difference = keyA[a]! - keyB[b]!;
    else if (!(keyA instanceof Uint32Array) && !(keyB instanceof Uint32Array)) {
      const [from, to] = [keyA.offsets, keyB.offsets];
      difference = compareSignedBytes(keyA.data, from[a]!, from[a + 1]!, keyB.data, to[b]!, to[b + 1]!);
    }
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True where all cells are in one space tile along the dimension, so that the extent does not order them. */
export function hasOneTile(dimension: Dimension): boolean {
  const { domain, tileExtent, datatype } = dimension;
  if (domain === null || tileExtent === null) return true;
  // Of a float dimension the domain's upper end is in a tile of its own.
  if (!isInteger(datatype)) return false;
  return BigInt(tileExtent) > BigInt(domain[1]) - BigInt(domain[0]);
}

function tileWords(dimension: Dimension, column: Column): Uint32Array[] {
  if (hasOneTile(dimension) || column.kind === "var") return [];
  const [low] = dimension.domain!;
  const extent = dimension.tileExtent!;
  // 64-bit coordinates as doubles where those hold them exactly: no bigint per cell.
  const exact = Number(dimension.domain![1]) - Number(low) <= Number.MAX_SAFE_INTEGER;
  const values = exact ? comparable(dimension, column.values) : column.values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return bigTileWords(values, BigInt(low), BigInt(extent));
  }
  const single = values instanceof Float32Array;
  const [start, size] = [Number(low), Number(extent)];
  // As many words for every block of cells, so that keys of several blocks compare.
  const beyond = (Number(dimension.domain![1]) - start) / size >= 0xffffffff;
  const high = new Uint32Array(beyond ? values.length : 0);
  const words = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    // float32 coordinates are divided in float32, as the official library does.
    const quotient = single
      ? Math.fround(Math.fround(values[i]! - start) / size)
      : (values[i]! - start) / size;
    const tile = Math.floor(quotient);
    words[i] = tile;
    if (beyond) high[i] = Math.floor(tile / 0x100000000);
  }
  return beyond ? [high, words] : [words];
}

/** Tiles of 64-bit coordinates beyond 2^53. */
function bigTileWords(values: BigInt64Array | BigUint64Array, low: bigint, extent: bigint): Uint32Array[] {
  const tiles = new BigUint64Array(values.length);
  for (let i = 0; i < values.length; i++) tiles[i] = (values[i]! - low) / extent;
  return wideWords(tiles, 0);
}

function fixedWords(values: TypedArray): Uint32Array[] {
  if (values instanceof Uint32Array) return [values];
  if (values instanceof BigUint64Array) return wideWords(values, 0);
  if (values instanceof BigInt64Array) return wideWords(values, 0x80000000);
  if (values instanceof Float32Array) return [singleWords(values)];
  if (values instanceof Float64Array) return doubleWords(values);
  if (values instanceof Uint8Array || values instanceof Uint16Array) return [Uint32Array.from(values)];
  const words = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) words[i] = values[i]! ^ 0x80000000;
  return [words];
}

function wideWords(values: BigInt64Array | BigUint64Array, sign: number): Uint32Array[] {
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Uint32Array(values.length);
  const low = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    low[i] = halves[2 * i]!;
    high[i] = halves[2 * i + 1]! ^ sign;
  }
  return [high, low];
}

/** IEEE bits ordered as the numbers are: negative ones inverted, positive ones above them; -0 equals 0. */
function singleWords(values: Float32Array): Uint32Array {
  const copy = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) copy[i] = values[i]! + 0;
  const words = new Uint32Array(copy.buffer);
  for (let i = 0; i < words.length; i++) {
    const bits = words[i]!;
    words[i] = bits >= 0x80000000 ? ~bits : bits ^ 0x80000000;
  }
  return words;
}

function doubleWords(values: Float64Array): Uint32Array[] {
  const copy = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) copy[i] = values[i]! + 0;
  const [high, low] = wideWords(new BigUint64Array(copy.buffer), 0) as [Uint32Array, Uint32Array];
  for (let i = 0; i < high.length; i++) {
    if (high[i]! >= 0x80000000) {
      high[i] = ~high[i]!;
      low[i] = ~low[i]!;
    } else high[i] = high[i]! ^ 0x80000000;
  }
  return [high, low];
}

/** The position of each text among all, equal ones equal. */
function textRanks(column: VarColumn): Uint32Array {
  const cells = column.offsets.length - 1;
  const order = new Uint32Array(cells);
  for (let i = 0; i < cells; i++) order[i] = i;
  order.sort((a, b) => compareTexts(column, a, b));
  const ranks = new Uint32Array(cells);
  for (let i = 1; i < cells; i++) {
    const same = compareTexts(column, order[i - 1]!, order[i]!) === 0;
    ranks[order[i]!] = ranks[order[i - 1]!]! + (same ? 0 : 1);
  }
  return ranks;
}

function compareTexts({ data, offsets }: VarColumn, a: number, b: number): number {
  return compareSignedBytes(data, offsets[a]!, offsets[a + 1]!, data, offsets[b]!, offsets[b + 1]!);
}
