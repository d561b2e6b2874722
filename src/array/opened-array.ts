import type { ArraySchema } from "../format/array-schema.js";
import type { Enumeration } from "../format/enumeration.js";
import type { StoredDelete } from "./directory/delete-commits.js";
import type { FragmentReader } from "./directory/fragment-reader.js";
import type { TimeWindow } from "./directory/visible-at.js";

/** What the reading modules need of an open array. */
export interface OpenedArray {
  readonly uri: string;
  readonly schema: ArraySchema;
  /** Visible fragments, oldest first. */
  readonly fragments: readonly FragmentReader[];
  readonly window: TimeWindow;
  /** Visible delete commits, oldest first. */
  readonly deletes: readonly StoredDelete[];
  enumeration(name: string): Promise<Enumeration>;
}
