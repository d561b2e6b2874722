import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ZSTDDecoder } from "zstddec";
import type { Compress, Decompress } from "../../src/format/filters/filter.js";
import { loadLibraryEncoder } from "../../src/format/filters/zstd-library-node.js";
import { startPlainDecoder } from "../../src/format/zstd/plain/plain-decoder.js";
import { startZstdDecoder } from "../../src/format/zstd/zstd-decoder.js";

/** Our decoder against the C library: the same bytes, and nothing accepted that the library refuses. */

/** Frames that the zstd command wrote, with a checksum at the end: bytes decoded, frame. */
const CHECKED: [number, string][] = [
  [0, "28b52ffd240001000099e9d851"],
  [5, "28b52ffd04682900000000000102da6f3c63"],
  [
    77,
    "28b52ffd04686902000000000102030406080a0c0f1215181c2024282d32373c42484e545b6269707880889099a2abb4bec8d2dce7f2fd0814202c3845525f6c7a8896a4b3c2d1e0f00010203142536476889aacbfd2ae923c7c",
  ],
  [
    200,
    "28b52ffd04684106000000000102030406080a0c0f1215181c2024282d32373c42484e545b6269707880889099a2abb4bec8d2dce7f2fd0814202c3845525f6c7a8896a4b3c2d1e0f00010203142536476889aacbfd2e5f80c2034485d72879cb2c8def40b223950688098b0c9e2fb142e48627c97b2cde804203c587592afccea0826446382a1c0e00020406182a3c4e6082a4c6f92b5d8fc2044688db2d7fc22486e94bbe209305880a8d0f9224b749ec8f21c47729dc8f4204c78a5d2ff2c5a88b6e4134271a0d000306091c2f32456b8b0f0cb",
  ],
];

let encode: Compress;
const library = new ZSTDDecoder();

beforeAll(async () => {
  encode = await loadLibraryEncoder();
  await library.init();
});

const spec = (level: number) => ({
  spec: { type: "zstd", level } as const,
  datatype: "uint8" as const,
  cellBytes: 1,
  version: 22,
});

/** Noise, few different bytes, runs, rising numbers, copies of what was before: each takes other parts of the decoder. */
const data = fc
  .tuple(
    fc.constantFrom("noise", "few", "runs", "numbers", "copies"),
    fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 301, max: 150_000 })),
    fc.integer({ min: 1 }),
  )
  .map(([kind, size, seed]) => {
    const random = randomFrom(seed);
    if (kind === "numbers") {
      const numbers = Uint32Array.from({ length: (size >> 2) + 1 }, (_, i) => i * 5 + random() * 4);
      return new Uint8Array(numbers.buffer).slice(0, size);
    }
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) {
      if (kind === "noise") bytes[i] = random() * 256;
      else if (kind === "few") bytes[i] = random() * random() * 12;
      else if (kind === "runs") bytes[i] = random() < 0.999 ? (bytes[i - 1] ?? 0) : random() * 256;
      else bytes[i] = i > 60 && random() < 0.96 ? bytes[i - 1 - Math.floor(random() * 50)]! : random() * 40;
    }
    return bytes;
  });

function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe.each([
  ["WebAssembly", startZstdDecoder],
  ["plain JavaScript", async () => startPlainDecoder()],
])("in %s", (_name, start) => {
  let decode: Decompress;
  beforeAll(async () => {
    decode = await start();
  });

  it("gives back what was compressed, at any level", () => {
    fc.assert(
      fc.property(data, fc.constantFrom(1, 3, 9, 19), (bytes, level) => {
        const out = new Uint8Array(bytes.byteLength);
        decode(encode(bytes, spec(level)), out, spec(level));
        expect(Buffer.compare(out, bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("gives the library's bytes for damaged frames, or refuses them", () => {
    const flips = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), {
      minLength: 1,
      maxLength: 3,
    });
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        data,
        fc.constantFrom(1, 9, 19),
        fc.array(flips, { minLength: 20 }),
        (bytes, level, all) => {
          fc.pre(bytes.byteLength > 0);
          const frame = encode(bytes, spec(level));
          const out = new Uint8Array(bytes.byteLength);
          for (const some of all) {
            const damaged = frame.slice();
            // Square: more of them where the headers and tables are.
            for (const [place, bit] of some)
              damaged[Math.floor(place * place * (frame.length - 1))]! ^= 1 << bit;
            if (!isDecoded(decode, damaged, out)) {
              refused++;
              continue;
            }
            accepted++;
            expect(Buffer.compare(library.decode(damaged, out.byteLength), out)).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(20);
  });

  it.each(CHECKED)("compares checksums (%s bytes)", (size, hex) => {
    const frame = Uint8Array.from(Buffer.from(hex, "hex"));
    const out = new Uint8Array(size);
    decode(frame, out, spec(3));
    expect(Buffer.compare(library.decode(frame, Math.max(1, size)), out)).toBe(0);
    frame[frame.length - 1]! ^= 1;
    expect(() => decode(frame, out, spec(3))).toThrow("corrupt frame");
  });
});

function isDecoded(decode: Decompress, frame: Uint8Array, out: Uint8Array): boolean {
  try {
    decode(frame, out, spec(3));
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "FORMAT" });
    return false;
  }
}

it("is done without WebAssembly where no module may be compiled", async () => {
  vi.stubGlobal("WebAssembly", {
    compile: async () => {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    },
  });
  try {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 7);
    const out = new Uint8Array(bytes.byteLength);
    (await startZstdDecoder())(encode(bytes, spec(3)), out, spec(3));
    expect(out).toEqual(bytes);
  } finally {
    vi.unstubAllGlobals();
  }
});

it("is what wasm/zstd.ts compiles to", async () => {
  const script = fileURLToPath(new URL("../../scripts/wasm.mjs", import.meta.url));
  await expect(promisify(execFile)(process.execPath, [script, "--check"])).resolves.toBeDefined();
});
