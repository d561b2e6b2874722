import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ZSTDDecoder } from "zstddec";
import { encodeRuns } from "../../src/format/zstd/encode-runs.js";

/** The official decoder, compiled to WebAssembly, judges every frame. */
const decoder = new ZSTDDecoder();
await decoder.init();

function check(bytes: Uint8Array): Uint8Array {
  const frame = encodeRuns(bytes);
  const decoded = decoder.decode(frame, Math.max(1, bytes.length)).subarray(0, bytes.length);
  if (Buffer.compare(decoded, bytes) !== 0) throw new Error(`${bytes.length} bytes do not come back`);
  return frame;
}

/** Bytes in which value k comes about ratio^k times as often as value 0, by a plain generator. */
function skewed(length: number, ratio: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.min(255, Math.floor(Math.log((state + 1) / 4294967297) / Math.log(ratio)));
  });
}

/** Bytes that the best code of whole bits takes. */
function huffmanBytes(bytes: Uint8Array): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  const weights = [...counts.values()];
  let bits = 0;
  while (weights.length > 1) {
    weights.sort((a, b) => b - a);
    const joined = weights.pop()! + weights.pop()!;
    weights.push(joined);
    bits += joined;
  }
  return bits / 8;
}

describe("encodeRuns", () => {
  it("takes nothing, one byte, and runs of every length around its limits", () => {
    check(new Uint8Array(0));
    for (let length = 1; length < 600; length++) {
      check(new Uint8Array(length).fill(7));
      check(
        Uint8Array.from({ length: length + 40 }, (_, at) => (at < 20 || at >= 20 + length ? at * 31 : 9)),
      );
    }
  });

  it("makes a run of any length a few bytes", () => {
    for (const length of [65_538, 65_539, 131_071, 131_072, 131_073, 500_000]) {
      const bytes = new Uint8Array(length);
      expect(check(bytes).length).toBeLessThan(40);
      bytes[0] = 1;
      bytes[length - 1] = 2;
      expect(check(bytes).length).toBeLessThan(80);
    }
  });

  it("comes close to the best code of bytes without repeats, whatever their distribution", () => {
    for (const ratio of [0.2, 0.5, 0.8, 0.9, 0.97, 0.99]) {
      for (const length of [300, 1000, 5000, 20_000, 200_000]) {
        const bytes = skewed(length, ratio, length);
        // 160 bytes a block are headers and the code's description.
        expect(check(bytes).length).toBeLessThan(Math.min(length, huffmanBytes(bytes) * 1.02 + 320) + 30);
      }
    }
  });

  it("limits codes of very uneven distributions to 11 bits", () => {
    // Fibonacci numbers make Huffman's tree as deep as it gets.
    const parts: number[] = [];
    for (let byte = 0, a = 1, b = 1; byte < 20; byte++, [a, b] = [b, a + b]) {
      for (let i = 0; i < a; i++) parts.push(byte * 13);
    }
    for (let at = parts.length - 1, state = 1; at > 0; at--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const other = state % (at + 1);
      [parts[at], parts[other]] = [parts[other]!, parts[at]!];
    }
    check(Uint8Array.from(parts));
  });

  it("takes bytes that are all equally frequent, and noise", () => {
    for (const symbols of [2, 3, 16, 129, 200, 255, 256]) {
      check(Uint8Array.from({ length: 4096 }, (_, at) => Math.imul(at, 2654435761) % symbols));
    }
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    expect(check(noise).length).toBeLessThan(65_600);
  });

  it("gives back what it was given (property)", () => {
    const run = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 3000 }));
    const mixed = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 3000 }), fc.integer());
    const piece = fc.oneof(
      run.map(([byte, length]) => new Uint8Array(length).fill(byte)),
      mixed.map(([symbols, length, seed]) => skewed(length, 1 - 1 / (symbols + 1), seed)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(3), (pieces, shift) => {
        const bytes = Uint8Array.from(Buffer.concat([new Uint8Array(shift), ...pieces]));
        check(bytes.subarray(shift));
      }),
      { numRuns: 300 },
    );
  });

  it("codes many runs", () => {
    const bytes = new Uint8Array(400_000);
    for (let at = 0; at < bytes.length; at += 33 + (at % 7)) bytes[at] = 1 + (at % 3);
    expect(check(bytes).length).toBeLessThan(bytes.length / 8);
  });
});
