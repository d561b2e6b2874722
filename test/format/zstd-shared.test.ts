import { expect, it } from "vitest";
import { loadZstdDecoder } from "../../src/format/filters/zstd.js";
import { loadLibraryEncoder } from "../../src/format/filters/zstd-library-node.js";

// An encoder takes tens of milliseconds and 16 MB: one per pipeline made a small build ten times slower.
it("starts Zstandard's encoder and decoder once", async () => {
  expect(await loadLibraryEncoder()).toBe(await loadLibraryEncoder());
  expect(await loadZstdDecoder()).toBe(await loadZstdDecoder());
});
