import { expect, test, vi } from "vitest";
import { registerNodeCodecs } from "../../src/format/filters/codecs-node.js";
import { loadPipeline } from "../../src/format/tile.js";

/** A decoder that fetched its own WebAssembly made Node load an HTTP client at each first read. */

test("the Zstandard decoder starts without fetch, and fetch is there afterwards", async () => {
  const fetch = vi.fn();
  vi.stubGlobal("fetch", fetch);
  registerNodeCodecs();
  const pipeline = { maxChunkSize: 65536, filters: [{ type: "zstd", level: 3 }] } as const;
  const loading = loadPipeline(pipeline, { datatype: "uint8", cellValNum: 1, version: 22 });
  expect(globalThis.fetch).toBe(fetch);
  await loading;
  expect(globalThis.fetch).toBe(fetch);
  expect(fetch).not.toHaveBeenCalled();
});
