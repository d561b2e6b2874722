import { LimitError, UnsupportedError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import { writeVacuumFile } from "../../format/vacuum-file.js";
import { WRITE_VERSION } from "../../format/version.js";
import { joinKey } from "../../storage/key.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import type { StoreLocation, StoreOptions } from "../../storage/types.js";
import { loadArrayDirectory } from "../directory/array-directory.js";
import { checkSupported, type FragmentReader } from "../directory/fragment-reader.js";
import { openFragments, SchemaFiles } from "../directory/open-fragments.js";
import { ALL_TIME, visibleFragments } from "../directory/visible-at.js";
import { unionOf } from "../nd-union.js";
import { openSparseSource } from "../read/sparse-source.js";
import { checkSparse, fragmentWriterIn, sparseFields } from "../write/fragment-writer.js";
import { newRangeName } from "../write/new-name.js";
import { openTarget, type WriteTarget } from "../write/write-target.js";
import { consolidateDense } from "./consolidate-dense.js";
import { consolidateMetadata } from "./consolidate-metadata.js";
import { MergeSource } from "./merge-source.js";
import { mergeSources } from "./merge-sources.js";

export interface ConsolidateOptions {
  /** What to consolidate; default "fragments". */
  readonly mode?: "fragments" | "metadata" | undefined;
  /**
   * Sparse arrays: whether the new fragment keeps older cells of the same coordinates and the time of each cell, so
   * that the array can still be opened at earlier times. Default true, as the official library does.
   */
  readonly keepHistory?: boolean | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Memory that a consolidation may need for one tile of each fragment at the same time. */
const MAX_LOADED_BYTES = 2 ** 32;

/**
 * Writes all fragments of an array as one; what they replaced stays until `vacuum`. Nothing is done where there is at
 * most one. Memory: about two million cells at a time, but at least one tile of every fragment whose cells lie between
 * those of others; LimitError, before anything is written, if those would take more than 4 GiB.
 *
 * @returns URI of the new fragment (or metadata file), null where nothing was done
 * @throws UnsupportedError of arrays with deletes and of cell orders that are not written
 */
export async function consolidate(
  location: string | StoreLocation,
  options: ConsolidateOptions = {},
): Promise<string | null> {
  const target = await openTarget(location, options);
  const storeOptions = { signal: options.signal };
  const directory = await loadArrayDirectory(target.place, storeOptions);
  if (options.mode === "metadata") return consolidateMetadata(target, directory, storeOptions);
  if (directory.deletes.length > 0) {
    throw new UnsupportedError("consolidate: the array has deletes", { where: target.uri });
  }
  const dense = target.schema.arrayType === "dense";
  const files = visibleFragments(directory, ALL_TIME, dense);
  if (files.length <= 1) return null;
  const fragments = await openFragments(
    directory,
    files,
    target.schema,
    new SchemaFiles(directory),
    storeOptions,
  );
  for (const fragment of fragments) {
    checkSupported(fragment, target.schema);
    if (!fragment.footer.hasDeleteMetadata) continue;
    throw new UnsupportedError("consolidate: a fragment was consolidated with deletes", {
      where: fragment.uri,
    });
  }
  const name = newRangeName(
    Math.min(...files.map((file) => file.start)),
    Math.max(...files.map((file) => file.end)),
    WRITE_VERSION,
  );
  if (dense) {
    const boxes = fragments.map((fragment) => fragment.footer.nonEmptyDomain).filter((box) => box !== null);
    const box = unionOf(boxes);
    if (box === null) return null;
    const uri = await consolidateDense(target, name, box, storeOptions);
    await finishWith(target, name, fragments, storeOptions);
    return uri;
  }
  return consolidateSparse(target, name, fragments, options);
}

async function consolidateSparse(
  target: WriteTarget,
  name: string,
  fragments: readonly FragmentReader[],
  options: ConsolidateOptions,
): Promise<string | null> {
  const { schema } = target;
  checkSparse(target);
  checkMemory(fragments);
  const { keepHistory = true, signal } = options;
  // Times are needed to tell which of two cells is newer, too.
  const withTimes = keepHistory || fragments.some((fragment) => fragment.footer.hasTimestamps);
  const fields = sparseFields(schema, withTimes);
  const everything = schema.dimensions.map(() => null);
  const sources: MergeSource[] = [];
  for (const [index, fragment] of fragments.entries()) {
    const source = await openSparseSource(fragment, index, schema, everything, { signal });
    if (source !== null) sources.push(new MergeSource(source, schema, fields, { signal }));
  }
  const writer = await fragmentWriterIn(target, name, { withTimestamps: keepHistory, signal });
  const written = sparseFields(schema, keepHistory).length;
  try {
    const keepAll = keepHistory || schema.allowsDuplicates;
    for await (const columns of mergeSources(sources, schema, { keepAll, signal })) {
      const [first] = columns;
      const cells = first!.kind === "var" ? first!.offsets.length - 1 : first!.values.length;
      await writer.appendChecked(columns.slice(0, written), cells);
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const uri = await writer.finish();
  if (uri !== null) await finishWith(target, name, fragments, { signal });
  return uri;
}

/**
 * Says which fragments the new one replaces. The official library does this after the commit, too: in between both are
 * seen, which gives the same cells.
 */
async function finishWith(
  { place }: WriteTarget,
  name: string,
  fragments: readonly FragmentReader[],
  options: StoreOptions,
): Promise<void> {
  const { store, path } = place;
  const replaced = fragments.map((fragment) => fragment.files.name);
  const key = joinKey(path, "__commits", `${name}.vac`);
  try {
    await store.put(key, writeVacuumFile("__fragments", replaced), options);
  } catch (error) {
    // As if nothing had happened, if the store still can.
    await store.delete(joinKey(path, "__commits", `${name}.wrt`)).catch(() => undefined);
    await store.deletePrefix(joinKey(path, "__fragments", name)).catch(() => undefined);
    throw error;
  }
}

function checkMemory(fragments: readonly FragmentReader[]): void {
  let bytes = 0;
  for (const { schema, tileCount, cellCount, files } of fragments) {
    const cells = Math.min(schema.capacity, cellCount);
    let width = 8;
    for (const { datatype, cellValNum } of [...schema.dimensions, ...schema.attributes]) {
      width += datatypeInfo(datatype).bytes * (cellValNum === 0xffffffff ? 1 : cellValNum);
    }
    bytes += cells * width + files.size / Math.max(1, tileCount);
  }
  if (bytes <= MAX_LOADED_BYTES) return;
  throw new LimitError(
    `consolidate: a tile of each of ${fragments.length} fragments may take ${Math.round(bytes)} bytes, at most ${MAX_LOADED_BYTES}`,
  );
}
