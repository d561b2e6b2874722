import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { H5Dataset } from "../../src/h5ad/h5-dataset.js";
import { H5File } from "../../src/h5ad/h5-file.js";
import { SequentialReader } from "../../src/h5ad/sequential-reader.js";
import "../../src/node-platform.js";
import { ReusedArrays } from "../../src/util/reused-arrays.js";
import { hasPython, runPython } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

const ROWS = 150_001;

/** All datasets hold (7 i) mod 1009, where they were written. */
const SCRIPT = `
import json, sys, h5py, numpy as np
task = json.load(sys.stdin)
values = (np.arange(task["rows"], dtype="int64") * 7) % 1009
for libver in ["earliest", "latest"]:
    with h5py.File(f"{task['folder']}/{libver}.h5", "w", libver=libver) as file:
        for dtype in ["<i4", "<f4", "<u2", "<i8", "<f8", "<f2", ">i4"]:
            file.create_dataset("plain" + dtype, data=values.astype(dtype), chunks=(4096,), compression="gzip")
        data = values.astype("<i4")
        make = lambda name, **options: file.create_dataset(name, data=data, **{"compression": "gzip", **options})
        make("auto")
        make("shuffled", chunks=(10_000,), shuffle=True)
        make("checked", chunks=(10_000,), fletcher32=True)
        make("one chunk", chunks=(task["rows"],))
        make("tiny chunks", chunks=(257,), compression_opts=9)
        make("growing", chunks=(1000,), maxshape=(None,))
        holes = file.create_dataset("holes", (task["rows"],), dtype="<i4", chunks=(5000,), compression="gzip", fillvalue=-5)
        holes[20_000:90_000] = data[20_000:90_000]
print(json.dumps(True))
`;

describe.skipIf(!hasPython)("numbers in gzip chunks", () => {
  let folder = "";
  beforeAll(async () => {
    const kept = await keptFolder();
    folder = kept.path;
    await runPython(SCRIPT, { folder, rows: ROWS });
    return kept.remove;
  }, 60_000);

  const expected = (row: number) => (row * 7) % 1009;

  async function check(libver: string, name: string, at: (row: number) => number = expected) {
    const file = await H5File.open(join(folder, `${libver}.h5`));
    try {
      const dataset = new H5Dataset(file, `/${name}`);
      const ranges = [
        [0, 1],
        [0, ROWS],
        [4095, 4097],
        [8192, 12_288],
        [19_990, 90_010],
        [ROWS - 1, ROWS],
        [77, 77],
      ] as const;
      for (const [start, end] of ranges) {
        const values = dataset.numbers(start, end);
        expect(values.length).toBe(end - start);
        for (let row = start; row < end; row++) {
          if (Number(values[row - start]) !== at(row))
            throw new Error(`${name}: ${values[row - start]} at ${row}`);
        }
      }
      checkSequence(dataset, at);
      return dataset.keepsChunk;
    } finally {
      file.close();
    }
  }

  function checkSequence(dataset: H5Dataset, at: (row: number) => number) {
    const reader = new SequentialReader(dataset, (values) => values);
    const memory = new ReusedArrays();
    for (let start = 0, step = 1; start < ROWS; step = (step * 3) % 20_011) {
      const end = Math.min(ROWS, start + step);
      const values = reader.read(start, end, memory, "values");
      for (let row = start; row < end; row++) {
        if (Number(values[row - start]) !== at(row)) throw new Error(`${values[row - start]} at ${row}`);
      }
      start = end;
    }
  }

  it.each([
    "plain<i4",
    "plain<f4",
    "plain<u2",
    "plain<i8",
    "plain<f8",
    "auto",
    "shuffled",
    "one chunk",
    "tiny chunks",
    "growing",
  ])("are taken from %s by the host's inflate", async (name) => {
    expect(await check("earliest", name)).toBe(true);
  });

  it.each(["plain<f2", "plain>i4", "checked"])("are left to the library in %s", async (name) => {
    expect(await check("earliest", name)).toBe(false);
  });

  it("are what the library says where chunks are absent", async () => {
    const at = (row: number) => (row >= 20_000 && row < 90_000 ? expected(row) : -5);
    expect(await check("earliest", "holes", at)).toBe(false);
  });

  it.each(["plain<i4", "shuffled", "holes"])(
    "are left to the library in newer layouts of %s",
    async (name) => {
      const at = (row: number) => (name !== "holes" || (row >= 20_000 && row < 90_000) ? expected(row) : -5);
      expect(await check("latest", name, at)).toBe(false);
    },
  );
});
