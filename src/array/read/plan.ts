import type { ArraySchema } from "../../format/array-schema.js";
import type { StoreOptions } from "../../storage/types.js";
import { conditionFields } from "../condition/condition-fields.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import { storedField } from "../directory/stored-field.js";
import type { OpenedArray } from "../opened-array.js";
import type { PlannedField, PlannedFragment, ReadPlan } from "../query.js";
import { Block } from "./block.js";
import { deleteFields, deletesOf, prepareDeletes } from "./deletes.js";
import { overlayTiles } from "./dense-overlay.js";
import { rangesOf } from "./intervals.js";
import { withoutSorting } from "./merge-fragments.js";
import { failingTiles } from "./prune.js";
import { selectDense } from "./read-dense.js";
import { sparseSources } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { roleOf, sparseFields, type WantedField } from "./sparse-fields.js";
import { isCovered, type SparseSource } from "./sparse-source.js";
import { coalesce, gapOf, splitTiles } from "./tile-fetch.js";

/** What a read will do, as a value: the same choices as in reading, without fetching a tile. */
export async function planRead(array: OpenedArray, query: ResolvedQuery): Promise<ReadPlan> {
  const { schema } = array;
  const { fragments, cellsAtMost } =
    schema.arrayType === "dense" ? await planDense(array, query) : await planSparse(array, query);
  const fetches = fragments.flatMap((one) => one.fields.flatMap((field) => field.fetches));
  return {
    uri: array.uri,
    order: query.order,
    ranges: query.intervals.map((one, d) => (one === null ? null : rangesOf(one, schema.dimensions[d]!))),
    fragments,
    totals: {
      fragments: fragments.length,
      tiles: fragments.reduce((sum, one) => sum + one.covered.length + one.partial.length, 0),
      requests: fetches.length,
      bytes: fetches.reduce((sum, { range }) => sum + range.end - range.start, 0),
      cellsAtMost,
    },
  };
}

interface Planned {
  readonly fragments: readonly PlannedFragment[];
  readonly cellsAtMost: number;
}

async function planSparse(array: OpenedArray, query: ResolvedQuery): Promise<Planned> {
  const sources = await sparseSources(array, query);
  const options = { signal: query.signal };
  const blocks = sources.flatMap((source) => source.tiles.map((tile) => new Block(source, tile)));
  const deletes = await prepareDeletes(array);
  const compares = withoutSorting(blocks, array.schema, query.order) === null;
  const fragments = await Promise.all(
    sources.map(async (source) => {
      const { fragment, tiles } = source;
      const own = deleteFields(await deletesOf(fragment, deletes, options));
      const wanted = sparseFields(array, query, source, compares, own);
      const fields = await Promise.all(
        wanted.map(({ name, role, tiles: some }) => planField(fragment, name, role, some, options)),
      );
      return {
        uri: fragment.uri,
        tileCount: fragment.tileCount,
        covered: tiles.filter((t) => isCovered(source, t)),
        partial: tiles.filter((t) => !isCovered(source, t)),
        fields: fields.filter((field) => field.fetches.length > 0),
      };
    }),
  );
  const cellsOf = ({ fragment, tiles }: SparseSource): number =>
    tiles.reduce((sum, t) => sum + fragment.cellsOf(t), 0);
  return { fragments, cellsAtMost: sources.reduce((sum, source) => sum + cellsOf(source), 0) };
}

async function planDense(array: OpenedArray, query: ResolvedQuery): Promise<Planned> {
  const { sources, cellCount } = selectDense(array, query);
  const options = { signal: query.signal };
  const failing = await failingTiles(array, query, sources);
  const fragments = await Promise.all(
    sources.map(async (source) => {
      const { fragment, tiling } = source;
      if (!fragment.footer.dense) return planOverlay(fragment, array, query, options);
      const tiles = source.tiles.filter(({ tile }) => !failing.get(source)?.has(tile));
      const numbers = tiles.map((one) => one.tile);
      const fields = await Promise.all(
        denseFields(array.schema, query)
          .filter(({ name }) => fragment.hasField(name))
          .map(({ name, role }) => planField(fragment, name, role, numbers, options)),
      );
      const isWhole = (pieces: (typeof tiles)[number]["pieces"]) =>
        pieces.every((list, d) => list.length === 1 && list[0]!.length === tiling.extents[d]);
      const covered = tiles.filter((one) => isWhole(one.pieces)).map((one) => one.tile);
      const partial = numbers.filter((t) => !covered.includes(t));
      return { uri: fragment.uri, tileCount: fragment.tileCount, covered, partial, fields };
    }),
  );
  // Cells of the result, whatever lies under them: also where no fragment does.
  return { fragments, cellsAtMost: cellCount };
}

/** A sparse fragment in a dense array: all its coordinates decide where the cells go. */
async function planOverlay(
  fragment: FragmentReader,
  { schema }: OpenedArray,
  query: ResolvedQuery,
  options: StoreOptions,
): Promise<PlannedFragment> {
  const source = await overlayTiles(fragment, schema, query.intervals, options);
  const tiles = source?.tiles ?? [];
  const dimensions = schema.dimensions.map(({ name }) => ({ name, role: "select" as const }));
  const attributes = denseFields(schema, query).filter(({ name }) => fragment.hasField(name));
  const fields = await Promise.all(
    [...dimensions, ...attributes].map(({ name, role }) => planField(fragment, name, role, tiles, options)),
  );
  return { uri: fragment.uri, tileCount: fragment.tileCount, covered: [], partial: tiles, fields };
}

function denseFields(schema: ArraySchema, query: ResolvedQuery): Omit<WantedField, "tiles">[] {
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  return schema.attributes
    .filter(({ name }) => query.attributes.includes(name) || decides.includes(name))
    .map(({ name }) => ({ name, role: roleOf(decides.includes(name), query.attributes.includes(name)) }));
}

async function planField(
  fragment: FragmentReader,
  name: string,
  role: PlannedField["role"],
  tiles: readonly number[],
  options: StoreOptions,
): Promise<PlannedField> {
  if (tiles.length === 0) return { name, role, fetches: [] };
  const field = await storedField(fragment, name, options);
  const fetches = splitTiles(field, tiles).flatMap((run) =>
    field.files.flatMap((file) =>
      coalesce(field, file, run, gapOf(fragment.store))
        .filter(({ range }) => range.end > range.start)
        .map(({ range, first, last }) => ({ file: file.file, range, tiles: last - first })),
    ),
  );
  return { name, role, fetches };
}
