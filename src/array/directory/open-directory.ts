import { NotFoundError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import type { StoreOptions } from "../../storage/types.js";
import type { ArrayDirectory } from "./array-directory.js";
import type { StoredDelete } from "./delete-commits.js";
import { checkSupported, type FragmentReader } from "./fragment-reader.js";
import { openFragments, SchemaFiles } from "./open-fragments.js";
import { schemaAt, type TimeWindow, visibleDeletes, visibleFragments } from "./visible-at.js";

/** An array's folder with what of it is seen in a time window. */
export interface DirectoryState {
  readonly directory: ArrayDirectory;
  readonly window: TimeWindow;
  /** The newest in the window. */
  readonly schema: ArraySchema;
  /** Visible fragments, oldest first. */
  readonly fragments: readonly FragmentReader[];
  /** Visible delete commits, oldest first. */
  readonly deletes: readonly StoredDelete[];
}

/** Opens what is seen of a folder that was listed already. */
export async function openDirectory(
  directory: ArrayDirectory,
  window: TimeWindow,
  options: StoreOptions = {},
): Promise<DirectoryState> {
  const current = schemaAt(directory, window);
  if (current === undefined) {
    throw new NotFoundError("no array: its __schema folder holds no schema", { where: directory.uri });
  }
  const schemas = new SchemaFiles(directory);
  const schema = await schemas.load(current.name, options);
  const visible = visibleFragments(directory, window, schema.arrayType === "dense");
  const fragments = await openFragments(directory, visible, schema, schemas, options);
  for (const fragment of fragments) checkSupported(fragment, schema);
  const deletes = await readDeletes(directory, window, options);
  return { directory, window, schema, fragments, deletes };
}

async function readDeletes(
  directory: ArrayDirectory,
  window: TimeWindow,
  options: StoreOptions,
): Promise<StoredDelete[]> {
  const commits = visibleDeletes(directory, window);
  if (commits.length === 0) return [];
  const late = await import("./delete-commits.js");
  return late.readDeletes(directory, commits, options);
}
