import { bytesOf, type TypedArray, viewAs } from "../../util/typed-arrays.js";
import { ByteReader } from "../byte-reader.js";
import { ByteWriter } from "../byte-writer.js";
import { datatypeInfo, VAR_NUM } from "../datatype.js";
import { type RangeShape, readTextRange, writeTextRange } from "../nd-range.js";
import { setScalar } from "../scalar.js";
import { compareText } from "../text-bytes.js";
import { WRITE_VERSION } from "../version.js";

/**
 * R-tree over the minimum bounding rectangles of a sparse fragment's tiles (format_spec/fragment.md, R-Tree):
 *
 * | Field | Type | Since |
 * | :--- | :--- | :--- |
 * | Number of dimensions | uint32 | removed in 5 |
 * | Fanout | uint32, 10 | |
 * | Datatype of all dimensions | uint8 | removed in 5 |
 * | Number of levels | uint32, 0 of dense fragments | |
 * | per level, the root first: number of rectangles | uint64 | |
 * | rectangles | a range per dimension each | |
 *
 * Rectangle i of a level covers rectangles i * fanout to (i + 1) * fanout - 1 of the next; the last level's are those
 * of the tiles, in the order of tiles.
 *
 * In memory only the tiles' rectangles are kept, dimension by dimension, since whoever scans one dimension of all tiles
 * in a typed array needs no tree; the upper levels are made again when a tree is written.
 */
export interface RTree {
  readonly fanout: number;
  /** Number of tiles. */
  readonly tileCount: number;
  /** Per dimension of the schema, the ends of all tiles. */
  readonly bounds: readonly DimensionBounds[];
}

/** Ends of one dimension, both inclusive, by tile. `text` is of string dimensions (see text-bytes.ts). */
export type DimensionBounds =
  | { readonly kind: "fixed"; readonly lo: TypedArray; readonly hi: TypedArray }
  | { readonly kind: "text"; readonly lo: readonly string[]; readonly hi: readonly string[] };

/** The fanout that the core writes. */
const RTREE_FANOUT = 10;

/** Levels that a tree over 2^53 tiles needs at a fanout of 2. */
const MAX_LEVELS = 64;

/** Reads the payload of the R-tree's section of that format version. A dense fragment's tree has no tiles. */
export function readRTree(
  bytes: Uint8Array,
  dimensions: readonly RangeShape[],
  where?: string,
  version = WRITE_VERSION,
): RTree {
  const reader = new ByteReader(bytes, "R-tree", where);
  // "Removed in version 5", as is the datatype: both can be obtained from the schema.
  if (version < 5) reader.skip(4, "number of dimensions");
  const fanout = reader.u32("fanout");
  if (version < 5) reader.skip(1, "datatype");
  if (fanout < 2) throw reader.error(`fanout is ${fanout}, expected at least 2`);
  const levels = reader.count("number of levels", 4, 8);
  if (levels > MAX_LEVELS) throw reader.error(`${levels} levels, expected at most ${MAX_LEVELS}`);
  for (let level = 0; level < levels - 1; level++) skipLevel(reader, dimensions);
  const tileCount = levels === 0 ? 0 : readLevelSize(reader, dimensions);
  const bounds = readBounds(reader, dimensions, tileCount);
  reader.end();
  return { fanout, tileCount, bounds };
}

/** A count of tiles and their rectangles, as they stood before version 3 in the place of a tree. */
export function readRectangles(reader: ByteReader, dimensions: readonly RangeShape[]): RTree {
  const tileCount = readLevelSize(reader, dimensions);
  return { fanout: RTREE_FANOUT, tileCount, bounds: readBounds(reader, dimensions, tileCount) };
}

/** A tree over tiles' rectangles; `bounds` per dimension, all of the same length. */
export function buildRTree(bounds: readonly DimensionBounds[], fanout: number = RTREE_FANOUT): RTree {
  return { fanout, tileCount: bounds[0]?.lo.length ?? 0, bounds };
}

