import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isCellarrError } from "../../src/errors.js";
import type { FilterSpec, WebpFormat } from "../../src/format/filter-pipeline.js";
import { registerNodeCodecs } from "../../src/format/filters/codecs-node.js";
import { replaceWebpModule } from "../../src/format/filters/registry.js";
import { pictureSize } from "../../src/format/filters/webp-image.js";
import { decodeTile, loadPipeline } from "../../src/format/tile.js";

/** The WebP filter beyond what the fixtures of whole arrays show: large pictures, corrupt ones, platforms without WebAssembly. */

const spec = (format: WebpFormat): FilterSpec => ({
  type: "webp",
  quality: 100,
  format,
  lossless: true,
  extents: [1, 3],
});

const load = (format: WebpFormat) =>
  loadPipeline(
    { maxChunkSize: 65536, filters: [spec(format)] },
    { datatype: "uint8", cellValNum: 1, version: 22 },
  );

registerNodeCodecs();
afterEach(() => {
  vi.unstubAllGlobals();
  registerNodeCodecs();
});

/** 2,048 x 2,048 pixels of blue 200, green 100, red 50, in one tile of the official library. */
const onePlainPicture = new Uint8Array(
  Buffer.from(
    "AQAAAAAAAAAAAMAA3AAAAAgAAAABAAAA3AAAAFJJRkbUAAAAV0VCUFZQOEzIAAAAL//H/wEHULLKFLn/ASFB4v/vZiL6n/Gf//znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+7wE=",
    "base64",
  ),
);
const PIXELS = 2048 * 2048;

/** The tiles of a fixture: 6 rows of 24 cells each. */
function tilesOf(name: string): Uint8Array[] {
  const fragments = fileURLToPath(
    new URL(`../../spec-fixtures/v22/filters.webp.${name}/array/__fragments`, import.meta.url),
  );
  const file = readFileSync(`${fragments}/${readdirSync(fragments)[0]}/a1.tdb`);
  const tiles: Uint8Array[] = [];
  for (let at = 0; at < file.byteLength; ) {
    const end = at + 20 + file.readUInt32LE(at + 12) + file.readUInt32LE(at + 16);
    tiles.push(new Uint8Array(file.subarray(at, end)));
    at = end;
  }
  return tiles;
}

describe("webp filter", () => {
  it("reads a picture of one colour, which takes next to nothing", async () => {
    const cells = decodeTile(onePlainPicture, await load("bgr"), PIXELS * 3);
    for (let i = 0; i < cells.length; i += 3 * 4099) {
      expect([cells[i], cells[i + 1], cells[i + 2]]).toEqual([200, 100, 50]);
    }
    const opaque = decodeTile(grown(onePlainPicture, 4), await load("rgba"), PIXELS * 4);
    expect([...opaque.subarray(-4)]).toEqual([50, 100, 200, 255]);
  });

  it("compares the size of the picture before it is decoded", async () => {
    expect(pictureSize(onePlainPicture.subarray(28))).toEqual({ width: 2048, height: 2048 });
    const pipeline = await load("bgr");
    const smaller = onePlainPicture.slice();
    new DataView(smaller.buffer).setUint32(8, 300, true);
    expect(() => decodeTile(smaller, pipeline, 300, "a.tdb")).toThrow(
      /webp filter: expected 300 bytes, found 12582912 \(a.tdb\)/,
    );
  });

  it("refuses a schema that has no order of colours, and tiles of several pictures", async () => {
    const none = await load("none");
    expect(() => decodeTile(onePlainPicture, none, PIXELS * 3)).toThrow(/order of a pixel's colours/);
    const two = onePlainPicture.slice();
    two[20] = 2;
    const pipeline = await load("bgr");
    expect(() => decodeTile(two, pipeline, PIXELS * 3)).toThrow(/expected one picture of 220 bytes, found 2/);
  });

  it.each(["rgb-lossless", "rgb-lossy", "bgra-lossless", "bgra-lossy"])(
    "%s: a cut or changed tile gives cells or a typed error",
    async (name) => {
      const pipeline = await load(name.startsWith("rgb") ? "rgb" : "bgra");
      const tile = tilesOf(name)[0]!;
      const size = 6 * 24;
      const whole = decodeTile(tile, pipeline, size);
      let refused = 0;
      for (let length = 0; length < tile.byteLength; length++) {
        expect(outcome(() => decodeTile(tile.slice(0, length), pipeline, size))).toBe("FORMAT");
      }
      for (let at = 0; at < tile.byteLength; at++) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const changed = tile.slice();
          changed[at]! ^= flip;
          if (outcome(() => decodeTile(changed, pipeline, size)) !== "cells") refused++;
        }
      }
      expect(refused).toBeGreaterThan(60);
      // A corrupt picture leaves nothing behind.
      expect(decodeTile(tile, pipeline, size)).toEqual(whole);
    },
  );
});

/** The tile as if its cells were of `depth` values a pixel. */
function grown(tile: Uint8Array, depth: number): Uint8Array {
  const copy = tile.slice();
  new DataView(copy.buffer).setUint32(8, PIXELS * depth, true);
  return copy;
}

function outcome(decode: () => Uint8Array): string {
  try {
    expect(decode().byteLength).toBe(6 * 24);
    return "cells";
  } catch (error) {
    if (!isCellarrError(error)) throw error;
    expect(["FORMAT", "LIMIT"]).toContain(error.code);
    return error.code;
  }
}

describe("where WebAssembly does not run", () => {
  it("says so, and works once it does", async () => {
    replaceWebpModule(() => readFile(new URL("../../node_modules/@cwasm/webp/webp.wasm", import.meta.url)));
    vi.stubGlobal("WebAssembly", undefined);
    await expect(load("rgb")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/webp filter: its decoder needs WebAssembly/),
    });
    vi.unstubAllGlobals();
    await expect(load("rgb")).resolves.toBeDefined();
  });

  it("says so where a policy forbids compiling it, or the file is not to be had", async () => {
    replaceWebpModule(async () => Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    vi.stubGlobal("WebAssembly", {
      ...WebAssembly,
      compile: async () => {
        throw new Error("blocked by Content Security Policy");
      },
    });
    const blocked = { code: "UNSUPPORTED", message: expect.stringMatching(/blocked by Content Security/) };
    await expect(load("rgb")).rejects.toMatchObject(blocked);
    vi.unstubAllGlobals();
    replaceWebpModule(async () => {
      throw new Error("404 Not Found");
    });
    await expect(load("rgb")).rejects.toMatchObject({ code: "UNSUPPORTED", message: /404 Not Found/ });
  });
});
