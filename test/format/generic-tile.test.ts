import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGenericTile, writeGenericTile } from "../../src/format/generic-tile.js";

/** The file of an array schema as core 2.30 wrote it: one generic tile. */
const official = new Uint8Array(
  readFileSync(new URL("../../spec-fixtures/filters/schema.tdb", import.meta.url)),
);

describe("generic tile", () => {
  it("reads an official one", async () => {
    const tile = await readGenericTile(official, 0, "array schema");
    expect(tile.version).toBe(22);
    expect(tile.end).toBe(official.byteLength);
    expect(new DataView(tile.data.buffer).getUint32(0, true)).toBe(22);
    expect(new TextDecoder().decode(tile.data)).toContain("attribute");
  });

  it("writes the same header, and what it reads itself", async () => {
    const { data } = await readGenericTile(official, 0, "array schema");
    const written = await writeGenericTile(data);
    // All but the persisted size, which is the compressor's to decide.
    for (const [start, end] of [
      [0, 4],
      [12, 52],
    ] as const) {
      expect(Buffer.from(written.subarray(start, end))).toEqual(Buffer.from(official.subarray(start, end)));
    }
    const again = await readGenericTile(written, 0, "array schema");
    expect(again.data).toEqual(data);
    expect(again.end).toBe(written.byteLength);
  });

  it("reads from an offset, and more than one chunk", async () => {
    const data = new Uint8Array(200_000).map((_, i) => i % 251);
    const written = await writeGenericTile(data);
    const file = new Uint8Array(written.byteLength + 30);
    file.set(written, 20);
    const tile = await readGenericTile(file, 20, "R-tree");
    expect(tile.data).toEqual(data);
    expect(tile.end).toBe(file.byteLength - 10);
  });

  it("names structure and file of a cut one, at any length", async () => {
    for (let length = 0; length < official.byteLength; length += 7) {
      await expect(readGenericTile(official.subarray(0, length), 0, "array schema", "s.tdb")).rejects.toThrow(
        /array schema.*s\.tdb/,
      );
    }
  });

  it("refuses newer versions and encryption", async () => {
    const newer = official.slice();
    newer[0] = 99;
    await expect(readGenericTile(newer, 0, "array schema")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const encrypted = official.slice();
    encrypted[29] = 1;
    await expect(readGenericTile(encrypted, 0, "array schema")).rejects.toThrow(/encrypted/);
  });

  it("gives an error of the family for any changed byte, or data", async () => {
    for (let at = 0; at < official.byteLength; at++) {
      const changed = official.slice();
      changed[at]! ^= 0xff;
      const outcome = await readGenericTile(changed, 0, "array schema").catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toHaveProperty("code");
    }
  });
});
