import { isBelow } from "../key.js";
import type { ByteRange, ReadableStore, StoreOptions } from "../types.js";

/** What opening and reading ask of a store whose keys are known, besides what any store does. */

/** Bytes of a key; all of it where there is no range. */
export interface Wanted {
  readonly key: string;
  readonly range?: ByteRange | undefined;
}

/** Bytes of a key that lie in memory. */
export interface HeldPiece {
  /** Offset of the first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

export interface ListedView extends ReadableStore {
  readonly isRemote: true;
  /** Folder below which the keys are known: listing it takes no request, and what it lacks is not asked for. */
  readonly root: string;

  /** What is in memory of a key, by offset. */
  held(key: string): readonly HeldPiece[];

  /** Bytes at the end of a key that are in memory or were asked for ahead; undefined where none are. */
  tail(key: string): number | undefined;

  /**
   * Asks for all of that at once; until the function that it returns is called, `get` and `getRange` answer from it what
   * it covers. What fails then fails for whoever reads it, not here.
   */
  askAhead(wanted: readonly Wanted[], options?: StoreOptions): () => void;

  /** The same place, its keys as they are now. */
  refresh(options?: StoreOptions): Promise<ListedView>;
}

/** The store as a view, if it is one and knows what is below `path`. */
export function listedView(store: ReadableStore, path: string): ListedView | undefined {
  if (!("askAhead" in store)) return undefined;
  const view = store as ListedView;
  return path === view.root || isBelow(path, view.root) ? view : undefined;
}
