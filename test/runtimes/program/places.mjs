// Places that have no platform: a store over HTTP as a user would write one, and a store in memory with the same values.

/** A folder behind the test's server, which lists and answers ranges: what `ReadableStore` asks for, and no more. */
export class ServedStore {
  constructor(url) {
    this.uri = url;
    this.isRemote = true;
  }

  async get(key, { signal } = {}) {
    const answer = await fetch(this.#url(key), { signal });
    return answer.status === 404 ? undefined : new Uint8Array(await answer.arrayBuffer());
  }

  async getRange(key, { start, end }, { signal } = {}) {
    if (start === end) return new Uint8Array(0);
    const headers = { range: `bytes=${start}-${end - 1}` };
    const answer = await fetch(this.#url(key), { headers, signal });
    if (answer.status === 404) return undefined;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== 206 || bytes.byteLength !== end - start)
      throw new Error(`${key}: ${answer.status}`);
    return bytes;
  }

  async list(prefix, { recursive, signal } = {}) {
    const query = new URLSearchParams({ list: prefix, recursive: String(recursive !== false) });
    return (await fetch(`${this.uri}?${query}`, { signal })).json();
  }

  #url(key) {
    return `${this.uri}/${key.split("/").map(encodeURIComponent).join("/")}`;
  }
}

/** The values of `url` in a store in memory. */
export async function copyToMemory(tiledb, url) {
  const served = new ServedStore(url);
  const store = new tiledb.MemoryStore();
  const entries = await served.list("");
  const pending = [...entries];
  const take = async () => {
    for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
      await store.put(entry.key, await served.get(entry.key));
    }
  };
  await Promise.all(Array.from({ length: 6 }, take));
  return store;
}
