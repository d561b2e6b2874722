import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.js";
import { readIndex, type StoreIndex, writeIndex } from "../../src/storage/listed/index-file.js";
import { crc32 } from "../../src/util/crc32.js";
import { runs } from "../support/property.js";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => !/[/\\\0]/.test(text) && text !== "." && text !== ".." && !/\p{Surrogate}/u.test(text));
const key = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const index: fc.Arbitrary<StoreIndex> = fc
  .uniqueArray(
    fc.record({
      key,
      bytes: fc.uint8Array({ maxLength: 40 }),
      etag: fc.option(name, { nil: undefined }),
      size: fc.nat(2 ** 31),
    }),
    {
      selector: (one) => one.key,
      maxLength: 20,
    },
  )
  .map((files) => {
    const sorted = files.sort((a, b) => (a.key < b.key ? -1 : 1));
    const entries = sorted.map(({ key, bytes, size, etag }) => ({
      key,
      size: bytes.byteLength + size * 4_000_000,
      ...(etag !== undefined && { etag }),
    }));
    const held = new Map(
      sorted
        .filter(({ bytes }) => bytes.byteLength > 3)
        .map(({ key, bytes }) => [
          key,
          [
            { start: 0, bytes: bytes.slice(0, 2) },
            { start: 3, bytes: bytes.slice(3) },
          ],
        ]),
    );
    return { entries, held };
  });

describe("index files", () => {
  it("give back what was written", () => {
    fc.assert(
      fc.property(index, (one) => {
        const { entries, held } = readIndex(writeIndex(one), "here");
        expect(entries).toEqual(one.entries);
        expect([...held]).toEqual([...one.held]);
      }),
      { numRuns: runs(200, 5000) },
    );
  });

  it("that are damaged are told from others", () => {
    fc.assert(
      fc.property(
        index,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (one, place, change, cut) => {
          const bytes = writeIndex(one).slice();
          const at = place % bytes.byteLength;
          if (!cut) bytes[at]! ^= change;
          expect(() => readIndex(cut ? bytes.subarray(0, at) : bytes, "here")).toThrow(FormatError);
        },
      ),
      { numRuns: runs(300, 5000) },
    );
  });

  it("whose checksum is right but whose content is not end in an error, and take no memory for what they claim", () => {
    fc.assert(
      fc.property(
        index,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (one, changes) => {
          const bytes = writeIndex(one).slice();
          for (const [place, value] of changes)
            bytes[24 + (place % Math.max(1, bytes.byteLength - 24))] = value;
          new DataView(bytes.buffer).setUint32(12, crc32(bytes.subarray(24)), true);
          try {
            const { entries, held } = readIndex(bytes, "here");
            expect(entries.length).toBeLessThanOrEqual(bytes.byteLength);
            for (const file of held.keys()) expect(entries.some((entry) => entry.key === file)).toBe(true);
          } catch (error) {
            expect((error as { code?: string }).code).toMatch(/^(FORMAT|ARGUMENT)$/);
          }
        },
      ),
      { numRuns: runs(500, 20_000) },
    );
  });

  it("have the checksum that everybody knows", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  it("of other versions say so", () => {
    const bytes = writeIndex({ entries: [], held: new Map() }).slice();
    bytes[8] = 2;
    expect(() => readIndex(bytes, "here")).toThrow("version 2, expected 1");
  });
});