/** The payload of the R-tree's section, with the upper levels that follow from the tiles' rectangles. */
export function writeRTree(tree: RTree): Uint8Array {
  const levels = tree.tileCount === 0 ? [] : [tree.bounds];
  // The core takes ceil(log(tiles) / log(fanout)) levels above the tiles, which is a level until one rectangle is left.
  while (levels.length > 0 && sizeOf(levels[0]!) > 1) levels.unshift(parentLevel(levels[0]!, tree.fanout));
  const writer = new ByteWriter(64);
  writer.u32(tree.fanout);
  writer.u32(levels.length);
  for (const level of levels) {
    writer.u64n(sizeOf(level));
    writeBounds(writer, level);
  }
  return writer.finish();
}

function sizeOf(level: readonly DimensionBounds[]): number {
  return level[0]!.lo.length;
}

/** Bytes of one rectangle: all of them, or the least where a dimension is a string. */
function rectangleBytes(dimensions: readonly RangeShape[]): number {
  let bytes = 0;
  for (const dimension of dimensions) {
    bytes += dimension.cellValNum === VAR_NUM ? 16 : 2 * datatypeInfo(dimension.datatype).bytes;
  }
  return bytes;
}

function readLevelSize(reader: ByteReader, dimensions: readonly RangeShape[]): number {
  return reader.count("number of rectangles", 8, rectangleBytes(dimensions));
}

function skipLevel(reader: ByteReader, dimensions: readonly RangeShape[]): void {
  const count = readLevelSize(reader, dimensions);
  if (dimensions.every((dimension) => dimension.cellValNum !== VAR_NUM)) {
    reader.skip(count * rectangleBytes(dimensions), "rectangles");
    return;
  }
  for (let i = 0; i < count; i++) {
    for (const { cellValNum, datatype } of dimensions) {
      if (cellValNum !== VAR_NUM) reader.skip(2 * datatypeInfo(datatype).bytes, "range");
      else {
        const size = reader.u64n("range size");
        reader.skip(8, "range start size");
        reader.skip(size, "range");
      }
    }
  }
}

function readBounds(
  reader: ByteReader,
  dimensions: readonly RangeShape[],
  count: number,
): readonly DimensionBounds[] {
  if (dimensions.some((dimension) => dimension.cellValNum === VAR_NUM)) {
    return readMixedBounds(reader, dimensions, count);
  }
  const stride = rectangleBytes(dimensions);
  const block = reader.take(count * stride, "rectangles");
  let at = 0;
  return dimensions.map(({ datatype }) => {
    const width = datatypeInfo(datatype).bytes;
    const bounds: DimensionBounds = {
      kind: "fixed",
      lo: gather(block, at, stride, count, datatypeInfo(datatype).array),
      hi: gather(block, at + width, stride, count, datatypeInfo(datatype).array),
    };
    at += 2 * width;
    return bounds;
  });
}

/** Every value at `start`, `start + stride`, ... of a block. */
function gather(
  block: Uint8Array,
  start: number,
  stride: number,
  count: number,
  type: ReturnType<typeof datatypeInfo>["array"],
): TypedArray {
  const values = new type(count);
  const width = type.BYTES_PER_ELEMENT;
  const target = new Uint8Array(values.buffer);
  for (let i = 0, from = start, to = 0; i < count; i++, from += stride, to += width) {
    for (let b = 0; b < width; b++) target[to + b] = block[from + b]!;
  }
  return values;
}

