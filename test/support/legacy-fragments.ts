import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadArrayDirectory } from "../../src/array/directory/array-directory.js";
import type { FragmentReader } from "../../src/array/directory/fragment-reader.js";
import { openFragments, SchemaFiles } from "../../src/array/directory/open-fragments.js";
import { type StoredField, storedField } from "../../src/array/directory/stored-field.js";
import { type ArraySchema, writeArraySchema } from "../../src/format/array-schema.js";
import { ByteWriter } from "../../src/format/byte-writer.js";
import { emptyPipeline } from "../../src/format/filter-pipeline.js";
import { COORDS } from "../../src/format/fragment/fragment-fields.js";
import type { DimensionBounds, RTree } from "../../src/format/fragment/rtree.js";
import { writeGenericTile } from "../../src/format/generic-tile.js";
import { writeNDRange } from "../../src/format/nd-range.js";
import { writeUint64s } from "../../src/format/scalar.js";
import { encodeTile, loadPipeline } from "../../src/format/tile.js";
import { LEGACY_SCHEMA_FILE } from "../../src/format/version.js";
import { resolveNodePath } from "../../src/storage/node-fs.js";
import { concatBytes } from "../../src/util/typed-arrays.js";

/**
 * Arrays of format versions 1 and 2, which no library that can be had writes: one of version 3 or 4 with its fragments'
 * metadata rewritten as format_spec/fragment.md has them, and as version 1 with unfiltered, zipped coordinates.
 */
export async function writeLegacyArray(source: string, target: string, version: 1 | 2): Promise<void> {
  const directory = await loadArrayDirectory(resolveNodePath(source)!);
  const schemas = new SchemaFiles(directory);
  const schema = await schemas.load(LEGACY_SCHEMA_FILE, {});
  const fragments = await openFragments(directory, directory.fragments, schema, schemas, {});
  await mkdir(target, { recursive: true });
  const changed = version === 1 ? { ...schema, coordsFilters: emptyPipeline } : schema;
  await writeFile(join(target, LEGACY_SCHEMA_FILE), await writeGenericTile(writeArraySchema(changed)));
  for (const fragment of fragments) {
    const { start, name } = fragment.files;
    const uuid = name.split("_").at(-1)!;
    await writeLegacyFragment(fragment, join(source, name), join(target, `__${uuid}_${start}`), version);
  }
}

async function writeLegacyFragment(
  fragment: FragmentReader,
  source: string,
  target: string,
  version: 1 | 2,
): Promise<void> {
  const { schema, footer } = fragment;
  const { attributes, dimensions } = schema;
  await cp(source, target, { recursive: true });
  const sizes = footer.fileSizes.slice(0, attributes.length + 1);
  let coordinateOffsets: ArrayLike<number> = [];
  if (!footer.dense) coordinateOffsets = (await storedField(fragment, dimensions[0]!.name)).files[0]!.offsets;
  if (version === 1 && !footer.dense) {
    const tiles = await zippedTiles(fragment, schema);
    await writeFile(join(target, `${COORDS}.tdb`), concatBytes(tiles));
    sizes[attributes.length] = tiles.reduce((sum, tile) => sum + tile.byteLength, 0);
    let at = 0;
    coordinateOffsets = Float64Array.from(tiles, (tile) => {
      at += tile.byteLength;
      return at - tile.byteLength;
    });
  }
  const fields = await Promise.all(attributes.map(({ name }) => storedField(fragment, name)));
  const writer = new ByteWriter();
  writer.u32(version);
  const domain = new ByteWriter();
  if (footer.nonEmptyDomain !== null) writeNDRange(domain, dimensions, footer.nonEmptyDomain);
  writer.u64n(domain.length);
  writer.raw(domain.finish());
  writeRectangles(writer, schema, footer.dense ? null : await fragment.rtree());
  const lists = [...fields.map((field) => field.files[0]!.offsets), coordinateOffsets];
  for (const list of lists) writeList(writer, list);
  for (const field of fields) writeList(writer, varFile(field)?.offsets ?? []);
  for (const { name } of attributes) writeList(writer, (await fragment.tilesOf(name)).var?.tileBytes ?? []);
  writer.u64n(footer.lastTileCellCount);
  writeUint64s(writer, sizes);
  writeUint64s(writer, footer.fileVarSizes.slice(0, attributes.length));
  await writeFile(join(target, "__fragment_metadata.tdb"), await writeGenericTile(writer.finish()));
}

const varFile = (field: StoredField) => field.files.find(({ file }) => file.endsWith("_var.tdb"));

function writeList(writer: ByteWriter, values: ArrayLike<number>): void {
  writer.u64n(values.length);
  writeUint64s(writer, values);
}

/** The rectangles, and as many bounding coordinates, which nobody reads: the rectangles again. */
function writeRectangles(writer: ByteWriter, { dimensions }: ArraySchema, tree: RTree | null): void {
  const count = tree?.tileCount ?? 0;
  for (let twice = 0; twice < 2; twice++) {
    writer.u64n(count);
    for (let t = 0; t < count; t++) {
      const box = tree!.bounds.map((bounds) => endsAt(bounds, t));
      writeNDRange(writer, dimensions, box);
    }
  }
}

function endsAt(bounds: DimensionBounds, t: number): readonly [number | bigint, number | bigint] {
  if (bounds.kind === "text") throw new Error("format version 3 has no string dimensions");
  return [bounds.lo[t]!, bounds.hi[t]!];
}

/** The tiles of `__coords.tdb` as version 1 had them without compression: cell after cell. */
async function zippedTiles(fragment: FragmentReader, schema: ArraySchema): Promise<Uint8Array[]> {
  const fields = await Promise.all(schema.dimensions.map(({ name }) => storedField(fragment, name)));
  const { datatype, cellBytes } = fields[0]!.field;
  const count = fields.length;
  const pipeline = await loadPipeline(emptyPipeline, { datatype, cellValNum: count, version: 1 });
  const file = fields[0]!.files[0]!;
  const tiles: Uint8Array[] = [];
  for (let t = 0; t < fragment.tileCount; t++) {
    const stored = await fragment.store.getRange(fragment.key(file.file), fields[0]!.range(file, t));
    const columns = fields.map((field) => field.decodeFixed(t, [stored!]));
    const zipped = new Uint8Array(count * columns[0]!.byteLength);
    for (let i = 0; i < zipped.byteLength; i++) {
      const value = Math.floor(i / cellBytes);
      const [cell, d] = [Math.floor(value / count), value % count];
      zipped[i] = columns[d]![cell * cellBytes + (i % cellBytes)]!;
    }
    tiles.push(encodeTile(zipped, pipeline, count * cellBytes));
  }
  return tiles;
}
