import { ArgumentError } from "../../errors.js";
import { crc32 } from "../../util/crc32.js";
import { joinKey } from "../key.js";
import { resolveLocation } from "../resolve.js";
import type { StoreEntry, StoreLocation, WritableStore } from "../types.js";
import type { LaterCache } from "./later-cache.js";

/**
 * A folder as a cache of ranges, on disk or in whatever else can be written to; each range is a file of its own, found
 * again by the same range only. Its name is the SHA-256 of what it is of; its bytes are followed by their CRC-32
 * (uint32, little-endian), so that a damaged file is as good as none.
 */

const DEFAULT_BYTES = 1024 ** 3;
const CHECKSUM_BYTES = 4;

/**
 * @param location a folder of its own: files in it are deleted when there are too many
 * @param maxBytes of all files; those written first go first, of earlier processes any. Default 1 GiB
 */
export function folderCache(
  location: string | StoreLocation<WritableStore>,
  maxBytes = DEFAULT_BYTES,
): LaterCache {
  if (!(maxBytes > 0)) throw new ArgumentError(`maxBytes ${maxBytes}: expected a positive number of bytes`);
  const { store, path } = resolveLocation(location);
  const kept = new KeptFiles(store, path, maxBytes);
  return {
    async get(id, start, end) {
      const stored = await store.get(joinKey(path, await fileName(id, start, end))).catch(() => undefined);
      return stored?.byteLength === end - start + CHECKSUM_BYTES ? checked(stored) : undefined;
    },
    async put(id, start, bytes) {
      const size = bytes.byteLength + CHECKSUM_BYTES;
      if (size > maxBytes / 2) return;
      const key = joinKey(path, await fileName(id, start, start + bytes.byteLength));
      await store.put(key, withChecksum(bytes));
      await kept.add({ key, size });
    },
  };
}

/** What lies in the folder, oldest first as far as that is known. */
class KeptFiles {
  readonly #sizes = new Map<string, number>();
  readonly #store: WritableStore;
  readonly #maxBytes: number;
  readonly #listed: Promise<void>;
  #total = 0;

  constructor(store: WritableStore, path: string, maxBytes: number) {
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.#listed = this.#list(path);
    // Whoever adds a file hears of it.
    this.#listed.catch(() => {});
  }

  async add({ key, size }: StoreEntry): Promise<void> {
    await this.#listed;
    this.#forget(key);
    this.#note(key, size!);
    for (const oldest of this.#sizes.keys()) {
      if (this.#total <= this.#maxBytes) return;
      this.#forget(oldest);
      await this.#store.delete(oldest);
    }
  }

  async #list(path: string): Promise<void> {
    for (const { key, size } of await this.#store.list(path)) {
      // Nothing else is ever deleted.
      if (size !== undefined && /(^|\/)[0-9a-f]{64}$/.test(key)) this.#note(key, size);
    }
  }

  #note(key: string, size: number): void {
    this.#sizes.set(key, size);
    this.#total += size;
  }

  #forget(key: string): void {
    this.#total -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }
}

async function fileName(id: string, start: number, end: number): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${id}\n${start}-${end}`));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const stored = new Uint8Array(bytes.byteLength + CHECKSUM_BYTES);
  stored.set(bytes);
  new DataView(stored.buffer).setUint32(bytes.byteLength, crc32(bytes), true);
  return stored;
}

/** The bytes before the checksum, if it is theirs. */
function checked(stored: Uint8Array): Uint8Array | undefined {
  const bytes = stored.subarray(0, stored.byteLength - CHECKSUM_BYTES);
  const view = new DataView(stored.buffer, stored.byteOffset + bytes.byteLength, CHECKSUM_BYTES);
  return view.getUint32(0, true) === crc32(bytes) ? bytes : undefined;
}
