import type { ArraySchema } from "../../format/array-schema.js";
import { denseTiling, strides } from "../order/dense-tiling.js";
import type { Axis } from "./dense-axes.js";

/** Positions along one dimension of the result that lie in one tile: [from, to). */
export type Span = readonly [number, number];

/**
 * The global order of a dense result: tile after tile in tile order, the cells of each in cell order. Element i is where
 * cell i lies in the row-major result.
 */
export function globalPositions(
  schema: ArraySchema,
  axes: readonly Axis[],
  count: number,
  where: string,
): Uint32Array {
  const { extents } = denseTiling(schema, null, where);
  const spans = axes.map((axis, d) => tileSpans(axis, extents[d]!));
  const steps = strides(
    axes.map((axis) => axis.size),
    false,
  );
  const positions = new Uint32Array(count);
  if (count === 0) return positions;
  const tileOrder = slowestFirst(axes.length, schema.tileOrder === "col-major");
  const cellOrder = slowestFirst(axes.length, schema.cellOrder === "col-major");
  const tile: Span[] = new Array(axes.length);
  let n = 0;
  const cells = (level: number, at: number): void => {
    const d = cellOrder[level]!;
    const [from, to] = tile[d]!;
    const step = steps[d]!;
    const last = level === cellOrder.length - 1;
    for (let i = from; i < to; i++) {
      if (last) positions[n++] = at + i * step;
      else cells(level + 1, at + i * step);
    }
  };
  const tiles = (level: number): void => {
    if (level === tileOrder.length) {
      cells(0, 0);
      return;
    }
    const d = tileOrder[level]!;
    for (const span of spans[d]!) {
      tile[d] = span;
      tiles(level + 1);
    }
  };
  tiles(0);
  return positions;
}

/** Dimensions, the one along which the order goes slowest first. */
export function slowestFirst(n: number, colMajor: boolean): number[] {
  const order = Array.from({ length: n }, (_, d) => d);
  return colMajor ? order.toReversed() : order;
}

/** The axis cut at tiles. Runs ascend, so that what lies in one tile is one span, also of several runs. */
export function tileSpans({ runs }: Axis, extent: number): Span[] {
  const spans: [number, number][] = [];
  let before = Number.NaN;
  for (const { start, length, position } of runs) {
    for (let at = start; at < start + length; ) {
      const tile = Math.floor(at / extent);
      const end = Math.min(start + length, (tile + 1) * extent);
      const to = position + end - start;
      if (tile === before) spans.at(-1)![1] = to;
      else spans.push([position + at - start, to]);
      before = tile;
      at = end;
    }
  }
  return spans;
}
