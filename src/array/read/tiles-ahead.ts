import type { ByteRange } from "../../storage/types.js";
import type { StoredField } from "../directory/stored-field.js";
import { areBelow, coalesce, gapOf } from "./tile-fetch.js";

/**
 * Tiles of all fields of a small read, asked for at once where a request takes time: deciding first which of the values
 * are needed would save bytes, but takes another round trip.
 */

/** Stored bytes of a read up to which that is done: at 100 Mbit/s they take 40 ms. */
const AHEAD_BYTES = 512 * 1024;

export interface TilesOfField {
  readonly field: StoredField;
  /** Ascending. */
  readonly tiles: readonly number[];
}

interface Asked {
  readonly range: ByteRange;
  readonly bytes: Promise<Uint8Array | undefined>;
}

export class TilesAhead {
  readonly #asked = new Map<string, Asked[]>();

  /** Asks for the tiles; undefined where their store is no remote one, or they take too many bytes. */
  static ask(wanted: readonly TilesOfField[], signal?: AbortSignal | undefined): TilesAhead | undefined {
    const isRemote = wanted.length > 1 && wanted.every(({ field }) => field.fragment.store.isRemote === true);
    if (!isRemote || !areBelow(wanted, AHEAD_BYTES)) return undefined;
    const ahead = new TilesAhead();
    for (const one of wanted) ahead.#ask(one, signal);
    return ahead;
  }

  /** The bytes of a range that lies in what was asked for. */
  find(key: string, range: ByteRange): Promise<Uint8Array | undefined> | undefined {
    const asked = this.#asked
      .get(key)
      ?.find((one) => one.range.start <= range.start && range.end <= one.range.end);
    if (asked === undefined) return undefined;
    const start = range.start - asked.range.start;
    return asked.bytes.then((bytes) => bytes?.subarray(start, start + range.end - range.start));
  }

  #ask({ field, tiles }: TilesOfField, signal: AbortSignal | undefined): void {
    const { fragment } = field;
    for (const file of field.files) {
      const key = fragment.key(file.file);
      for (const { range } of coalesce(field, file, tiles, gapOf(fragment.store))) {
        if (range.start === range.end) continue;
        const bytes = fragment.store.getRange(key, range, { signal });
        // It fails for whoever reads it.
        bytes.catch(() => {});
        const others = this.#asked.get(key);
        if (others === undefined) this.#asked.set(key, [{ range, bytes }]);
        else others.push({ range, bytes });
      }
    }
  }
}
