import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCellarrError } from "../../src/errors.js";
import { portableCipher } from "../../src/format/filters/aes.js";
import { registerNodeCodecs } from "../../src/format/filters/codecs-node.js";
import type { Cipher } from "../../src/format/filters/encryption.js";
import { replaceCipher } from "../../src/format/filters/registry.js";
import { decodeTile, encodeTile, loadPipeline } from "../../src/format/tile.js";
import { openArray } from "../../src/tiledb-node.js";
import { temporaryFolder } from "../support/temporary.js";

const fixtures = fileURLToPath(new URL("../../spec-fixtures/v22", import.meta.url));
const encryptionKey = "0123456789abcdef0123456789abcdef";
const wrongKey = "0123456789abcdef0123456789abcdeF";
const encrypted = readdirSync(fixtures).filter((name) => name.startsWith("encrypted."));
const uriOf = (name: string) => join(fixtures, name, "array");

async function withCipher<T>(cipher: Cipher, run: () => Promise<T>): Promise<T> {
  replaceCipher(async () => cipher);
  try {
    return await run();
  } finally {
    registerNodeCodecs();
  }
}

describe("encrypted arrays of the official library", () => {
  it("are there", () => expect(encrypted.length).toBeGreaterThanOrEqual(4));

  it.each(encrypted)("%s: the portable cipher reads the same", async (name) => {
    const read = async () => (await openArray(uriOf(name), { encryptionKey })).read();
    expect(await withCipher(portableCipher, read)).toEqual(await read());
  });

  it.each(encrypted)("%s: key as bytes, missing, wrong, of a wrong size", async (name) => {
    const uri = uriOf(name);
    const bytes = new TextEncoder().encode(encryptionKey);
    expect((await (await openArray(uri, { encryptionKey: bytes })).read()).cellCount).toBeGreaterThan(0);
    await expect(openArray(uri)).rejects.toMatchObject({
      code: "ENCRYPTION",
      message: expect.stringMatching(/encrypted .*no encryption key was given/),
    });
    await expect(openArray(uri, { encryptionKey: wrongKey })).rejects.toMatchObject({
      code: "ENCRYPTION",
      message: expect.stringMatching(/encryption key is wrong/),
    });
    await expect(openArray(uri, { encryptionKey: "short" })).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("a key for an array that is not encrypted", async () => {
    await expect(openArray(uriOf("empty.sparse"), { encryptionKey })).rejects.toMatchObject({
      code: "ENCRYPTION",
      message: expect.stringMatching(/not encrypted/),
    });
  });

  it("changed bytes of cells are found, and no key stands in an error", async () => {
    const folder = await temporaryFolder();
    cpSync(uriOf("encrypted.sparse"), folder, { recursive: true });
    const fragment = join(folder, "__fragments", readdirSync(join(folder, "__fragments"))[0]!);
    const path = join(fragment, "a0.tdb");
    const original = readFileSync(path);
    for (let at = 0; at < original.length; at += 7) {
      const changed = Uint8Array.from(original);
      changed[at]! ^= 0x40;
      writeFileSync(path, changed);
      const problem = await (await openArray(folder, { encryptionKey })).read().then(
        () => null,
        (error: unknown) => error,
      );
      expect(isCellarrError(problem), `byte ${at}`).toBe(true);
      expect(String(problem)).not.toContain(encryptionKey);
    }
  });
});

describe("the filter", () => {
  const key = new TextEncoder().encode(encryptionKey);
  const context = { datatype: "int32", cellValNum: 1, version: 22 } as const;
  const pipeline = {
    maxChunkSize: 256,
    filters: [{ type: "byteshuffle" }, { type: "zstd", level: 1 }, { type: "checksum_md5" }],
  } as const;
  const load = (encode: boolean) => loadPipeline(pipeline, context, { encode, encryptionKey: key });

  it("what one platform's cipher writes the other's reads", async () => {
    const both = await Promise.all([load(true), withCipher(portableCipher, () => load(true))]);
    fc.assert(
      fc.property(fc.int32Array({ maxLength: 300 }), fc.boolean(), (cells, first) => {
        const data = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength).slice();
        const [from, to] = first ? both : [both[1], both[0]];
        const stored = encodeTile(data, from, 4);
        expect(decodeTile(stored, to, data.byteLength)).toEqual(data);
        if (data.byteLength > 0) expect(encodeTile(data, from, 4)).not.toEqual(stored);
      }),
      { numRuns: 50 },
    );
  });
});
