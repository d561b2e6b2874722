import { FormatError } from "../../errors.js";
import { type ArraySchema, readArraySchema } from "../../format/array-schema.js";
import {
  type ConsolidatedFooters,
  readConsolidatedFooter,
  readConsolidatedFragmentMetadata,
} from "../../format/consolidated-fragment-metadata.js";
import { COORDS } from "../../format/fragment/fragment-fields.js";
import {
  footerSchemaName,
  impliedFooterSize,
  readFragmentFooter,
} from "../../format/fragment/fragment-footer.js";
import { readGenericTile } from "../../format/generic-tile.js";
import { newestVersionOf } from "../../format/timestamped-name.js";
import { LEGACY_SCHEMA_FILE, NEWEST_VERSION } from "../../format/version.js";
import { joinKey } from "../../storage/key.js";
import type { StoreOptions } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import { type ArrayDirectory, FRAGMENT_METADATA_FILE, type FragmentFiles } from "./array-directory.js";
import { FragmentReader } from "./fragment-reader.js";
import { readMetadataTail } from "./metadata-file.js";

/** From an array's directory to its fragments' footers: schemas and ends of metadata files, all in one wave. */

/** Requests in flight while an array opens. */
const PARALLEL_READS = 16;

/** An array's schemas by file name, each read once. */
export class SchemaFiles {
  readonly #directory: ArrayDirectory;
  readonly #loaded = new Map<string, Promise<ArraySchema>>();
  readonly #ready = new Map<string, ArraySchema>();

  constructor(directory: ArrayDirectory) {
    this.#directory = directory;
  }

  async load(name: string, options: StoreOptions): Promise<ArraySchema> {
    const kept = this.#loaded.get(name);
    if (kept !== undefined) return kept;
    const loading = this.#read(name, options);
    this.#loaded.set(name, loading);
    return loading;
  }

  /** A schema that was loaded before. */
  get(name: string): ArraySchema {
    const schema = this.#ready.get(name);
    if (schema !== undefined) return schema;
    throw new FormatError(`a fragment was written with schema '${name}', which was not loaded`, {
      where: this.#directory.uri,
    });
  }

