import type * as h5ad from "../../../src/h5ad.js";
import type * as cellarr from "../../../src/index.js";
import type * as tiledb from "../../../src/tiledb.js";

export interface ProgramTask {
  /** Where the places are served. */
  readonly url: string;
  readonly arrays: readonly string[];
  /** Folders, where the runtime has any. */
  readonly local?: { readonly read: string; readonly write: string } | undefined;
}

export function runProgram(
  modules: { cellarr: typeof cellarr; tiledb: typeof tiledb; h5ad?: typeof h5ad },
  task: ProgramTask,
): Promise<Readonly<Record<string, unknown>>>;

export interface BucketTask {
  readonly url: string;
  readonly uri: string;
  readonly config: Readonly<Record<string, string>>;
  readonly arrays: readonly string[];
}

export function runBucket(
  modules: { cellarr: typeof cellarr; tiledb: typeof tiledb },
  task: BucketTask,
): Promise<Readonly<Record<string, unknown>>>;
