import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  type ByteRange,
  MemoryStore,
  openArray,
  type ReadableStore,
  type ReadResult,
} from "../../src/tiledb-node.js";

/** Stores may return Node's Buffers: views of shared memory, whose `slice` is no copy, at any alignment. */
class BufferStore implements ReadableStore {
  readonly uri = "mem://buffers";
  readonly #below: MemoryStore;

  constructor(below: MemoryStore) {
    this.#below = below;
  }

  async get(key: string) {
    const bytes = await this.#below.get(key);
    return bytes && pooled(bytes);
  }

  async getRange(key: string, range: ByteRange) {
    const bytes = await this.#below.getRange(key, range);
    return bytes && pooled(bytes);
  }

  list(prefix: string, options?: { recursive?: boolean }) {
    return this.#below.list(prefix, options);
  }
}

function pooled(bytes: Uint8Array): Buffer {
  const pool = Buffer.alloc(bytes.byteLength + 10, 0xaa);
  pool.set(bytes, 3);
  return pool.subarray(3, 3 + bytes.byteLength);
}

const root = fileURLToPath(new URL("../../spec-fixtures/v22", import.meta.url));

async function load(name: string): Promise<MemoryStore> {
  const folder = join(root, name, "array");
  const store = new MemoryStore();
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!one.isFile()) continue;
    const path = join(one.parentPath, one.name);
    await store.put(`x/${relative(folder, path).replaceAll("\\", "/")}`, readFileSync(path));
  }
  return store;
}

async function read(store: ReadableStore): Promise<ReadResult> {
  const array = await openArray({ store, path: "x" });
  await array.metadata();
  for (const { name } of array.schema.enumerations) await array.enumeration(name);
  return array.read();
}

describe("stores that return Buffers", () => {
  const names = readdirSync(root).filter((name) => /^(filters|attributes|fragments|metadata)\./.test(name));

  test("there are arrays", () => expect(names.length).toBeGreaterThan(20));

  test.each(names)("%s", async (name) => {
    const store = await load(name);
    const expected = await read(store);
    expect(await read(new BufferStore(store))).toEqual(expected);
  });

  test("what is put into memory is copied, Buffers too", async () => {
    const store = new MemoryStore();
    const given = Buffer.from([1, 2, 3]);
    await store.put("whole", given);
    const writer = await store.writer("parts");
    await writer.write(given);
    given.fill(9);
    await writer.close();
    expect(await store.get("whole")).toEqual(Uint8Array.of(1, 2, 3));
    expect(await store.get("parts")).toEqual(Uint8Array.of(1, 2, 3));
  });
});