/** Rectangles with strings have no common size: read one by one. */
function readMixedBounds(
  reader: ByteReader,
  dimensions: readonly RangeShape[],
  count: number,
): readonly DimensionBounds[] {
  const columns = dimensions.map(({ cellValNum, datatype }) => {
    const { array } = datatypeInfo(datatype);
    return cellValNum === VAR_NUM
      ? { kind: "text" as const, lo: new Array<string>(count), hi: new Array<string>(count) }
      : { kind: "fixed" as const, lo: new array(count), hi: new array(count) };
  });
  for (let i = 0; i < count; i++) {
    columns.forEach((column, d) => {
      if (column.kind === "text") [column.lo[i], column.hi[i]] = readTextRange(reader, `rectangle ${i}`);
      else {
        const { array, bytes } = datatypeInfo(dimensions[d]!.datatype);
        const ends = viewAs(reader.take(2 * bytes, `rectangle ${i}`), array);
        setScalar(column.lo, i, ends[0]!);
        setScalar(column.hi, i, ends[1]!);
      }
    });
  }
  return columns;
}

function writeBounds(writer: ByteWriter, level: readonly DimensionBounds[]): void {
  const columns = level.map((bounds) => (bounds.kind === "text" ? bounds : interleave(bounds.lo, bounds.hi)));
  const fixed = columns.filter((column) => column instanceof Uint8Array);
  if (fixed.length === 1 && columns.length === 1) {
    writer.raw(fixed[0]!);
    return;
  }
  const count = sizeOf(level);
  for (let i = 0; i < count; i++) {
    for (const column of columns) {
      if (!(column instanceof Uint8Array)) writeTextRange(writer, column.lo[i]!, column.hi[i]!);
      else
        writer.raw(column.subarray((i * column.byteLength) / count, ((i + 1) * column.byteLength) / count));
    }
  }
}

/** lo[0], hi[0], lo[1], hi[1], ... as bytes. */
function interleave(lo: TypedArray, hi: TypedArray): Uint8Array {
  const width = lo.BYTES_PER_ELEMENT;
  const from = [bytesOf(lo), bytesOf(hi)] as const;
  const bytes = new Uint8Array(lo.byteLength * 2);
  for (let end = 0; end < 2; end++) {
    const source = from[end]!;
    for (let i = 0, to = end * width; i < source.byteLength; i += width, to += 2 * width) {
      for (let b = 0; b < width; b++) bytes[to + b] = source[i + b]!;
    }
  }
  return bytes;
}

/** The level above: each rectangle is the union of `fanout` of this one. */
function parentLevel(level: readonly DimensionBounds[], fanout: number): readonly DimensionBounds[] {
  const count = Math.ceil(sizeOf(level) / fanout);
  return level.map((bounds) =>
    bounds.kind === "text"
      ? parentTextBounds(bounds, count, fanout)
      : parentFixedBounds(bounds, count, fanout),
  );
}

function parentFixedBounds(
  bounds: { lo: TypedArray; hi: TypedArray },
  count: number,
  fanout: number,
): DimensionBounds {
  const lo = bounds.lo.slice(0, count);
  const hi = bounds.hi.slice(0, count);
  for (let i = 0; i < count; i++) {
    const end = Math.min((i + 1) * fanout, bounds.lo.length);
    let low = bounds.lo[i * fanout]!;
    let high = bounds.hi[i * fanout]!;
    for (let j = i * fanout + 1; j < end; j++) {
      if (bounds.lo[j]! < low) low = bounds.lo[j]!;
      if (bounds.hi[j]! > high) high = bounds.hi[j]!;
    }
    setScalar(lo, i, low);
    setScalar(hi, i, high);
  }
  return { kind: "fixed", lo, hi };
}

function parentTextBounds(
  bounds: { lo: readonly string[]; hi: readonly string[] },
  count: number,
  fanout: number,
): DimensionBounds {
  const lo: string[] = [];
  const hi: string[] = [];
  for (let i = 0; i < count; i++) {
    const from = i * fanout;
    const to = from + fanout;
    lo.push(bounds.lo.slice(from, to).reduce((low, text) => (compareText(text, low) < 0 ? text : low)));
    hi.push(bounds.hi.slice(from, to).reduce((high, text) => (compareText(text, high) > 0 ? text : high)));
  }
  return { kind: "text", lo, hi };
}
