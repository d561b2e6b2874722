/** A bucket of R2 as a store to read from: what cellarr calls a ReadableStore. */
export class R2Store {
  isRemote = true;

  constructor(bucket, uri = "r2:") {
    this.bucket = bucket;
    this.uri = uri;
  }

  async get(key) {
    const found = await this.bucket.get(key);
    return found === null ? undefined : new Uint8Array(await found.arrayBuffer());
  }

  /** Bytes from `start` to `end`, exclusive. */
  async getRange(key, { start, end }) {
    if (start === end) return new Uint8Array(0);
    const found = await this.bucket.get(key, { range: { offset: start, length: end - start } });
    if (found === null) return undefined;
    const bytes = new Uint8Array(await found.arrayBuffer());
    if (bytes.byteLength === end - start) return bytes;
    throw new Error(`${key}: ${bytes.byteLength} bytes from ${start} on, expected ${end - start}`);
  }

  /** Keys below the folder `prefix`, sorted; folders too unless `recursive`. */
  async list(prefix, { recursive = true } = {}) {
    const below = prefix === "" ? "" : `${prefix}/`;
    const entries = [];
    for (let cursor, more = true; more; ) {
      const page = await this.bucket.list({
        prefix: below,
        cursor,
        ...(recursive ? {} : { delimiter: "/" }),
      });
      entries.push(...page.objects.map(({ key, size }) => ({ key, size })));
      entries.push(...page.delimitedPrefixes.map((key) => ({ key: key.slice(0, -1), size: undefined })));
      more = page.truncated;
      cursor = page.cursor;
    }
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}
