import type { ZipEntry } from "./zip-directory.js";

/** Inflated entries: those asked for last stay, as many as fit; one that is being inflated is waited for by all. */
export class InflatedEntries {
  readonly #maxBytes: number;
  readonly #kept = new Map<ZipEntry, Uint8Array>();
  readonly #underWay = new Map<ZipEntry, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async get(entry: ZipEntry, inflate: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const kept = this.#kept.get(entry);
    if (kept !== undefined) {
      // A map's first entry is the one that was put longest ago.
      this.#kept.delete(entry);
      this.#kept.set(entry, kept);
      return kept;
    }
    let inflating = this.#underWay.get(entry);
    if (inflating === undefined) {
      inflating = inflate().finally(() => this.#underWay.delete(entry));
      this.#underWay.set(entry, inflating);
      this.#keep(entry, await inflating);
    }
    return inflating;
  }

  #keep(entry: ZipEntry, bytes: Uint8Array): void {
    if (bytes.byteLength > this.#maxBytes) return;
    this.#kept.set(entry, bytes);
    this.#bytes += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}
