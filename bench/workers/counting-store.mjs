// A folder, read through the contract of stores, that counts what is asked of it.
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

export class CountingStore {
  #requests = 0;
  #bytes = new Map();

  constructor(uri) {
    this.uri = uri;
  }

  reset() {
    this.#requests = 0;
    this.#bytes.clear();
  }

  counts() {
    return { requests: this.#requests, bytes: [...this.#bytes.values()].reduce((sum, one) => sum + one, 0) };
  }

  /** Bytes read of the values below the folder `prefix`. */
  bytesBelow(prefix) {
    let sum = 0;
    for (const [key, bytes] of this.#bytes) if (key.startsWith(`${prefix}/`)) sum += bytes;
    return sum;
  }

  async get(key) {
    return this.#counted(key, await missing(readFile(join(this.uri, key))));
  }

  async getRange(key, { start, end }) {
    const file = await missing(open(join(this.uri, key)));
    if (file === undefined) return undefined;
    try {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead !== bytes.length) throw new Error(`${key}: ${bytesRead} bytes of ${bytes.length}`);
      return this.#counted(key, bytes);
    } finally {
      await file.close();
    }
  }

  async list(prefix, { recursive = true } = {}) {
    this.#requests++;
    return this.#entries(prefix, recursive);
  }

  async #entries(prefix, recursive) {
    const found = [];
    for (const entry of (await missing(readdir(join(this.uri, prefix), { withFileTypes: true }))) ?? []) {
      const key = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      if (!entry.isDirectory()) found.push({ key, size: (await stat(join(this.uri, key))).size });
      else if (recursive) found.push(...(await this.#entries(key, true)));
      else found.push({ key, size: undefined });
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #counted(key, bytes) {
    this.#requests++;
    this.#bytes.set(key, (this.#bytes.get(key) ?? 0) + (bytes?.length ?? 0));
    return bytes;
  }
}

async function missing(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EISDIR") return undefined;
    throw error;
  }
}
