import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Gzip } from "../../../src/cellarr/export/gzip.js";
import { nodeGzip } from "../../../src/cellarr/export/gzip-node.js";
import { streamGzip } from "../../../src/cellarr/export/gzip-stream.js";

const pieces = Array.from({ length: 40 }, (_, at) =>
  new TextEncoder().encode(`${at} ${at * at}\n`.repeat(5000 + at)),
);

describe.each<[string, Gzip]>([
  ["CompressionStream", streamGzip],
  ["node:zlib", nodeGzip],
])("gzip by %s", (_, gzip) => {
  it("is one member with all that was written", async () => {
    const parts: Uint8Array[] = [];
    await gzip(
      async (bytes) => {
        parts.push(bytes.slice());
      },
      async (write) => {
        for (const piece of pieces) await write(piece);
      },
    );
    const bytes = Buffer.concat(parts);
    expect(gunzipSync(bytes).equals(Buffer.concat(pieces))).toBe(true);
    expect(bytes.length).toBeLessThan(Buffer.concat(pieces).length / 20);
  });

  it("of nothing is a member, too", async () => {
    const parts: Uint8Array[] = [];
    await gzip(
      async (bytes) => {
        parts.push(bytes);
      },
      async () => {},
    );
    expect(gunzipSync(Buffer.concat(parts)).length).toBe(0);
  });

  it("fails as what produces does", async () => {
    const failing = gzip(
      async () => {},
      async (write) => {
        await write(pieces[0]!);
        throw new Error("no more");
      },
    );
    await expect(failing).rejects.toThrow("no more");
  });

  it("fails as what writes does, and ends what produces", async () => {
    let hasEnded = false;
    const failing = gzip(
      async () => {
        throw new Error("disk is full");
      },
      async (write) => {
        try {
          for (let round = 0; ; round++) await write(pieces[round % pieces.length]!);
        } finally {
          hasEnded = true;
        }
      },
    );
    await expect(failing).rejects.toThrow("disk is full");
    expect(hasEnded).toBe(true);
  });
});
