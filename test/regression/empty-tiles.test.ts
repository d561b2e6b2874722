import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createArray, type FilterInput, openArray, writeSparse } from "../../src/tiledb-node.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { fromWire } from "../support/wire.js";

/**
 * A tile of which all cells are empty, through every filter and every pair of them. The official reader gave up on a
 * bitshuffled chunk whose header named one part of no bytes, which its own writer makes as well.
 */

const FILTERS: FilterInput[] = [
  "gzip",
  "zstd",
  "lz4",
  "bzip2",
  "byteshuffle",
  "bitshuffle",
  "checksum_md5",
  "checksum_sha256",
  "none",
];
const pipelines: FilterInput[][] = FILTERS.flatMap((first) => [
  [first],
  ...FILTERS.map((second) => [first, second]),
]);

describe.skipIf(!hasPython)("tiles of empty cells", () => {
  it.each(FILTERS)("%s first: read by the official library and by us", async (first) => {
    const folder = await temporaryFolder();
    const peer = await pythonPeer();
    const failed: string[] = [];
    for (const filters of pipelines.filter((pipeline) => pipeline[0] === first)) {
      const uri = join(folder, filters.join("-"));
      await createArray(uri, {
        arrayType: "sparse",
        capacity: 2,
        dimensions: [{ name: "d", datatype: "int32", domain: [0, 9], tileExtent: 10 }],
        attributes: [{ name: "a", datatype: "string_utf8", filters }],
      });
      await writeSparse(uri, { d: Int32Array.of(1, 2, 3, 4, 5), a: ["", "", "x", "", ""] });
      const expected = Uint32Array.of(0, 0, 0, 1, 1, 1);
      const { columns } = await (await openArray(uri)).read({ attributes: ["a"] });
      expect(columns.a).toMatchObject({ offsets: expected, data: Uint8Array.of(0x78) });
      const answer = fromWire(await peer.call("read_array", { uri }).catch(String));
      const column = (answer as { columns?: { a: { offsets: Uint8Array } } }).columns?.a;
      if (column === undefined) failed.push(`${filters.join(", ")}: ${String(answer).split("\n").at(-2)}`);
      else expect(new Uint32Array(column.offsets.slice().buffer)).toEqual(expected);
    }
    expect(failed).toEqual([]);
  });
});
