import { describe, expect, it } from "vitest";
import { buildCellArrDataset, buildCellArrStores } from "../../src/cellarr/build/build.js";
import type { BuildOptions } from "../../src/cellarr/build/options.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { isCellarrError } from "../../src/errors.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import type { WritableStore } from "../../src/storage/types.js";
import { withFailureAfter, withoutRename } from "../support/stores.js";
import { temporaryFolder } from "../support/temporary.js";
import { denseRows, experiment } from "./samples.js";

/** Building over a store, and what is left of both when that goes wrong. */

const old = [experiment({ genes: ["a", "b"], rows: [[1, 2]] })];
const next = [
  experiment({
    genes: ["b", "c"],
    rows: [
      [3, 4],
      [5, 0],
    ],
  }),
];
const OLD = { genes: ["a", "b"], rows: [[1, 2]] };
const NEW = {
  genes: ["b", "c"],
  rows: [
    [3, 4],
    [5, 0],
  ],
};

const at = (store: WritableStore) => ({ store, path: "store" });

function build(store: WritableStore, options: Partial<BuildOptions> = {}) {
  return buildCellArrDataset({ outputPath: at(store), files: next, overwrite: true, ...options });
}

/** Genes and values of the store; null where none opens. */
async function content(store: WritableStore) {
  let dataset: CellArrDataset;
  try {
    dataset = await CellArrDataset.open(at(store));
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return null;
    throw error;
  }
  const rows = denseRows((await dataset.get(slice())).matrix("counts"));
  return { genes: await dataset.getGeneAnnotationIndex(), rows };
}

/** How many operations an action needs that replaces the old store. */
async function operationsOf(action: (store: WritableStore) => Promise<unknown>): Promise<number> {
  let most = 0;
  let least = 2000;
  const store = new MemoryStore();
  await build(store, { files: old });
  await action(withFailureAfter(store, least));
  while (least - most > 1) {
    const middle = (most + least) >> 1;
    const works = await action(withFailureAfter(store, middle)).then(
      () => true,
      () => false,
    );
    if (works) least = middle;
    else most = middle;
  }
  return least;
}

async function stagingKeys(store: WritableStore): Promise<string[]> {
  return (await store.list("")).map(({ key }) => key).filter((key) => key.includes(".cellarr-building-"));
}

