import { ArgumentError, LimitError } from "../../errors.js";
import type { Dimension } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { conditionFields } from "../condition/condition-eval.js";
import { isInteger } from "../integer-types.js";
import type { OpenedArray } from "../opened-array.js";
import type { ReadResult } from "../query.js";
import { Block } from "./block.js";
import { type Intervals, intervalsOf, rangesOf } from "./intervals.js";
import { withoutSorting } from "./merge-fragments.js";
import { readDense, selectDense } from "./read-dense.js";
import { readSources, readSparse, sparseSources } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { SparseSource } from "./sparse-source.js";

/**
 * A read in pieces whose results, one after the other, are those of the whole read. Where tiles only need to be put
 * together a piece is some of them; where cells of fragments are sorted into one another, and in dense arrays, it is a
 * range of the dimension that the order has first.
 */
export async function* readBatches(
  array: OpenedArray,
  query: ResolvedQuery,
  memoryBudget: number,
): AsyncGenerator<ReadResult, void, undefined> {
  if (!(memoryBudget > 0))
    throw new ArgumentError(`memory budget of ${memoryBudget} bytes, expected more than 0`);
  const options = { signal: query.signal };
  if (array.schema.arrayType === "dense") {
    for (const part of denseParts(array, query, memoryBudget)) yield await readDense(array, part, options);
    return;
  }
  const sources = await sparseSources(array, query);
  const sizes = await Promise.all(sources.map((source) => tileSizes(array, query, source)));
  const sizeOf = new Map(sources.map((source, i) => [source, sizes[i]!]));
  const blocks = sources.flatMap((source) => source.tiles.map((tile) => new Block(source, tile)));
  const sequence = withoutSorting(blocks, array.schema, query.order);
  if (sequence === null) {
    const total = blocks.reduce((sum, { source, tile }) => sum + sizeOf.get(source)!(tile), 0);
    const parts = Math.ceil(total / memoryBudget);
    for (const part of sortedParts(array, query, sources, parts))
      yield await readSparse(array, part, options);
    return;
  }
  for (const some of groups(sequence, (block) => sizeOf.get(block.source)!(block.tile), memoryBudget)) {
    yield await readSources(array, query, sourcesOf(some), options);
  }
}

/** Runs of items that come to no more than the budget, or are one item. */
function* groups<T>(items: readonly T[], sizeOf: (item: T) => number, budget: number): Generator<T[]> {
  let group: T[] = [];
  let size = 0;
  for (const item of items) {
    const more = sizeOf(item);
    if (group.length > 0 && size + more > budget) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(item);
    size += more;
  }
  if (group.length > 0) yield group;
}

/** The sources of some blocks, with the tiles of those alone. */
function sourcesOf(blocks: readonly Block[]): SparseSource[] {
  const tiles = new Map<SparseSource, number[]>();
  for (const { source, tile } of blocks) {
    const list = tiles.get(source);
    if (list === undefined) tiles.set(source, [tile]);
    else list.push(tile);
  }
  return Array.from(tiles, ([source, some]) => ({ ...source, tiles: some.sort((a, b) => a - b) })).sort(
    (a, b) => a.index - b.index,
  );
}

/** Bytes that the cells of a tile take, decoded and in the result. */
async function tileSizes(
  { schema }: OpenedArray,
  query: ResolvedQuery,
  { fragment }: SparseSource,
): Promise<(t: number) => number> {
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  const wanted = new Set([...query.attributes, ...decides]);
  const attributes = fragment.schema.attributes.filter(({ name }) => wanted.has(name));
  let perCell = 0;
  const varBytes: Float64Array[] = [];
  for (const { name, datatype, cellValNum } of [...schema.dimensions, ...attributes]) {
    perCell += cellValNum === VAR_NUM ? 4 : datatypeInfo(datatype).bytes * cellValNum;
    if (cellValNum !== VAR_NUM) continue;
    const tiles = await fragment.tilesOf(name, { signal: query.signal });
    if (tiles.var !== undefined) varBytes.push(tiles.var.tileBytes);
  }
  return (t) => 2 * (fragment.cellsOf(t) * perCell + varBytes.reduce((sum, bytes) => sum + bytes[t]!, 0));
}

/** The query cut along the dimension that the order has first, where tiles begin. */
function sortedParts(
  { schema, uri }: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
  parts: number,
): ResolvedQuery[] {
  if (parts <= 1) return [query];
  const d = query.order === "col-major" ? schema.dimensions.length - 1 : 0;
  const dimension = schema.dimensions[d]!;
  if (query.order === "global" || !isInteger(dimension.datatype)) {
    throw new LimitError(
      `cells of several fragments in ${query.order} order along '${dimension.name}' (${dimension.datatype}) cannot be ` +
        "read in batches; ask for a larger memory budget, or for row-major order and integer dimensions",
      { where: uri },
    );
  }
  const starts: (number | bigint)[] = [];
  for (const { tree, tiles } of sources) {
    const bounds = tree.bounds[d]!;
    if (bounds.kind === "fixed") for (const t of tiles) starts.push(bounds.lo[t]!);
  }
  starts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const cuts = new Set<number | bigint>();
  for (let part = 1; part < parts; part++) cuts.add(starts[Math.floor((part * starts.length) / parts)]!);
  return cutAt(query, d, dimension, [...cuts]);
}

