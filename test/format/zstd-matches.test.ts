import fc from "fast-check";
import { expect, it } from "vitest";
import { ZSTDDecoder } from "zstddec";
import { encodeMatches } from "../../src/format/zstd/encode-matches.js";
import { encodeRuns } from "../../src/format/zstd/encode-runs.js";

/** The official decoder, compiled to WebAssembly, judges every frame. */
const decoder = new ZSTDDecoder();
await decoder.init();

function check(bytes: Uint8Array): Uint8Array {
  const frame = encodeMatches(bytes);
  const decoded = decoder.decode(frame, Math.max(1, bytes.length)).subarray(0, bytes.length);
  if (Buffer.compare(decoded, bytes) !== 0) throw new Error(`${bytes.length} bytes do not come back`);
  return frame;
}

/** Text of words, rows of a table, noise, runs, copies from far: by pieces, so that they follow each other. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.nat(255), fc.nat(5000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc
    .array(fc.constantFrom("lung", "heart", "T cell", "AAACCTGAG", "-1", ",", "0"), { maxLength: 2000 })
    .map((words) => new TextEncoder().encode(words.join(""))),
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(9000)).map(([step, length]) => {
    return Uint8Array.from({ length }, (_, i) => (i % step) + ((i / step) & 3));
  }),
  fc.nat(70_000).map((length) => Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24)),
);
const data = fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 12 }).map((pieces) => {
  const all = pieces.flatMap(([bytes, again]) => (again ? [bytes, bytes] : [bytes]));
  return Uint8Array.from(all.concat(all.slice(0, 2)).flatMap((bytes) => [...bytes]));
});

it("gives frames that the library decodes", () => {
  fc.assert(
    fc.property(data, (bytes) => {
      expect(check(bytes).length).toBeLessThanOrEqual(bytes.length + 12 + 3 * (bytes.length >> 17));
    }),
    { numRuns: 120 },
  );
});

it("takes nothing, one byte, and sizes around a block's", () => {
  check(new Uint8Array(0));
  for (const size of [1, 3, 4, 5, 131_071, 131_072, 131_073, 262_145]) {
    check(new Uint8Array(size).fill(3));
    check(Uint8Array.from({ length: size }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24));
    check(Uint8Array.from({ length: size }, (_, i) => "one of many words, ".charCodeAt((i * i) % 19)));
  }
});

it("finds repeats across blocks", () => {
  const noise = Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i ^ (i >>> 3), 0x85ebca6b) >>> 24);
  const twice = new Uint8Array(400_000);
  for (let k = 0; k < 4; k++) twice.set(noise, k * 100_000);
  expect(check(twice).length).toBeLessThan(102_000);
});

it("makes names and tables far smaller than an encoder without repeats", () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `sample_${i % 7}_AAAC${(i * 7919) % 100_003}-1`);
  const bytes = new TextEncoder().encode(names.join("\n"));
  expect(check(bytes).length).toBeLessThan(encodeRuns(bytes).length * 0.6);
});
