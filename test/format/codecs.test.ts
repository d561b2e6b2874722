import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CellarrError } from "../../src/errors.js";
import { decompressBzip2 } from "../../src/format/bzip2/bzip2-decode.js";
import { compressBzip2 } from "../../src/format/bzip2/bzip2-encode.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { registerNodeCodecs } from "../../src/format/filters/codecs-node.js";
import { md5Digest, sha256Digest } from "../../src/format/filters/digests.js";
import type { Compress, Decompress, FilterStep } from "../../src/format/filters/filter.js";
import { compressGzip, decompressGzip } from "../../src/format/filters/gzip.js";
import { compressLz4, decompressLz4 } from "../../src/format/filters/lz4.js";
import { loadZstdDecoder, loadZstdEncoder } from "../../src/format/filters/zstd.js";
import { decodeTile, encodeTile, loadPipeline } from "../../src/format/tile.js";
import { hasPython, runPython } from "../support/python.js";

const stepOf = (type: "gzip" | "zstd" | "lz4" | "bzip2", level = -1): FilterStep => ({
  spec: { type, level },
  datatype: "uint8",
  cellBytes: 1,
  version: 22,
});

/** What compressors meet at their edges: nothing, one byte, runs, no repeats, long repeats, text, more than a block. */
const samples: Readonly<Record<string, Uint8Array>> = {
  nothing: new Uint8Array(0),
  "one byte": Uint8Array.of(7),
  "runs of 3 to 6": Uint8Array.from([3, 4, 5, 6].flatMap((count) => Array<number>(count).fill(count))),
  "a long run": new Uint8Array(70_000).fill(9),
  "runs of 255 and 256": Uint8Array.from([
    ...Array<number>(255).fill(1),
    ...Array<number>(256).fill(2),
    2,
    1,
  ]),
  "all bytes": Uint8Array.from({ length: 256 }, (_, i) => i),
  "a period": Uint8Array.from({ length: 5000 }, (_, i) => "banana".charCodeAt(i % 6)),
  noise: new Uint8Array(randomBytes(30_000)),
  text: new TextEncoder().encode("it was the best of cells, it was the worst of cells; ".repeat(200)),
  "more than a frame of ours": Uint8Array.from({ length: 600_000 }, (_, i) => (i % 600) >> 3),
  "more than a block": Uint8Array.from({ length: 250_000 }, (_, i) => (i * i) >> 7),
};

const codecs: Readonly<Record<"gzip" | "zstd" | "lz4" | "bzip2", () => Promise<[Compress, Decompress]>>> = {
  gzip: async () => [compressGzip, decompressGzip],
  zstd: async () => [await loadZstdEncoder(), await loadZstdDecoder()],
  lz4: async () => [compressLz4, decompressLz4],
  bzip2: async () => [compressBzip2, decompressBzip2],
};
const types = ["gzip", "zstd", "lz4", "bzip2"] as const;

