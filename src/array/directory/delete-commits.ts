import { FormatError } from "../../errors.js";
import { readDeleteCommit } from "../../format/delete-commit.js";
import {
  readStoredCondition,
  readUpdateCondition,
  type StoredCondition,
} from "../../format/delete-condition.js";
import type { StoreOptions } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import type { ArrayDirectory, DeleteEntry } from "./array-directory.js";

const PARALLEL_READS = 16;

/** A delete commit: cells written up to its time for which the condition does not hold are gone. */
export interface StoredDelete {
  /** File name of the commit, as processed conditions of fragments list it. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly condition: StoredCondition;
}

/**
 * Updates are experimental in the official library: it writes them only if it is told to allow them, and reads them as
 * deletes, without the new values. So does this.
 */
export async function readDeletes(
  directory: ArrayDirectory,
  commits: readonly DeleteEntry[],
  options: StoreOptions,
): Promise<StoredDelete[]> {
  const { store } = directory.location;
  return mapBounded(
    commits,
    PARALLEL_READS,
    async ({ name, key, content, start }) => {
      const where = `${store.uri}/${key}`;
      const bytes = content ?? (await store.get(key, options));
      if (bytes === undefined) throw new FormatError("delete commit was listed but is gone", { where });
      const commit = await readDeleteCommit(bytes, name, where, directory.encryptionKey);
      if (commit === null) throw new FormatError(`'${name}' is no delete commit`, { where });
      const read = commit.kind === "update" ? readUpdateCondition : readStoredCondition;
      return { name, time: start, condition: read(commit.condition, where) };
    },
    options.signal,
  );
}
