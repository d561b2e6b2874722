import { expect, it } from "vitest";
import { loadZstdDecoder, loadZstdEncoder } from "../../src/format/filters/zstd.js";

// An encoder takes tens of milliseconds and 16 MB: one per pipeline made a small build ten times slower.
it("starts Zstandard's encoder and decoder once", async () => {
  expect(await loadZstdEncoder()).toBe(await loadZstdEncoder());
  expect(await loadZstdDecoder()).toBe(await loadZstdDecoder());
});
