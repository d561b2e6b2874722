import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BuildOptions, BuildProgress } from "../../src/node.js";
import { buildCellArrDataset, CellArrDataset, columnValues, MemoryStore, slice } from "../../src/node.js";
import type { WritableStore } from "../../src/storage/types.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { withCounting, withFailureAfter } from "../support/stores.js";
import { temporaryFolder } from "../support/temporary.js";
import { denseRows, experiment } from "./samples.js";

/** Builds that are interrupted and go on. */

const files = [
  experiment({
    genes: ["a", "b"],
    rows: [
      [1, 2],
      [0, 3],
    ],
  }),
  experiment({ genes: ["b", "c"], rows: [[4, 5]] }),
  experiment({ genes: ["c"], rows: [[0], [0]] }),
  experiment({ genes: ["a", "c"], rows: [[6, 7]] }),
];
const ROWS = [
  [1, 2, 0],
  [0, 3, 0],
  [0, 4, 5],
  [0, 0, 0],
  [0, 0, 0],
  [6, 0, 7],
];
const at = (store: WritableStore) => ({ store, path: "store" });

function build(store: WritableStore, options: Partial<BuildOptions> = {}) {
  const matrixOptions = [{}, { matrixName: "twice" }];
  return buildCellArrDataset({ outputPath: at(store), files, matrixOptions, resume: true, ...options });
}

async function check(store: WritableStore) {
  const dataset = await CellArrDataset.open(at(store));
  const part = await dataset.get(slice());
  expect(denseRows(part.matrix("counts"))).toEqual(ROWS);
  expect(denseRows(part.matrix("twice"))).toEqual(ROWS.map((row) => row.map((value) => value * 2)));
  expect((await dataset.getGeneMajorCopy("counts")).state).toBe("current");
  const totals = part.cellMetadata.columns.get("cellarr_twice_total")!;
  expect(columnValues(totals)).toEqual(ROWS.map((row) => row.reduce((sum, value) => sum + value * 2, 0)));
  const means = part.geneAnnotation.columns.get("cellarr_counts_mean")!;
  expect(columnValues(means)).toEqual(
    [0, 1, 2].map((gene) => ROWS.reduce((sum, row) => sum + row[gene]!, 0) / 6),
  );
  const keys = (await store.list("")).map(({ key }) => key);
  expect(keys.filter((key) => key.includes(".cellarr-"))).toEqual([]);
}

/** Aborts when the matrix's cells of the first files are done. */
function abortingAt(cells: number): Pick<BuildOptions, "signal" | "onProgress"> {
  const aborting = new AbortController();
  const onProgress = ({ step, item, done }: BuildProgress) => {
    if (step === "matrix" && item === "twice" && done >= cells) aborting.abort();
  };
  return { signal: aborting.signal, onProgress };
}

describe("resume", () => {
  it.each([true, false])(
    "goes on after an abort, without the files that are done (optimize: %s)",
    async (optimize) => {
      const store = new MemoryStore();
      const aborted = build(store, { optimize, ...abortingAt(6) });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      await expect(CellArrDataset.open(at(store))).rejects.toMatchObject({ code: "NOT_FOUND" });
      const written = new Set<string>();
      const onProgress = ({ step, item, done }: BuildProgress) =>
        step === "matrix" && written.add(`${item} ${done}`);
      await build(store, { optimize, onProgress });
      // What has no values leaves no trace: it is read again, and the file at which it was aborted.
      const again = ["twice 2", "twice 3"];
      expect([...written].sort()).toEqual(optimize ? again : ["counts 2", ...again]);
      await check(store);
    },
  );

  it("works wherever the storage is lost, as by a kill", async () => {
    const whole = withCounting(new MemoryStore());
    await build(whole);
    const operations = whole.counts.writes + whole.counts.deletes;
    for (let n = 3; n < operations * 3; n += 29) {
      const store = new MemoryStore();
      const lost = await build(withFailureAfter(store, n)).then(
        () => false,
        () => true,
      );
      if (lost) await build(store, { overwrite: true });
      await check(store);
    }
  });

  it("refuses to go on with other inputs or options, and starts anew without", async () => {
    const store = new MemoryStore();
    await expect(build(store, abortingAt(1))).rejects.toMatchObject({ code: "ABORTED" });
    const other = experiment({ genes: ["a", "c"], rows: [[6, 7]], cells: ["another"] });
    const others: Partial<BuildOptions>[] = [
      { files: [...files.slice(0, 3), other] },
      { files: files.toReversed() },
      { matrixOptions: [{ dtype: "uint32" }, { matrixName: "twice" }] },
      { layout: "python" },
      { geneAnnotation: ["a", "b", "c", "d"] },
    ];
    for (const options of others) {
      await expect(build(store, options)).rejects.toMatchObject({ code: "ARGUMENT" });
    }
    await build(store, { resume: false });
    await check(store);
  });

  it("replaces a store that is there only when it is whole", async () => {
    const store = new MemoryStore();
    await build(store, { files: files.slice(0, 1) });
    await expect(build(store)).rejects.toMatchObject({ code: "EXISTS" });
    await expect(build(store, { overwrite: true, ...abortingAt(1) })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect((await CellArrDataset.open(at(store))).shape).toEqual([2, 2]);
    await build(store, { overwrite: true });
    await check(store);
  });

  it.skipIf(!hasPython)("is read by Python", async () => {
    const path = join(await temporaryFolder(), "store");
    const matrixOptions = [{}, { matrixName: "twice" }];
    // Python 0.3.2 shifts rows behind empty ones.
    const [first, second, , fourth] = files;
    const options = { outputPath: path, files: [first!, second!, fourth!], matrixOptions, resume: true };
    const rows = ROWS.filter((row) => row.some((value) => value > 0));
    await expect(buildCellArrDataset({ ...options, ...abortingAt(3) })).rejects.toMatchObject({
      code: "ABORTED",
    });
    await buildCellArrDataset(options);
    for (const environment of ["reference", "newest"] as const) {
      const peer = await pythonPeer(environment);
      const query = { path, assays: ["counts", "twice"], cells: { slice: [0, 3] }, genes: ["a", "b", "c"] };
      const part = (await peer.call("cellarr_slice", query)) as { matrices: Record<string, number[][]> };
      expect(part.matrices.counts).toEqual(rows);
      expect(part.matrices.twice).toEqual(rows.map((row) => row.map((value) => value * 2)));
    }
  });
});
