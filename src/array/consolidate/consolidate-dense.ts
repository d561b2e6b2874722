import { throwIfAborted } from "../../errors.js";
import type { ArraySchema, Coordinate, Dimension, NDRange } from "../../format/array-schema.js";
import type { StoreOptions } from "../../storage/types.js";
import { attributeFields } from "../fields.js";
import { openArray } from "../open.js";
import { type DenseTiling, denseTiling, domainOrigin, strides } from "../order/dense-tiling.js";
import { FragmentFiles } from "../write/fragment-files.js";
import { checkDense, checkTileSize, writeDenseTiles } from "../write/write-dense.js";
import type { WriteTarget } from "../write/write-target.js";

/** Cells that are read at a time, unless a single tile has more. */
const RUN_CELLS = 1 << 20;

/**
 * Writes the cells of a box of a dense array, as they read now, as one fragment: cells that no fragment has hold the
 * fill value, as with the official library. A run of tiles is in memory at a time.
 */
export async function consolidateDense(
  target: WriteTarget,
  name: string,
  box: NDRange,
  options: StoreOptions,
): Promise<string> {
  const { schema, place, uri } = target;
  checkDense(schema, uri);
  const tiling = denseTiling(schema, box, uri);
  checkTileSize(schema, tiling, uri);
  const array = await openArray(place, { signal: options.signal });
  const fields = attributeFields(schema);
  const files = await FragmentFiles.open(target, name, fields, options);
  try {
    for (const run of tileRuns(schema, tiling)) {
      throwIfAborted(options.signal);
      const ranges = Object.fromEntries(schema.dimensions.map(({ name: dim }, d) => [dim, [run[d]!]]));
      const { columns } = await array.read({ ranges, order: "row-major", signal: options.signal });
      const part = denseTiling(schema, run, uri);
      const cells = fields.map((field) => columns[field.name]!);
      await writeDenseTiles(schema, part, files.writers, cells, options.signal);
    }
    const { cellsPerTile, tileCount } = tiling;
    await files.commit({ nonEmptyDomain: box, rtree: null, lastTileCellCount: cellsPerTile, tileCount });
  } catch (error) {
    await files.remove();
    throw error;
  }
  return files.uri;
}

/** The box in pieces that hold consecutive tiles of the tile order, each a run along the fastest dimension. */
function* tileRuns(schema: ArraySchema, tiling: DenseTiling): Generator<NDRange> {
  const { extents, low, high, firstTile, tiles, cellsPerTile } = tiling;
  const colMajor = schema.tileOrder === "col-major";
  const fast = colMajor ? 0 : tiles.length - 1;
  const length = Math.max(1, Math.floor(RUN_CELLS / cellsPerTile));
  const counts = tiles.map((count, d) => (d === fast ? Math.ceil(count / length) : count));
  const steps = strides(counts, colMajor);
  const total = counts.reduce((product, count) => product * count, 1);
  for (let r = 0; r < total; r++) {
    yield schema.dimensions.map((dimension, d) => {
      const at = Math.floor(r / steps[d]!) % counts[d]!;
      const width = d === fast ? length : 1;
      const start = (firstTile[d]! + at * width) * extents[d]!;
      const end = start + width * extents[d]! - 1;
      return [
        coordinateAt(dimension, Math.max(start, low[d]!)),
        coordinateAt(dimension, Math.min(end, high[d]!)),
      ] as const;
    });
  }
}

function coordinateAt(dimension: Dimension, offset: number): Coordinate {
  const origin = domainOrigin(dimension);
  return typeof origin === "bigint" ? origin + BigInt(offset) : origin + offset;
}