describe("overwrite", () => {
  it.each(["MemoryStore", "NodeFsStore", "a store without rename"])(
    "replaces the store in %s",
    async (kind) => {
      const plain = kind === "NodeFsStore" ? new NodeFsStore(await temporaryFolder()) : new MemoryStore();
      const store = kind === "a store without rename" ? withoutRename(plain) : plain;
      await build(store, { files: old, matrixOptions: [{}, { matrixName: "twice" }] });
      expect(await content(store)).toEqual(OLD);
      await build(store);
      expect(await content(store)).toEqual(NEW);
      expect((await CellArrDataset.open(at(store))).matrixNames).toEqual(["counts"]);
      expect(await stagingKeys(store)).toEqual([]);
    },
  );

  it("keeps the old store when a value does not fit, or the caller aborts", async () => {
    for (const store of [new MemoryStore(), withoutRename(new MemoryStore())]) {
      await build(store, { files: old });
      const files = [...next, experiment({ genes: ["a"], rows: [[70000]] })];
      await expect(build(store, { files })).rejects.toMatchObject({ code: "VALUE" });
      const aborting = new AbortController();
      const onProgress = () => aborting.abort();
      const aborted = build(store, { onProgress, signal: aborting.signal });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      expect(await content(store)).toEqual(OLD);
      expect(await stagingKeys(store)).toEqual([]);
    }
  });

  it("leaves the old store or the new one wherever the storage is lost, as by a kill", async () => {
    const outcomes: string[] = [];
    const operations = await operationsOf((store) => build(store));
    // Parts change places in the last of them.
    for (let n = 0; n <= operations; n += n < operations - 40 ? 13 : 1) {
      const store = new MemoryStore();
      await build(store, { files: old });
      const attempt = build(withFailureAfter(store, n));
      if (n < operations) await expect(attempt).rejects.toMatchObject({ code: "STORAGE" });
      else await attempt;
      const found = await content(store);
      if (found === null) {
        // Lost while parts were changing places: what comes next finds the old store again.
        await expect(build(store, { overwrite: false })).rejects.toMatchObject({ code: "EXISTS" });
        expect(await content(store)).toEqual(OLD);
        expect(await stagingKeys(store)).toEqual([]);
        outcomes.push("restored");
      } else {
        const kind = found.genes[0] === "a" ? "old" : "new";
        expect(found).toEqual(kind === "old" ? OLD : NEW);
        outcomes.push(kind);
      }
      // What was left lying around hinders nobody, and goes.
      await build(store);
      expect(await content(store)).toEqual(NEW);
      expect(await stagingKeys(store)).toEqual([]);
    }
    expect([...new Set(outcomes)]).toEqual(["old", "restored", "new"]);
    expect(outcomes.filter((one) => one === "restored").length).toBeLessThan(20);
  });

  it("puts old parts back by itself where the storage recovers", async () => {
    const moves = 8;
    for (let failing = 0; failing < moves; failing++) {
      const store = new MemoryStore();
      await build(store, { files: old });
      const rename = store.rename.bind(store);
      let calls = 0;
      store.rename = async (...args) => {
        if (calls++ === failing) throw new Error("once");
        return rename(...args);
      };
      await expect(build(store)).rejects.toThrow("once");
      expect(await content(store)).toEqual(OLD);
      expect(await stagingKeys(store)).toEqual([]);
    }
  });

  it("of one matrix keeps the others and the frames", async () => {
    for (const lost of [undefined, 1]) {
      const store = new MemoryStore();
      await build(store, { files: old, matrixOptions: [{}, { matrixName: "twice", dtype: "uint8" }] });
      const skip = { skip: true };
      const parts = {
        outputPath: at(store),
        files: old,
        geneAnnotationOptions: skip,
        cellMetadataOptions: skip,
        sampleMetadataOptions: skip,
        matrixOptions: { matrixName: "twice" },
      };
      await expect(buildCellArrStores(parts)).rejects.toMatchObject({ code: "EXISTS" });
      const rename = store.rename.bind(store);
      let calls = 0;
      store.rename = async (...args) => {
        if (lost !== undefined && calls++ >= lost) throw new Error("lost");
        return rename(...args);
      };
      const attempt = buildCellArrStores({ ...parts, overwrite: true });
      if (lost === undefined) await attempt;
      else await expect(attempt).rejects.toThrow("lost");
      store.rename = rename;
      if (lost !== undefined)
        await expect(buildCellArrStores(parts)).rejects.toMatchObject({ code: "EXISTS" });
      const { matrices } = await (await CellArrDataset.open(at(store))).get(0);
      expect(matrices.get("counts")!.data).toEqual(Uint16Array.of(1, 2));
      expect(matrices.get("twice")!.data).toEqual(
        lost === undefined ? Uint16Array.of(2, 4) : Uint8Array.of(2, 4),
      );
      expect(await stagingKeys(store)).toEqual([]);
    }
  });
});

describe("a new store", () => {
  it("does not open wherever the storage is lost, as by a kill, and does not hinder the next build", async () => {
    let built = 0;
    for (let n = 0, finished = false; !finished; n += 15) {
      const store = new NodeFsStore(await temporaryFolder());
      const attempt = buildCellArrDataset({ outputPath: at(withFailureAfter(store, n)), files: next });
      finished = await attempt.then(
        () => true,
        () => false,
      );
      const found = await content(store);
      if (found !== null) expect(found).toEqual(NEW);
      if (found === null) built++;
      await build(store);
      expect(await content(store)).toEqual(NEW);
      expect(await stagingKeys(store)).toEqual([]);
    }
    expect(built).toBeGreaterThan(5);
  });
});
