import type { ArraySchema } from "../../src/format/array-schema.js";
import { fieldNames, isVarField } from "../../src/format/fragment/fragment-fields.js";
import { readFragmentFooter } from "../../src/format/fragment/fragment-footer.js";
import * as sections from "../../src/format/fragment/fragment-sections.js";
import { readRTree } from "../../src/format/fragment/rtree.js";
import { readGenericTile } from "../../src/format/generic-tile.js";
import type { ReadableStore } from "../../src/storage/types.js";

/** All that a fragment's metadata say, by field name, but for the schema's name: to compare two writers. */
export async function fragmentContent(store: ReadableStore, key: string, schema: ArraySchema) {
  const bytes = await store.get(`${key}/__fragment_metadata.tdb`);
  if (bytes === undefined) throw new Error(`no fragment at ${key}`);
  const { schemaName: _, sections: at, ...footer } = readFragmentFooter(bytes, () => schema, key);
  const payload = async (offset: number) => (await readGenericTile(bytes, offset, "section", key)).data;
  const fields: Record<string, unknown> = {};
  for (const [f, name] of fieldNames(schema, footer).entries()) {
    const isVar = isVarField(schema, f);
    fields[name] = {
      offsets: sections.readTileNumbers(await payload(at.tileOffsets[f]!), "offsets"),
      varOffsets: sections.readTileNumbers(await payload(at.tileVarOffsets[f]!), "var offsets"),
      varSizes: sections.readTileNumbers(await payload(at.tileVarSizes[f]!), "var sizes"),
      validity: sections.readTileNumbers(await payload(at.tileValidityOffsets[f]!), "validity offsets"),
      mins: sections.readTileMinMax(await payload(at.tileMins[f]!), isVar),
      maxes: sections.readTileMinMax(await payload(at.tileMaxes[f]!), isVar),
      sums: sections.readTileSums(await payload(at.tileSums[f]!)),
      nullCounts: sections.readTileNumbers(await payload(at.tileNullCounts[f]!), "null counts"),
    };
  }
  const names = fieldNames(schema, footer);
  const whole = sections.readFragmentMinMaxSumNull(await payload(at.fragmentStatistics));
  return {
    footer,
    rtree: readRTree(await payload(at.rtree), schema.dimensions),
    fields,
    whole: Object.fromEntries(whole.map((statistics, f) => [names[f]!, statistics])),
    conditions: sections.readProcessedConditions(await payload(at.processedConditions)),
  };
}

/** The fragments' keys below an array, oldest first. */
export async function fragmentKeys(store: ReadableStore, path: string): Promise<string[]> {
  const entries = await store.list(`${path}/__fragments`, { recursive: false });
  return entries.filter((entry) => entry.size === undefined).map((entry) => entry.key);
}
