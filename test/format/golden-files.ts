import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ArraySchema, readArraySchema } from "../../src/format/array-schema.js";
import { fieldCount, isVarField } from "../../src/format/fragment/fragment-fields.js";
import { type FragmentFooter, readFragmentFooter } from "../../src/format/fragment/fragment-footer.js";
import {
  readFragmentMinMaxSumNull,
  readProcessedConditions,
  readTileMinMax,
  readTileNumbers,
  readTileSums,
  writeFragmentMinMaxSumNull,
  writeProcessedConditions,
  writeTileMinMax,
  writeTileNumbers,
  writeTileSums,
} from "../../src/format/fragment/fragment-sections.js";
import { readRTree, writeRTree } from "../../src/format/fragment/rtree.js";
import { readGenericTile } from "../../src/format/generic-tile.js";

/** The files that spec-fixtures/format/generate.py had the official library write. */
const root = fileURLToPath(new URL("../../spec-fixtures/format/", import.meta.url));

export interface GoldenFile {
  /** Path from the fixtures' root, such as `v22/schema/dense-2d`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Format versions that there are files of. */
export const goldenVersions: readonly number[] = readdirSync(root)
  .filter((name) => /^v\d+$/.test(name))
  .map((name) => Number(name.slice(1)))
  .sort((a, b) => a - b);

export function readGolden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(root + name));
}

/** All files below a folder of each version, `kind` being "schema", "fragment", ...; optionally with an ending. */
export function goldenFiles(kind: string, ending = ""): GoldenFile[] {
  return goldenVersions
    .flatMap((version) => walk(`v${version}/${kind}`))
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, bytes: readGolden(name) }));
}

/** What the official library says of the structures of a version. */
export function goldenExpected(version: number): Expected {
  return JSON.parse(readFileSync(`${root}v${version}/expected.json`, "utf8")) as Expected;
}

export interface Expected {
  readonly metadata: { readonly keys: readonly string[] };
  readonly arrays: Readonly<Record<string, ExpectedArray>>;
}

export interface ExpectedArray {
  readonly schema: ExpectedSchema;
  readonly fragments: Readonly<Record<string, ExpectedFragment>>;
}

export interface ExpectedPipeline {
  readonly chunk: number;
  readonly filters: readonly string[];
}

export interface ExpectedSchema {
  readonly version: number;
  readonly sparse: boolean;
  readonly duplicates: boolean;
  readonly cellOrder: string;
  readonly tileOrder: string | null;
  readonly capacity: number;
  readonly offsets: ExpectedPipeline;
  readonly coords: ExpectedPipeline;
  readonly validity: ExpectedPipeline;
  readonly dimensions: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly domain: readonly string[] | null;
    readonly tile: string | null;
  }[];
  readonly attributes: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly var: boolean;
    readonly nullable: boolean;
    readonly filters: ExpectedPipeline;
    readonly enumeration: string | null;
  }[];
}

/** Members are missing of fragments that the library no longer lists, being consolidated. */
export interface ExpectedFragment {
  readonly file: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly sparse?: boolean;
  readonly cells?: number;
  readonly version?: number;
  readonly schema?: string;
  readonly nonEmptyDomain?: readonly (readonly string[])[];
  readonly mbrs?: readonly (readonly (readonly string[])[])[];
}

/** The payload of a file that is one generic tile. */
export async function payloadOf(file: GoldenFile): Promise<Uint8Array> {
  const { data, end } = await readGenericTile(file.bytes, 0, "golden file", file.name);
  if (end !== file.bytes.byteLength)
    throw new Error(`${file.name}: ${file.bytes.byteLength - end} bytes left over`);
  return data;
}

/** A section of a fragment's metadata file, and how to read it and write it again. */
export interface GoldenSection {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly roundTrip: (payload: Uint8Array) => Uint8Array;
}

export interface GoldenFragment {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly schema: ArraySchema;
  readonly footer: FragmentFooter;
  /** In the order of the file. */
  readonly sections: readonly GoldenSection[];
  /** End of the last section, where the footer begins. */
  readonly end: number;
}

export async function goldenFragment(file: GoldenFile): Promise<GoldenFragment> {
  const schemaFile = file.name.replace(/metadata$/, "schema");
  const schema = readArraySchema(await payloadOf({ name: schemaFile, bytes: readGolden(schemaFile) }));
  const footer = readFragmentFooter(file.bytes, () => schema, file.name);
  const sections: GoldenSection[] = [];
  let at = 0;
  const add = async (name: string, offset: number, roundTrip: GoldenSection["roundTrip"]) => {
    if (offset !== at) throw new Error(`${file.name}: ${name} at ${offset}, expected ${at}`);
    const { data, end } = await readGenericTile(file.bytes, offset, name, file.name);
    sections.push({ name, payload: data, roundTrip });
    at = end;
  };
  const addFields = async (
    name: string,
    offsets: Float64Array,
    make: (field: number) => GoldenSection["roundTrip"],
  ) => {
    for (let field = 0; field < fieldCount(schema, footer); field++) {
      await add(`${name} ${field}`, offsets[field]!, make(field));
    }
  };
  const numbers = () => (payload: Uint8Array) => writeTileNumbers(readTileNumbers(payload, "numbers"));
  const extremes = (field: number) => (payload: Uint8Array) =>
    writeTileMinMax(readTileMinMax(payload, isVarField(schema, field)));
  const offsets = footer.sections;
  await add("R-tree", offsets.rtree, (payload) => writeRTree(readRTree(payload, schema.dimensions)));
  await addFields("tile offsets", offsets.tileOffsets, numbers);
  await addFields("var tile offsets", offsets.tileVarOffsets, numbers);
  await addFields("var tile sizes", offsets.tileVarSizes, numbers);
  await addFields("validity tile offsets", offsets.tileValidityOffsets, numbers);
  await addFields("mins", offsets.tileMins, extremes);
  await addFields("maxes", offsets.tileMaxes, extremes);
  await addFields("sums", offsets.tileSums, () => (payload) => writeTileSums(readTileSums(payload)));
  await addFields("null counts", offsets.tileNullCounts, numbers);
  await add("fragment statistics", offsets.fragmentStatistics, (payload) =>
    writeFragmentMinMaxSumNull(readFragmentMinMaxSumNull(payload)),
  );
  await add("processed conditions", offsets.processedConditions, (payload) =>
    writeProcessedConditions(readProcessedConditions(payload)),
  );
  return { name: file.name, bytes: file.bytes, schema, footer, sections, end: at };
}

function walk(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(root + folder).sort();
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(root + path).isDirectory() ? walk(path) : [path];
  });
}