  async #read(name: string, options: StoreOptions): Promise<ArraySchema> {
    const { store } = this.#directory.location;
    const file = this.#directory.schemas.find((schema) => schema.name === name);
    const bytes = file && (await store.get(file.key, options));
    if (file === undefined || bytes === undefined) {
      throw new FormatError(`schema '${name}' is missing`, { where: this.#directory.uri });
    }
    const where = `${store.uri}/${file.key}`;
    const tile = await readGenericTile(bytes, 0, "array schema", where, this.#directory.encryptionKey);
    const schema = readArraySchema(tile.data, where);
    this.#ready.set(name, schema);
    return schema;
  }
}

/** Readers of those fragments, in the same order; `schema` is the array's. */
export async function openFragments(
  directory: ArrayDirectory,
  fragments: readonly FragmentFiles[],
  schema: ArraySchema,
  schemas: SchemaFiles,
  options: StoreOptions,
): Promise<FragmentReader[]> {
  const readers = await openEach(directory, fragments, schemas, options);
  for (const reader of readers) if (reader.schema !== schema) reader.readAs(schema);
  return readers;
}

async function openEach(
  directory: ArrayDirectory,
  fragments: readonly FragmentFiles[],
  schemas: SchemaFiles,
  options: StoreOptions,
): Promise<FragmentReader[]> {
  const footers = await consolidatedFooters(directory, fragments, options);
  return mapBounded(
    fragments,
    PARALLEL_READS,
    async (files) => {
      const found = footers.find(({ offsets }) => offsets.has(files.name));
      if (found !== undefined) return fromConsolidated(directory, files, found, schemas, options);
      const version = newestVersionOf(files.name) ?? NEWEST_VERSION;
      if (version < 3) return fromLegacy(directory, files, schemas, options);
      return fromFooter(directory, files, version, schemas, options);
    },
    options.signal,
  );
}

async function fromFooter(
  directory: ArrayDirectory,
  files: FragmentFiles,
  version: number,
  schemas: SchemaFiles,
  options: StoreOptions,
): Promise<FragmentReader> {
  const { store } = directory.location;
  const where = `${store.uri}/${files.key}`;
  // Before version 10 there was one schema, and where the footer begins may follow from it only.
  const known = version < 10 ? await schemas.load(LEGACY_SCHEMA_FILE, options) : null;
  const size = known === null ? null : impliedFooterSize(version, known);
  const fileSize = files.files.get(FRAGMENT_METADATA_FILE);
  if (fileSize === undefined) {
    throw new FormatError(`fragment was committed but its ${FRAGMENT_METADATA_FILE} is missing`, { where });
  }
  const key = joinKey(files.key, FRAGMENT_METADATA_FILE);
  const { bytes, start } = await readMetadataTail(store, key, fileSize, size, options);
  const schema = known ?? (await schemas.load(footerSchemaName(bytes, where), options));
  const footer = readFragmentFooter(bytes, (name) => schemas.get(name), where, size);
  return new FragmentReader(store, files, footer, schema, { bytes, start }, null, directory.encryptionKey);
}

/** Before version 3 there was no footer: the metadata file is read whole. */
async function fromLegacy(
  directory: ArrayDirectory,
  files: FragmentFiles,
  schemas: SchemaFiles,
  options: StoreOptions,
): Promise<FragmentReader> {
  const { store } = directory.location;
  const where = `${store.uri}/${files.key}`;
  const schema = await schemas.load(LEGACY_SCHEMA_FILE, options);
  const bytes = await store.get(joinKey(files.key, FRAGMENT_METADATA_FILE), options);
  if (bytes === undefined) throw new FormatError(`fragment: ${FRAGMENT_METADATA_FILE} is gone`, { where });
  const { data } = await readGenericTile(bytes, 0, "fragment metadata", where, directory.encryptionKey);
  const dense = !files.files.has(`${COORDS}.tdb`);
  const { readLegacyFragmentMetadata } = await import("../../format/fragment/fragment-metadata-legacy.js");
  const { footer, sections } = readLegacyFragmentMetadata(data, schema, dense, where);
  return new FragmentReader(store, files, footer, schema, null, sections, directory.encryptionKey);
}

async function fromConsolidated(
  directory: ArrayDirectory,
  files: FragmentFiles,
  footers: ConsolidatedFooters,
  schemas: SchemaFiles,
  options: StoreOptions,
): Promise<FragmentReader> {
  const { store } = directory.location;
  // The footer's schema is known by name only once it is read, and reading it takes the schema.
  await Promise.all(directory.schemas.map(({ name }) => schemas.load(name, options)));
  const where = `${store.uri}/${files.key}`;
  const footer = readConsolidatedFooter(footers, files.name, (name) => schemas.get(name), where);
  if (footer === undefined) throw new FormatError("fragment: its consolidated footer is missing", { where });
  const schema = schemas.get(footer.schemaName);
  return new FragmentReader(store, files, footer, schema, null, null, directory.encryptionKey);
}

/** Footers from consolidated fragment metadata, newest file first; only files that spare requests are read. */
async function consolidatedFooters(
  directory: ArrayDirectory,
  fragments: readonly FragmentFiles[],
  options: StoreOptions,
): Promise<ConsolidatedFooters[]> {
  if (fragments.length < 2) return [];
  const { store } = directory.location;
  const files = directory.fragmentMetadata.toReversed();
  return mapBounded(
    files,
    PARALLEL_READS,
    async ({ key }) => {
      const where = `${store.uri}/${key}`;
      const structure = "consolidated fragment metadata";
      const bytes = await store.get(key, options);
      if (bytes === undefined) throw new FormatError("file was listed but is gone", { where });
      const tile = await readGenericTile(bytes, 0, structure, where, directory.encryptionKey);
      return readConsolidatedFragmentMetadata(tile.data, where);
    },
    options.signal,
  );
}
