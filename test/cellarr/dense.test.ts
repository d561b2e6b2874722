import { existsSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import {
  appendToDataset,
  buildCellArrDataset,
  CellArrDataset,
  type DatasetWarning,
  exportDataset,
  slice,
  verifyStore,
} from "../../src/node.js";
import { temporaryFolder } from "../support/temporary.js";
import { denseRows, experiment } from "./samples.js";

/** Stores with a matrix in a dense array. */

const genes = ["a", "b", "c", "d"];
const values = [
  [0, 1, 0, 2],
  [0, 0, 0, 0],
  [3, 0, 0, 4],
  [5, 6, 0, 7],
  [0, 0, 0, 0],
];

/** A store with the sparse matrix "counts", and "dense" with the values of its first rows. */
async function store(rows: readonly (readonly number[])[], domain = rows.length): Promise<string> {
  const path = join(await temporaryFolder(), "store");
  await buildCellArrDataset({ outputPath: path, files: [experiment({ genes, rows: values })] });
  const place = join(path, "assays", "dense");
  const dimension = (name: string, last: number) =>
    ({ name, datatype: "uint32", domain: [0, last], tileExtent: 2 }) as const;
  await createArray(place, {
    arrayType: "dense",
    dimensions: [dimension("cell_index", domain - 1), dimension("gene_index", 3)],
    attributes: [{ name: "value", datatype: "float32" }],
  });
  const box = [
    [0, rows.length - 1],
    [0, 3],
  ] as const;
  await writeDense(place, box, { value: Float32Array.from(rows.flat()) });
  return path;
}

describe("a dense matrix", () => {
  it("has the shape and order of the metadata, with rows and columns that are empty", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    expect(dataset.matrixNames.sort()).toEqual(["counts", "dense"]);
    const part = await dataset.get([3, 1, 0, 3], ["d", "c", "a"]);
    const expected = [
      [5, 0, 7],
      [0, 0, 0],
      [0, 0, 2],
      [5, 0, 7],
    ];
    expect(denseRows(part.matrix("dense"))).toEqual(expected);
    expect(denseRows(part.matrix("counts"))).toEqual(expected);
    expect(part.matrix("dense").data).toBeInstanceOf(Float32Array);
    expect(part.toAnnData().layers.get("dense")!.shape).toEqual([4, 3]);
  });

  it("gives nothing for cells beyond those that were written, and tells of them", async () => {
    const warnings: DatasetWarning[] = [];
    const path = await store(values.slice(0, 3), 5);
    const dataset = await CellArrDataset.open(path, { onWarning: (one) => warnings.push(one) });
    expect(warnings.filter((one) => "matrix" in one && one.matrix === "dense")).toMatchObject([
      { kind: "fewer-cells", message: "matrix 'dense' has values of 3 cells only, the store has 5" },
    ]);
    expect(denseRows((await dataset.get(slice())).matrix("dense"))).toEqual([
      ...values.slice(0, 3),
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const none = (await dataset.get([4], ["a"])).matrix("dense");
    expect(none).toMatchObject({ shape: [1, 1], data: new Float32Array(0) });
  });

  it("is exported as others are, and refuses what would append to it", async () => {
    const path = await store(values);
    const out = `${path}.csv`;
    await exportDataset(await CellArrDataset.open(path), out, { format: "csv", matrices: ["dense"] });
    expect(existsSync(out)).toBe(true);
    await expect(
      appendToDataset(path, { files: [experiment({ genes, rows: [[1, 2, 3, 4]] })] }),
    ).rejects.toThrow(/dense/);
    expect((await CellArrDataset.open(path)).shape).toEqual([5, 4]);
    expect((await verifyStore(path)).defects).toEqual([]);
  });

  it("is refused where it has more cells than the store", async () => {
    await expect(CellArrDataset.open(await store([...values, [1, 2, 3, 4]]))).rejects.toThrow(
      "matrix has values up to cell 5 and gene 3, the store has 5 cells and 4 genes",
    );
  });

  it("has no gene-major copy", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    await expect(
      dataset.getMatrixSubset([0], slice(), { matrices: ["dense"], source: "gene-major" }),
    ).rejects.toThrow("dense matrices have none");
    expect(await dataset.getGeneMajorCopy("dense")).toEqual({ state: "none" });
  });

  it("holds the same as the sparse one, whatever is asked (property)", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    const cells = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 });
    const columns = fc.subarray(genes);
    await fc.assert(
      fc.asyncProperty(cells, columns, async (rows, names) => {
        const part = await dataset.get(rows, names);
        expect(denseRows(part.matrix("dense"))).toEqual(denseRows(part.matrix("counts")));
        expect(part.matrix("dense").shape).toEqual(part.shape);
      }),
      { numRuns: 30 },
    );
  });
});

describe("selections", () => {
  it("are conditions as objects, too", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    const condition = {
      kind: "compare",
      field: "cellarr_cell_index_in_sample",
      op: ">=",
      value: "3",
    } as const;
    expect([...(await dataset.get(condition)).cellIndices]).toEqual([3, 4]);
    const either = { kind: "not", operand: condition } as const;
    expect([...(await dataset.get(either, "b")).cellIndices]).toEqual([0, 1, 2]);
    await expect(dataset.get({ ...condition, field: "nothere" })).rejects.toThrow("nothere");
  });

  it("say how much there is", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    expect(dataset.length).toBe(5);
    expect(dataset.shape).toEqual([5, 4]);
    const part = await dataset.get([1, 1], "b");
    expect([part.length, part.shape]).toEqual([2, [2, 1]]);
    expect(String(dataset)).toMatch(
      /^CellArrDataset\(5 cells x 4 genes, 1 samples; matrices: counts, dense; at /,
    );
    expect(inspect(dataset)).toBe(String(dataset));
  });

  it("say what they are", async () => {
    const dataset = await CellArrDataset.open(await store(values));
    const part = await dataset.get(slice(1, 3), ["a", "b"]);
    expect(String(part)).toMatch(/^CellArrDatasetSlice\(3 cells x 2 genes; matrices: counts, dense\)$/);
    expect(inspect(part)).toBe(String(part));
  });
});