/** One query per piece between the cuts (ascending, each the first coordinate of a piece); empty pieces are left out. */
function cutAt(
  query: ResolvedQuery,
  d: number,
  dimension: Dimension,
  cuts: readonly (number | bigint)[],
): ResolvedQuery[] {
  const whole = query.intervals[d] ?? intervalsOf(dimension, [domainOf(dimension)]);
  const pieces: ResolvedQuery[] = [];
  for (let i = 0; i <= cuts.length; i++) {
    const from = i === 0 ? null : BigInt(cuts[i - 1]!);
    const before = i === cuts.length ? null : BigInt(cuts[i]!);
    const clipped = clip(whole, dimension, from, before);
    if (clipped === null) continue;
    pieces.push({ ...query, intervals: query.intervals.map((one, k) => (k === d ? clipped : one)) });
  }
  return pieces;
}

function domainOf({ domain, name }: Dimension) {
  if (domain !== null) return domain;
  throw new LimitError(`'${name}' has no domain to cut into batches`);
}

/** The intervals from `from` (inclusive) to `before` (exclusive); null where nothing is left. */
function clip(
  intervals: Intervals,
  dimension: Dimension,
  from: bigint | null,
  before: bigint | null,
): Intervals | null {
  const left: (readonly [bigint | number, bigint | number])[] = [];
  const big = datatypeInfo(dimension.datatype).bytes === 8;
  const own = (value: bigint) => (big ? value : Number(value));
  for (const [low, high] of rangesOf(intervals, dimension)) {
    const lo = from !== null && BigInt(low) < from ? from : BigInt(low);
    const hi = before !== null && BigInt(high) >= before ? before - 1n : BigInt(high);
    if (lo <= hi) left.push([own(lo), own(hi)]);
  }
  return left.length === 0 ? null : intervalsOf(dimension, left);
}

/** The query cut into slabs of whole rows (or columns), by the tiles' edges where the budget holds a row of tiles. */
function denseParts(array: OpenedArray, query: ResolvedQuery, budget: number): ResolvedQuery[] {
  const { schema } = array;
  const { axes, shape, cellCount } = selectDense(array, query);
  const d = query.order === "col-major" ? schema.dimensions.length - 1 : 0;
  const dimension = schema.dimensions[d]!;
  if (cellCount === 0) return [query];
  const perCell = denseCellBytes(array, query);
  if (query.order === "global") {
    // Slabs follow rows, not tiles.
    if (cellCount * perCell <= budget) return [query];
    throw new LimitError(
      "dense cells in global order cannot be read in batches; ask for a larger memory budget, or for row-major order",
      { where: array.uri },
    );
  }
  const perRow = (cellCount / shape[d]!) * perCell;
  const extent = Number(dimension.tileExtent ?? 1);
  const rows = Math.max(1, Math.floor(budget / perRow));
  const step = rows > extent ? rows - (rows % extent) : rows;
  const selected = query.intervals[d] ?? intervalsOf(dimension, [boxOf(array, d)]);
  const start = BigInt(domainOf(dimension)[0]);
  const cuts: bigint[] = [];
  for (const { start: first, length } of axes[d]!.runs) {
    const end = first + length;
    for (let at = first - (first % step); at < end; at += step)
      if (at > first || cuts.length > 0) cuts.push(start + BigInt(at));
  }
  const whole = { ...query, intervals: query.intervals.map((one, k) => (k === d ? selected : one)) };
  return cutAt(whole, d, dimension, [...new Set(cuts)]);
}

/** The non-empty domain along dimension `d`, which a dense read without ranges selects. */
function boxOf({ fragments, schema }: OpenedArray, d: number): readonly [bigint | number, bigint | number] {
  let box: readonly [bigint | number, bigint | number] | null = null;
  for (const { footer } of fragments) {
    const range = footer.nonEmptyDomain?.[d];
    if (range === undefined || typeof range[0] === "string" || typeof range[1] === "string") continue;
    box =
      box === null
        ? [range[0], range[1]]
        : [range[0] < box[0] ? range[0] : box[0], range[1] > box[1] ? range[1] : box[1]];
  }
  if (box !== null) return box;
  const [low, high] = domainOf(schema.dimensions[d]!);
  return [BigInt(low), BigInt(high)];
}

/** Bytes of a cell of the result; of variable-length cells what the fragments' files hold on average. */
function denseCellBytes({ schema, fragments }: OpenedArray, query: ResolvedQuery): number {
  const cells = fragments.reduce((sum, fragment) => sum + fragment.cellCount, 0);
  const stored = fragments.reduce(
    (sum, { footer }) => sum + footer.fileVarSizes.reduce((a, b) => a + b, 0),
    0,
  );
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  let bytes = 0;
  for (const { name, datatype, cellValNum } of [...schema.attributes, ...schema.dimensions]) {
    if (![...query.attributes, ...query.dimensions, ...decides].includes(name)) continue;
    bytes +=
      cellValNum === VAR_NUM
        ? 12 + (4 * stored) / Math.max(1, cells)
        : datatypeInfo(datatype).bytes * cellValNum;
  }
  return 2 * Math.max(1, bytes);
}
