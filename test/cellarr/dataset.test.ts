import { beforeAll, describe, expect, it } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { matrixSchema } from "../../src/cellarr/build/matrix-schema.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { childLocation } from "../../src/storage/resolve.js";
import { textValues } from "../../src/util/frame.js";
import { withCounting } from "../support/stores.js";
import { denseRows, experiment, numbers, twoExperiments, valuesOf } from "./samples.js";

const location = { store: new MemoryStore(), path: "data/store" };
let dataset: CellArrDataset;

beforeAll(async () => {
  // Gene "c" and the second cell have no values, nor has the last gene or cell.
  const files = [
    experiment({
      genes: ["b", "a", "c"],
      rows: [
        [1, 2, 0],
        [0, 0, 0],
        [3, 0, 0],
      ],
      obs: { tissue: ["lung", "liver", "lung"], age: numbers(30, 41, 52) },
    }),
    experiment({
      genes: ["d", "b"],
      rows: [
        [0, 9],
        [0, 0],
      ],
      obs: { tissue: ["skin", "lung"] },
    }),
  ];
  await buildCellArrDataset({
    outputPath: location,
    files,
    cellMetadataOptions: { columnTypes: { tissue: "ascii", age: "float" } },
    matrixOptions: [{}, { matrixName: "twice", dtype: "float32" }],
    summaries: false,
  });
  dataset = await CellArrDataset.open(location);
});