describe.each(types)("%s", (type) => {
  it.each(Object.keys(samples))("gives back %s", async (name) => {
    const [compress, decompress] = await codecs[type]();
    const sample = samples[name]!;
    const out = new Uint8Array(sample.byteLength).fill(1);
    decompress(compress(sample, stepOf(type)), out, stepOf(type));
    expect(Buffer.compare(out, sample)).toBe(0);
  });

  it("makes repeats small", async () => {
    const [compress] = await codecs[type]();
    expect(compress(samples.text!, stepOf(type)).byteLength).toBeLessThan(samples.text!.byteLength / 8);
  });

  it("gives back anything", async () => {
    const [compress, decompress] = await codecs[type]();
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 3000, max: 2 }),
      fc.array(fc.tuple(fc.nat(3), fc.nat(300)), { maxLength: 30 }).map((runs) => {
        return Uint8Array.from(runs.flatMap(([value, count]) => Array<number>(count).fill(value)));
      }),
    );
    fc.assert(
      fc.property(part, fc.constantFrom(-1, 1, 9), (sample, level) => {
        const out = new Uint8Array(sample.byteLength);
        decompress(compress(sample, stepOf(type, level)), out, stepOf(type));
        expect(Buffer.compare(out, sample)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it("refuses other sizes, bytes after the end, and foreign bytes", async () => {
    const [compress, decompress] = await codecs[type]();
    const sample = samples.text!;
    const part = compress(sample, stepOf(type));
    const into = (bytes: Uint8Array, size: number) => () =>
      decompress(bytes, new Uint8Array(size), stepOf(type));
    expect(into(part, sample.byteLength - 1)).toThrow(CellarrError);
    expect(into(part, sample.byteLength + 1)).toThrow(CellarrError);
    expect(into(new TextEncoder().encode("no stream at all"), sample.byteLength)).toThrow(CellarrError);
    expect(into(new Uint8Array(0), 10)).toThrow(CellarrError);
    for (const byte of [0, 1, 0xff]) {
      expect(into(Uint8Array.from([...part, byte]), sample.byteLength)).toThrow(CellarrError);
    }
    for (let length = 0; length < part.byteLength; length += 5) {
      expect(into(part.subarray(0, length), sample.byteLength)).toThrow(CellarrError);
    }
  });
});

describe("corrupt bzip2", () => {
  it("never gives wrong bytes: its checksums hold", () => {
    const sample = samples.text!;
    const part = compressBzip2(sample, stepOf("bzip2"));
    let refused = 0;
    for (let at = 0; at < part.byteLength; at++) {
      for (const flip of [1, 0x40, 0xff]) {
        const changed = part.slice();
        changed[at]! ^= flip;
        const out = new Uint8Array(sample.byteLength);
        try {
          decompressBzip2(changed, out, stepOf("bzip2"));
          expect(Buffer.compare(out, sample)).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CellarrError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(part.byteLength);
  });
});

describe("digests", () => {
  it("are those of RFC 1321 and FIPS 180-4", () => {
    const abc = new TextEncoder().encode("abc");
    expect(Buffer.from(md5Digest(abc)).toString("hex")).toBe("900150983cd24fb0d6963f7d28e17f72");
    expect(Buffer.from(sha256Digest(abc)).toString("hex")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});

describe("Node's codecs", () => {
  const filters: FilterSpec[][] = [
    [{ type: "gzip", level: -1 }],
    [{ type: "zstd", level: -1 }],
    [{ type: "checksum_md5" }, { type: "gzip", level: 9 }],
    [{ type: "byteshuffle" }, { type: "checksum_sha256" }, { type: "zstd", level: 3 }],
  ];
  const context = { datatype: "uint8", cellValNum: 1, version: 22 } as const;

  it.each(filters.map((each) => [each.map((spec) => spec.type).join(" "), each] as const))(
    "%s: read what the portable ones wrote, and the other way round",
    async (_, each) => {
      const sample = samples["more than a block"]!;
      const portable = await loadPipeline({ maxChunkSize: 65536, filters: each }, context, { encode: true });
      registerNodeCodecs();
      const node = await loadPipeline({ maxChunkSize: 65536, filters: each }, context, { encode: true });
      for (const [writer, reader] of [
        [portable, node],
        [node, portable],
        [node, node],
      ] as const) {
        const back = decodeTile(encodeTile(sample, writer, 1), reader, sample.byteLength);
        expect(Buffer.compare(back, sample)).toBe(0);
      }
    },
  );

  it("refuse what is cut, changed or followed by more", async () => {
    registerNodeCodecs();
    const pipeline = await loadPipeline({ maxChunkSize: 0, filters: filters[0]! }, context, { encode: true });
    const sample = samples.text!;
    const tile = encodeTile(sample, pipeline, 1);
    for (let at = 20; at < tile.byteLength; at++) {
      const changed = tile.slice();
      changed[at]! ^= 0x11;
      let out: Uint8Array | undefined;
      try {
        out = decodeTile(changed, pipeline, sample.byteLength);
      } catch (error) {
        expect(error).toBeInstanceOf(CellarrError);
      }
      if (out !== undefined) expect(Buffer.compare(out, sample)).toBe(0);
    }
    // One more byte in the stream, and all lengths changed to match.
    const longer = new Uint8Array(tile.byteLength + 1);
    longer.set(tile);
    const view = new DataView(longer.buffer);
    view.setUint32(12, view.getUint32(12, true) + 1, true);
    view.setUint32(32, view.getUint32(32, true) + 1, true);
    expect(() => decodeTile(longer, pipeline, sample.byteLength)).toThrow(/gzip filter/);
  });
});

describe.skipIf(!hasPython)("other implementations", () => {
  it("decompress what we compressed", async () => {
    const parts: { type: string; part: string; size: number; sample: string }[] = [];
    for (const type of types) {
      const [compress] = await codecs[type]();
      for (const sample of Object.values(samples)) {
        for (const level of [-1, 9]) {
          const part = Buffer.from(compress(sample, stepOf(type, level))).toString("base64");
          parts.push({ type, part, size: sample.byteLength, sample: Buffer.from(sample).toString("base64") });
        }
      }
    }
    const wrong = await runPython(
      `
import base64, bz2, json, struct, sys, zlib
from numcodecs import lz4, zstd

def decompress(kind, part, size):
    if kind == "gzip":
        return zlib.decompress(part)
    if kind == "bzip2":
        return bz2.decompress(part)
    if kind == "lz4":
        return lz4.decompress(struct.pack("<i", size) + part) if size else b""
    return zstd.decompress(part) if size else b""

wrong = []
for each in json.load(sys.stdin):
    sample = base64.b64decode(each["sample"])
    try:
        if bytes(decompress(each["type"], base64.b64decode(each["part"]), each["size"])) != sample:
            wrong.append([each["type"], each["size"], "differs"])
    except Exception as error:
        wrong.append([each["type"], each["size"], str(error)])
print(json.dumps(wrong))
`,
      parts,
    );
    expect(wrong).toEqual([]);
  }, 120_000);
});
