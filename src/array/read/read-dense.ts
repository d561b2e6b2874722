import { LimitError } from "../../errors.js";
import type { ArraySchema, Attribute } from "../../format/array-schema.js";
import { mapBounded } from "../../util/concurrency.js";
import { bytesOf } from "../../util/typed-arrays.js";
import { columnCells, concatColumns, repeatCell, selectCells, takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { conditionFields } from "../condition/condition-fields.js";
import { conditions } from "../condition/late.js";
import { storedField } from "../directory/stored-field.js";
import { unionOf } from "../nd-union.js";
import type { OpenedArray } from "../opened-array.js";
import { product, strides } from "../order/dense-tiling.js";
import type { ReadResult } from "../query.js";
import { fillColumn } from "./block.js";
import { type Axis, axisCoordinates, denseAxes } from "./dense-axes.js";
import { type DenseBuild, denseBuild } from "./dense-columns.js";
import { globalPositions } from "./dense-order.js";
import type { DenseTarget } from "./dense-overlay.js";
import { type CopyLayout, type DenseSource, denseSources, forEachRun } from "./dense-sources.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { SparseSource } from "./sparse-source.js";
import { type FetchOptions, fetchTiles, type TileRequest } from "./tile-fetch.js";

const PARALLEL_FRAGMENTS = 16;

/** Reading of dense arrays: every selected cell, fill values where none was written, newer fragments over older. */

export interface DenseSelection {
  readonly axes: readonly Axis[];
  readonly sources: readonly DenseSource[];
  readonly shape: readonly number[];
  readonly cellCount: number;
}

/** What a dense query selects: the coordinates and the tiles that hold them. */
export function selectDense(array: OpenedArray, query: ResolvedQuery): DenseSelection {
  const { schema, fragments, uri } = array;
  const boxes = fragments.flatMap(({ footer }) =>
    footer.nonEmptyDomain === null ? [] : [footer.nonEmptyDomain],
  );
  const axes = denseAxes(schema, query.intervals, unionOf(boxes), uri);
  const shape = axes.map((axis) => axis.size);
  return {
    axes,
    sources: denseSources(fragments, axes),
    shape,
    cellCount: product(shape, "cells selected", uri),
  };
}

export async function readDense(
  array: OpenedArray,
  query: ResolvedQuery,
  options: FetchOptions,
): Promise<ReadResult> {
  return readSelection(array, query, selectDense(array, query), options);
}

export interface SelectionOptions extends FetchOptions {
  /** A zero per cell of the selection: 1 is set where a source has the cell and the condition, if any, holds. */
  readonly kept?: Uint8Array | undefined;
}

/** Reads what was selected; sources that are left out of it count as not written. */
export async function readSelection(
  array: OpenedArray,
  query: ResolvedQuery,
  { axes, sources, shape, cellCount }: DenseSelection,
  options: SelectionOptions,
): Promise<ReadResult> {
  const { schema, uri } = array;
  if (cellCount > 0xffffffff) {
    throw new LimitError(`${cellCount} cells (${shape.join(" x ")}) in one read; read by ranges`, {
      where: uri,
    });
  }
  const colMajor = query.order === "col-major";
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  const attributes = schema.attributes.filter(
    ({ name }) => query.attributes.includes(name) || decides.includes(name),
  );
  const columns = new Map<string, Column>();
  for (const [d, dimension] of schema.dimensions.entries()) {
    if (!query.dimensions.includes(dimension.name) && !decides.includes(dimension.name)) continue;
    columns.set(dimension.name, coordinateColumn(schema, axes, d, colMajor));
  }
  const overlays = await openOverlays(sources, schema, query, options);
  const failing: ReadonlyMap<DenseSource, ReadonlySet<number>> = query.condition === null
    ? new Map()
    : await (await import("./prune.js")).failingTiles(array, query, sources);
  await checkSources(sources, failing, attributes, options);
  const builds = new Map(attributes.map((attribute) => [attribute, denseBuild(attribute, cellCount)]));
  const { kept } = options;
  const target: DenseTarget = { schema, axes, strides: strides(shape, colMajor), builds, kept };
  const failed = query.condition === null ? null : new Uint8Array(cellCount);
  await fillBuilds(sources, overlays, target, { failing, failed }, options);
  for (const [attribute, build] of builds) columns.set(attribute.name, build.finish());
  if (query.condition !== null) {
    const mask = await applyCondition(array, query, columns, failed!);
    if (kept !== undefined) for (let i = 0; i < mask.length; i++) kept[i]! &= mask[i]!;
  }
  const names = [...query.dimensions, ...query.attributes];
  if (query.order === "global") {
    const order = globalPositions(schema, axes, cellCount, uri);
    for (const name of names) columns.set(name, takeCells(columns.get(name)!, order));
  }
  return { cellCount, columns: Object.fromEntries(names.map((name) => [name, columns.get(name)!])), shape };
}

/** The sparse fragments among the sources, with their tiles. */
async function openOverlays(
  sources: readonly DenseSource[],
  schema: ArraySchema,
  query: ResolvedQuery,
  options: FetchOptions,
): Promise<ReadonlyMap<DenseSource, SparseSource>> {
  const overlays = new Map<DenseSource, SparseSource>();
  for (const source of sources) {
    if (source.fragment.footer.dense) continue;
    const { overlayTiles } = await import("./dense-overlay.js");
    const overlay = await overlayTiles(source.fragment, schema, query.intervals, options);
    if (overlay !== null) overlays.set(source, overlay);
  }
  return overlays;
}

/** Opens the fields and checks what their tiles claim, before memory is taken for the result. */
async function checkSources(
  sources: readonly DenseSource[],
  failing: ReadonlyMap<DenseSource, ReadonlySet<number>>,
  attributes: readonly Attribute[],
  options: FetchOptions,
): Promise<void> {
  await mapBounded(sources, PARALLEL_FRAGMENTS, async (source) => {
    const { fragment } = source;
    const fails = source.tiles.length > 0 && source.tiles.length === failing.get(source)?.size;
    const names = attributes.map(({ name }) => name).filter((name) => !fails && fragment.hasField(name));
    const own = { signal: options.signal };
    if (fragment.store.isRemote === true) fragment.askSections(names, own);
    for (const name of names) {
      const field = await storedField(fragment, name, own);
      for (const { tile } of source.tiles) field.checkClaim(tile);
    }
  });
}

/** Reads the tiles wave by wave: fragments of a wave don't overlap, so their tiles may come in any order. */
async function fillBuilds(
  sources: readonly DenseSource[],
  overlays: ReadonlyMap<DenseSource, SparseSource>,
  target: DenseTarget,
  { failing, failed }: Failing,
  options: FetchOptions,
): Promise<void> {
  const waves = Math.max(0, ...sources.map((source) => source.wave + 1));
  for (let wave = 0; wave < waves; wave++) {
    const requests: TileRequest[] = [];
    for (const source of sources) {
      if (source.wave !== wave || !source.fragment.footer.dense) continue;
      const skipped = failing.get(source);
      if (failed !== null) markCells(source, target.strides, failed, (t) => (skipped?.has(t) ? 1 : 0));
      if (target.kept !== undefined) markCells(source, target.strides, target.kept, () => 1);
      for (const [attribute, build] of target.builds) {
        const request = await requestOf(source, skipped, attribute, build, target.strides, options);
        if (request !== null) requests.push(request);
      }
    }
    await fetchTiles(requests, options);
    for (const [source, overlay] of overlays) {
      if (source.wave !== wave) continue;
      const { layOver } = await import("./dense-overlay.js");
      await layOver(overlay, target, options);
    }
  }
}

/** What a condition leaves out unread. */
interface Failing {
  readonly failing: ReadonlyMap<DenseSource, ReadonlySet<number>>;
  /** A byte per cell of the result: 1 where the newest cell fails. Null without a condition. */
  readonly failed: Uint8Array | null;
}

function layoutOf({ fragment, tiling }: DenseSource, resultStrides: readonly number[]): CopyLayout {
  const colMajor = fragment.schema.cellOrder === "col-major";
  return { tileStrides: strides(tiling.extents, colMajor), resultStrides, colMajor };
}

/** A source's cells take the place of older ones: each cell of its tiles gets its tile's value. */
function markCells(
  source: DenseSource,
  resultStrides: readonly number[],
  marks: Uint8Array,
  markOf: (tile: number) => number,
): void {
  for (const { tile, pieces } of source.tiles) {
    const value = markOf(tile);
    forEachRun(pieces, layoutOf(source, resultStrides), (_, to, length, step) => {
      for (let i = 0; i < length; i++) marks[to + i * step] = value;
    });
  }
}

async function requestOf(
  source: DenseSource,
  skipped: ReadonlySet<number> | undefined,
  attribute: Attribute,
  build: DenseBuild,
  resultStrides: readonly number[],
  options: FetchOptions,
): Promise<TileRequest | null> {
  const { fragment } = source;
  const tiles = source.tiles.filter(({ tile }) => !skipped?.has(tile));
  const layout = layoutOf(source, resultStrides);
  if (!fragment.hasField(attribute.name)) {
    for (const tile of tiles) build.clear(tile, layout);
    return null;
  }
  if (tiles.length === 0) return null;
  const field = await storedField(fragment, attribute.name, { signal: options.signal });
  const byNumber = new Map(tiles.map((tile) => [tile.tile, tile]));
  return {
    field,
    tiles: tiles.map((tile) => tile.tile),
    decode: (t, stored) => build.put(byNumber.get(t)!, layout, field, stored),
  };
}

/** The coordinates of all cells of the result along one dimension. */
function coordinateColumn(schema: ArraySchema, axes: readonly Axis[], d: number, colMajor: boolean): Column {
  const dimension = schema.dimensions[d]!;
  const { datatype } = dimension;
  const shape = axes.map((axis) => axis.size);
  const count = shape.reduce((all, size) => all * size, 1);
  const coordinates = axisCoordinates(axes[d]!, dimension);
  const times = strides(shape, colMajor)[d]!;
  const width = coordinates.BYTES_PER_ELEMENT;
  // Each coordinate `times` times, and the whole of that as often as the slower dimensions ask.
  const parts = Array.from({ length: coordinates.length }, (_, i) =>
    repeatCell(datatype, 1, bytesOf(coordinates).subarray(i * width, (i + 1) * width), times),
  );
  if (count === 0 || parts.length === 0) return repeatCell(datatype, 1, new Uint8Array(width), 0);
  const period =
    times === 1
      ? ({ kind: "fixed", datatype, cellValNum: 1, values: coordinates } as const)
      : concatColumns(parts);
  const cells = columnCells(period);
  if (period.kind !== "fixed" || cells === count) return period;
  const repeated = repeatCell(datatype, cells, bytesOf(period.values), count / cells);
  return { ...repeated, cellValNum: 1 };
}

/** As in the core, cells for which the condition does not hold keep their place and get the fill value; 0 in what it gives. */
async function applyCondition(
  array: OpenedArray,
  query: ResolvedQuery,
  columns: Map<string, Column>,
  failed: Uint8Array,
): Promise<Uint8Array> {
  const { prepareCondition } = await conditions();
  const condition = await prepareCondition(query.condition!, array);
  const mask = condition(columns, failed.length);
  for (let i = 0; i < mask.length; i++) if (failed[i] === 1) mask[i] = 0;
  for (const attribute of array.schema.attributes) {
    const column = columns.get(attribute.name);
    if (column !== undefined) columns.set(attribute.name, fillWhere(column, attribute, mask));
  }
  return mask;
}

/** The column with the fill cell where the mask is 0. */
function fillWhere(column: Column, attribute: Attribute, mask: Uint8Array): Column {
  const count = mask.length;
  const both = concatColumns([
    selectCells(column, { kind: "run", from: 0, to: count }),
    fillColumn(attribute, 1),
  ]);
  const cells = new Uint32Array(count);
  for (let i = 0; i < count; i++) cells[i] = mask[i] === 1 ? i : count;
  return takeCells(both, cells);
}