describe("slices", () => {
  it("have the shape and order of their metadata, empty rows and columns included", async () => {
    const part = await dataset.get(slice());
    expect(part.shape).toEqual([5, 4]);
    expect(textValues(part.geneAnnotation.index)).toEqual(["a", "b", "c", "d"]);
    expect(denseRows(part.matrix("counts"))).toEqual([
      [2, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 3, 0, 0],
      [0, 9, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(part.matrix("counts").shape).toEqual([5, 4]);
  });

  it("keep the order of cells asked for, and the store's order of genes", async () => {
    const part = await dataset.get([3, 0, 1, 0], ["b", "a", "b"]);
    expect([...part.cellIndices]).toEqual([3, 0, 1, 0]);
    expect(textValues(part.cellMetadata.index)).toEqual(["3", "0", "1", "0"]);
    expect(valuesOf(part.cellMetadata, "tissue")).toEqual(["skin", "lung", "liver", "lung"]);
    expect([...part.geneIndices]).toEqual([0, 1]);
    expect(valuesOf(part.geneAnnotation, "cellarr_gene_index")).toEqual(["a", "b"]);
    expect(denseRows(part.matrix("counts"))).toEqual([
      [0, 9],
      [2, 1],
      [0, 0],
      [2, 1],
    ]);
    expect(denseRows(part.matrix("twice"))).toEqual([
      [0, 18],
      [4, 2],
      [0, 0],
      [4, 2],
    ]);
    expect(part.matrix("counts").data).toBeInstanceOf(Uint16Array);
    expect(part.matrix("twice").data).toBeInstanceOf(Float32Array);
  });

  it("take conditions, masks, indices and names on both sides", async () => {
    const cellsOf = async (cells: Parameters<CellArrDataset["get"]>[0]) => [
      ...(await dataset.get(cells)).cellIndices,
    ];
    expect(await cellsOf("tissue == 'lung'")).toEqual([0, 2, 4]);
    expect(await cellsOf("tissue == 'lung' and age > 40")).toEqual([2]);
    expect(await cellsOf("cellarr_sample == 'sample_2'")).toEqual([3, 4]);
    expect(await cellsOf([true, false, false, false, true])).toEqual([0, 4]);
    expect(await cellsOf(slice(1, 2))).toEqual([1, 2]);
    expect(await cellsOf("tissue == 'bone'")).toEqual([]);
    const genesOf = async (genes: Parameters<CellArrDataset["get"]>[1]) => [
      ...(await dataset.get(0, genes)).geneIndices,
    ];
    expect(await genesOf("cellarr_gene_index in ['d', 'a']")).toEqual([0, 3]);
    expect(await genesOf("c")).toEqual([2]);
    expect(await genesOf([3, 1])).toEqual([1, 3]);
    expect(await genesOf(slice(2))).toEqual([2, 3]);
  });

  it("may read some matrices only", async () => {
    const part = await dataset.get(0, slice(), { matrices: ["twice"] });
    expect(part.matrixNames).toEqual(["twice"]);
    expect(() => part.matrix("counts")).toThrow("no matrix 'counts' in the slice; there are: 'twice'");
    await expect(dataset.get(0, slice(), { matrices: ["x"] })).rejects.toThrow("no matrix 'x'");
  });

  it("has the values alone, too", async () => {
    const values = await dataset.getMatrixSubset([3, 0], ["b", "a"], { order: "asked" });
    expect([...values.keys()]).toEqual(["counts", "twice"]);
    expect(denseRows(values.get("counts")!)).toEqual([
      [9, 0],
      [1, 2],
    ]);
    expect(denseRows((await dataset.getMatrixSubset("tissue == 'liver'")).get("twice")!)).toEqual([
      [0, 0, 0, 0],
    ]);
  });

  it("become annotated data with matrices as layers", async () => {
    const data = (await dataset.get([2, 0], ["a", "b"])).toAnnData();
    expect(data.shape).toEqual([2, 2]);
    expect([...data.layers.keys()]).toEqual(["counts", "twice"]);
    expect(textValues(data.var.index)).toEqual(["a", "b"]);
    expect(valuesOf(data.obs, "age")).toEqual([52, 30]);
  });

  it.each([
    [5, slice(), "RANGE", "cell 5 does not exist, expected 0 to 4"],
    [slice(0, 5), slice(), "RANGE", "cell 5"],
    [-1, slice(), "RANGE", "cell -1"],
    [0, ["a", "nope", "b", "nix"], "NOT_FOUND", "no gene of that name: 'nope', 'nix'"],
    [["x"], slice(), "ARGUMENT", "a cell has no name"],
    ["nothere == 1", slice(), "NOT_FOUND", "nothere"],
    ["tissue ==", slice(), "ARGUMENT", ""],
  ] as never[])("refuse %j x %j", async (cells, genes, code, message) => {
    await expect(dataset.get(cells, genes)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});

describe("metadata", () => {
  it("has columns and subsets", async () => {
    expect(dataset.getCellMetadataColumns()).toEqual([
      "cellarr_sample",
      "cellarr_cell_index_in_sample",
      "tissue",
      "age",
    ]);
    expect(dataset.getGeneAnnotationColumns()).toEqual(["cellarr_gene_index"]);
    const cells = await dataset.getCellSubset([4, 1], "tissue");
    expect(cells.columnNames).toEqual(["tissue"]);
    expect(valuesOf(cells, "tissue")).toEqual(["lung", "liver"]);
    const samples = await dataset.getSampleSubset("cellarr_sample == 'sample_1'");
    expect(valuesOf(samples, "cellarr_cell_counts")).toEqual(["3"]);
    expect((await dataset.getSampleSubset(["sample_2"], ["cellarr_sample"])).columnNames).toEqual([
      "cellarr_sample",
    ]);
    expect(dataset.getSampleMetadataColumns().sort()).toEqual([
      "cellarr_cell_counts",
      "cellarr_original_gene_set",
      "cellarr_sample",
      "cellarr_sample_end_index",
      "cellarr_sample_start_index",
    ]);
    expect(await dataset.getSampleMetadataIndex()).toEqual(["sample_1", "sample_2"]);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["a", "b", "c", "d"]);
    expect(textValues((await dataset.getGeneSubset(["d", "a"])).index)).toEqual(["a", "d"]);
    await expect(dataset.getCellSubset(0, ["tissue", "x", "y"])).rejects.toThrow(
      "no column 'x', 'y'; there are:",
    );
    await expect(dataset.getCellMetadataColumn("x")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("gives the columns asked for beside a condition", async () => {
    const cells = await dataset.getCellSubset("tissue == 'lung' and age > 40", ["age"]);
    expect(cells.columnNames).toEqual(["age"]);
    expect(valuesOf(cells, "age")).toEqual([52]);
    const samples = await dataset.getSampleSubset("cellarr_sample == 'sample_2'", "cellarr_cell_counts");
    expect([samples.columnNames, valuesOf(samples, "cellarr_cell_counts")]).toEqual([
      ["cellarr_cell_counts"],
      ["2"],
    ]);
  });

  it("is read of the columns that a condition and the answer need, and of no others", async () => {
    const counting = withCounting(location.store);
    const opened = await CellArrDataset.open({ ...location, store: counting });
    const filesOf = async (query: () => Promise<unknown>) => {
      counting.resetCounts();
      await query();
      const files = counting.counts.fetches.map(({ key }) => key).filter((key) => /\/a\d.*\.tdb$/.test(key));
      return [...new Set(files.map((key) => key.slice(key.lastIndexOf("/") + 1)))].sort();
    };
    // Columns in their order: sample, index in sample, tissue, age, whose validity is a file of its own.
    const some = () => opened.getCellTable("age > 40", ["cellarr_sample"]);
    expect(await filesOf(some)).toEqual(["a0.tdb", "a0_var.tdb", "a3.tdb", "a3_validity.tdb"]);
    expect(await filesOf(some)).toEqual([]);
    const none = () => opened.getCellSubset("tissue == 'bone'", ["cellarr_cell_index_in_sample"]);
    expect(await filesOf(none)).toEqual(["a2.tdb", "a2_var.tdb"]);
  });

  it("is the caller's to write to", async () => {
    const names = (await dataset.getGeneSubset(slice())).columns.get("cellarr_gene_index")!;
    if (names.kind !== "text") throw new Error("text expected");
    names.data.fill(0x78);
    (await dataset.getGeneSubset(slice())).index.data.fill(0x79);
    expect(textValues((await dataset.getGeneSubset(slice())).index)).toEqual(["a", "b", "c", "d"]);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["a", "b", "c", "d"]);
  });

  it("tells what its matrices are", () => {
    expect(dataset.getMatrixInfo("twice")).toMatchObject({
      name: "twice",
      where: "mem://store/data/store/assays/twice",
      arrayType: "sparse",
      dtype: "float32",
      storedValues: 4,
      fragments: 1,
    });
    expect(dataset.getMatrixInfo("twice").bytes).toBeGreaterThan(16);
    expect(() => dataset.getMatrixInfo("x")).toThrow("no matrix 'x'; there are: 'counts', 'twice'");
  });

  it("tells its size", () => {
    expect([dataset.numberOfCells, dataset.numberOfFeatures, dataset.numberOfSamples]).toEqual([5, 4, 2]);
    expect(`${dataset}`).toBe(
      "CellArrDataset(5 cells x 4 genes, 2 samples; matrices: counts, twice; at mem://store/data/store)",
    );
  });
});

describe("samples and cells", () => {
  it("are found by number and name", async () => {
    expect([...(await dataset.getCellsForSample(1)).cellIndices]).toEqual([3, 4]);
    expect([...(await dataset.getCellsForSample("sample_1")).cellIndices]).toEqual([0, 1, 2]);
    await expect(dataset.getCellsForSample("x")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(dataset.getCellsForSample(2)).rejects.toMatchObject({ code: "RANGE" });
  });

  it("are iterated one after another", async () => {
    const samples: [string, number][] = [];
    for await (const [name, cells] of dataset.iterSamples()) samples.push([name, cells.shape[0]]);
    expect(samples).toEqual([
      ["sample_1", 3],
      ["sample_2", 2],
    ]);
    const cells: number[] = [];
    for await (const [index, cell] of dataset.iterCells()) {
      expect(cell).toEqual(await dataset.getSlice(index));
      cells.push(index);
    }
    expect(cells).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("opening", () => {
  it("takes the matrices asked for", async () => {
    expect((await CellArrDataset.open(location, { assayUri: "twice" })).matrixNames).toEqual(["twice"]);
    await expect(CellArrDataset.open(location, { assayUri: ["counts", "x"] })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("its part 'x' is not there"),
    });
  });

  it("takes parts of other names", async () => {
    const outputPath = { store: new MemoryStore(), path: "" };
    const [genes, cells, samples] = ["parts_genes", "parts_cells", "parts_samples"];
    await buildCellArrDataset({
      outputPath,
      files: [experiment({ genes: ["a", "b"], rows: [[1, 2]] })],
      geneAnnotationOptions: { tiledbStoreName: genes },
      cellMetadataOptions: { tiledbStoreName: cells },
      sampleMetadataOptions: { tiledbStoreName: samples },
    });
    await expect(CellArrDataset.open(outputPath)).rejects.toThrow("its part 'gene_annotation' is not there");
    const opened = await CellArrDataset.open(outputPath, {
      geneAnnotationUri: genes,
      cellMetadataUri: cells,
      sampleMetadataUri: samples,
    });
    expect(denseRows((await opened.getCellsForSample("sample_1")).matrix("counts"))).toEqual([[1, 2]]);
  });

  it("reads stores of before 0.3, whose matrix has no group", async () => {
    const store = new MemoryStore();
    for (const { key } of await location.store.list("data/store")) {
      await store.put(
        key.slice("data/store/".length).replace(/^assays\/counts/, "counts"),
        (await location.store.get(key))!,
      );
    }
    const old = await CellArrDataset.open(
      { store, path: "" },
      { assayTiledbGroup: null, assayUri: "counts" },
    );
    expect((await old.get(3, ["b"])).matrix("counts").data).toEqual(Uint16Array.of(9));
    const found = await CellArrDataset.open({ store, path: "" }, { assayTiledbGroup: null });
    expect(found.matrixNames).toEqual(["counts"]);
  });

  it("refuses what is no store, and parts that do not fit", async () => {
    const empty = { store: new MemoryStore(), path: "x" };
    await expect(CellArrDataset.open(empty)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const outputPath = { store: new MemoryStore(), path: "" };
    await buildCellArrDataset({ outputPath, files: twoExperiments(), matrixOptions: { dtype: "float32" } });
    const extra = childLocation(outputPath, "assays/large");
    const shape = {
      attribute: { name: "data", datatype: "int32" },
      cellType: "uint32",
      geneType: "uint32",
      dimensions: ["cell_index", "gene_index"],
    } as const;
    await createArray(extra, matrixSchema(shape, "compact"));
    await writeSparse(extra, {
      cell_index: Uint32Array.of(40),
      gene_index: Uint32Array.of(0),
      data: Int32Array.of(1),
    });
    await expect(CellArrDataset.open(outputPath)).rejects.toThrow(
      "matrix has values up to cell 40 and gene 0, the store has 40 cells and 60 genes",
    );
    await expect(CellArrDataset.open(outputPath, { cellMetadataUri: "assays/counts" })).rejects.toThrow(
      "not a frame",
    );
    await expect(CellArrDataset.open(outputPath, { assayUri: "../cell_metadata" })).rejects.toMatchObject({
      code: "ARGUMENT",
    });
  });

  it("takes fill values of text for missing", async () => {
    const place = { store: new MemoryStore(), path: "" };
    for (const { key } of await location.store.list("data/store")) {
      await place.store.put(key.slice("data/store/".length), (await location.store.get(key))!);
    }
    await writeDense(childLocation(place, "cell_metadata"), [[1n, 1n]], {
      cellarr_sample: ["sample_1"],
      cellarr_cell_index_in_sample: ["1"],
      tissue: ["\0"],
      age: Float64Array.of(1),
    });
    const changed = await CellArrDataset.open(place);
    expect(valuesOf(await changed.getCellSubset(slice(0, 2)), "tissue")).toEqual(["lung", null, "lung"]);
  });
});
