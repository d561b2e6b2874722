import type { ArraySchema, NDRange } from "../../format/array-schema.js";
import { COORDS, fieldNames } from "../../format/fragment/fragment-fields.js";
import {
  type FieldMetadata,
  type FragmentMetadataInput,
  writeFragmentMetadata,
} from "../../format/fragment/fragment-metadata.js";
import { coordsFieldMetadata, emptyFieldMetadata } from "../../format/fragment/fragment-statistics.js";
import type { RTree } from "../../format/fragment/rtree.js";
import { joinKey } from "../../storage/key.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import type { StoreLocation, StoreOptions, WritableStore } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import type { Field } from "../fields.js";
import { type FieldOptions, type FieldWriter, openFieldWriters } from "./field-writer.js";
import type { WriteTarget } from "./write-target.js";

/** Files that are made durable at a time: each waits for the disk. */
const PARALLEL_CLOSES = 8;

/** What a fragment's metadata say of it besides its fields. */
export interface FragmentSummary {
  readonly nonEmptyDomain: NDRange;
  /** Null of dense fragments. */
  readonly rtree: RTree | null;
  readonly lastTileCellCount: number;
  readonly tileCount: number;
}

/**
 * The files of a fragment that is being written (format_spec/array_file_hierarchy.md). Readers see it once its commit
 * file is there, which is written last; whatever fails before leaves the array as it was.
 */
export class FragmentFiles {
  readonly uri: string;
  readonly name: string;
  readonly writers: readonly FieldWriter[];
  readonly #target: WriteTarget;
  readonly #folder: StoreLocation<WritableStore>;
  readonly #options: StoreOptions;

  private constructor(
    target: WriteTarget,
    name: string,
    writers: readonly FieldWriter[],
    options: StoreOptions,
  ) {
    this.name = name;
    this.#target = target;
    this.#folder = childLocation(target.place, "__fragments", name);
    this.uri = locationUri(this.#folder);
    this.writers = writers;
    this.#options = options;
  }

  static async open(
    target: WriteTarget,
    name: string,
    fields: readonly Field[],
    options: FieldOptions,
  ): Promise<FragmentFiles> {
    const folder = childLocation(target.place, "__fragments", name);
    const writers = await openFieldWriters(fields, target.schema, folder, options);
    return new FragmentFiles(target, name, writers, options);
  }

  /** Closes the files, writes metadata and, last, the commit file. `beforeCommit` may add files to the array. */
  async commit(summary: FragmentSummary, beforeCommit?: () => Promise<void>): Promise<void> {
    const { place, schema, schemaName } = this.#target;
    await mapBounded(this.writers, PARALLEL_CLOSES, (writer) => writer.close());
    const metadata = await writeFragmentMetadata(this.#metadataInput(schema, schemaName, summary));
    await place.store.put(joinKey(this.#folder.path, "__fragment_metadata.tdb"), metadata, this.#options);
    await beforeCommit?.();
    await place.store.put(this.#commitKey(), new Uint8Array(0), this.#options);
  }

  /** Removes all that was written; also after a failed commit. Never throws. */
  async remove(): Promise<void> {
    const { store } = this.#target.place;
    await Promise.allSettled(this.writers.map((writer) => writer.abort()));
    await store.delete(this.#commitKey()).catch(() => undefined);
    await store.deletePrefix(this.#folder.path).catch(() => undefined);
  }

  #commitKey(): string {
    return joinKey(this.#target.place.path, "__commits", `${this.name}.wrt`);
  }

  #metadataInput(schema: ArraySchema, schemaName: string, summary: FragmentSummary): FragmentMetadataInput {
    const byName = new Map<string, FieldMetadata>();
    for (const writer of this.writers) byName.set(writer.field.name, writer.metadata());
    const hasTimestamps = this.writers.some((writer) => writer.field.kind === "timestamps");
    const extra = { hasTimestamps, hasDeleteMetadata: false };
    return {
      ...extra,
      schema,
      schemaName,
      dense: schema.arrayType === "dense",
      nonEmptyDomain: summary.nonEmptyDomain,
      rtree: summary.rtree,
      lastTileCellCount: summary.lastTileCellCount,
      fields: fieldNames(schema, extra).map((name) => {
        if (name === COORDS) return coordsFieldMetadata(schema, summary.tileCount);
        return byName.get(name) ?? emptyFieldMetadata(summary.tileCount);
      }),
      processedConditions: [],
    };
  }
}
