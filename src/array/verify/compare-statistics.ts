import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { sumOf, sumType } from "../../format/fragment/fragment-statistics.js";
import { viewAs } from "../../util/typed-arrays.js";
import type { Column } from "../columns.js";
import type { AttributeStatistics } from "../directory/field-statistics.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { Field } from "../fields.js";
import { strides } from "../order/dense-tiling.js";
import { StatisticsCollector } from "../write/tile-statistics.js";

/** Floats are added in another order by other writers. */
const RELATIVE_ERROR = 1e-6;

/**
 * What the statistics of a tile say that its cells do not; null if they agree, or say nothing that can be relied on.
 * Pictures are left out, which need not come back as they were written, and texts of variable length: their stored bounds may end at a NUL. `[first, end)` are the cells that count,
 * see `writtenCells`.
 */
export function compareStatistics(
  field: Field,
  column: Column,
  statistics: AttributeStatistics,
  t: number,
  [first, end]: readonly [number, number],
): string | null {
  if (field.cellValNum === VAR_NUM || field.filters.filters.some(({ type }) => type === "webp")) return null;
  const cells = end - first;
  const collector = new StatisticsCollector(field);
  collector.add(column, first, end);
  collector.endTile(cells);
  const found = collector.finish();
  const nulls = statistics.nullCount(t);
  if (field.nullable && nulls !== null && found.nullCounts[0] !== nulls) {
    return `${found.nullCounts[0]} nulls, metadata say ${nulls}`;
  }
  if (nulls === cells) return null;
  const sum = statistics.sum(t);
  const kind = sumType(field);
  if (sum !== null && kind !== null && !isCapped(sum)) {
    const real = sumOf(BigInt.asUintN(64, BigInt(found.sums[0]!)), kind);
    if (!isSameSum(real, sum)) return `the sum is ${real}, metadata say ${sum}`;
  }
  for (const side of ["min", "max"] as const) {
    const stored = statistics[side](t);
    const extremes = side === "min" ? found.mins : found.maxes;
    if (stored === null || extremes?.kind !== "fixed") continue;
    if (isSameBytes(stored, extremes.values)) continue;
    const [real, said] = [extremes.values, stored].map((bytes) => scalarOf(field, bytes));
    if (real === said || Number.isNaN(real)) continue;
    return `the ${side === "min" ? "smallest" : "largest"} value is ${real}, metadata say ${said}`;
  }
  return null;
}

/**
 * Cells [first, end) of a tile that its statistics are of; null where these are no run. Tiles of dense fragments have
 * all their cells, also those outside of what was written.
 */
export function writtenCells(fragment: FragmentReader, t: number): readonly [number, number] | null {
  const { tiling, schema } = fragment;
  if (tiling === null) return [0, fragment.cellsOf(t)];
  const steps = strides(tiling.tiles, schema.tileOrder === "col-major");
  const spans = tiling.extents.map((extent, d) => {
    const place = tiling.firstTile[d]! + (Math.floor(t / steps[d]!) % tiling.tiles[d]!);
    const start = place * extent;
    const end = Math.min(tiling.high[d]! + 1, start + extent) - start;
    return [Math.max(tiling.low[d]! - start, 0), end] as const;
  });
  if (spans.length === 1) return spans[0]!;
  const isWhole = spans.every(([first, end], d) => first === 0 && end === tiling.extents[d]);
  return isWhole ? [0, tiling.cellsPerTile] : null;
}

/** A sum that would overflow is the end of its type, by which order of the cells cannot be told. */
function isCapped(sum: bigint | number): boolean {
  return sum === -(2n ** 63n) || sum === 2n ** 63n - 1n || sum === 2n ** 64n - 1n;
}

function isSameSum(real: bigint | number, said: bigint | number): boolean {
  if (real === said || (Number.isNaN(real) && Number.isNaN(said))) return true;
  if (typeof real === "bigint" || typeof said === "bigint") return false;
  if (!Number.isFinite(real) || !Number.isFinite(said)) return !Number.isFinite(real);
  return Math.abs(real - said) <= RELATIVE_ERROR * Math.max(1, Math.abs(real), Math.abs(said));
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function scalarOf({ datatype }: Field, bytes: Uint8Array): unknown {
  const { array, kind } = datatypeInfo(datatype);
  if (kind === "string" || kind === "char") return new TextDecoder().decode(bytes);
  return viewAs(bytes.slice(), array)[0];
}
