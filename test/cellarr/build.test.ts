import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { buildCellArrDataset, buildCellArrStores } from "../../src/cellarr/build/build.js";
import type { BuildOptions, BuildProgress } from "../../src/cellarr/build/options.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import type { IndexType } from "../../src/cellarr/layout.js";
import { slice } from "../../src/cellarr/selection.js";
import { AnnData } from "../../src/h5ad/anndata.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { columnValues, textColumn } from "../../src/util/frame.js";
import {
  denseRows,
  experiment,
  frame,
  generated,
  matrixOf,
  numbers,
  twoExperiments,
  valuesOf,
} from "./samples.js";

function place() {
  return { store: new MemoryStore(), path: "store" };
}

function build(options: Omit<BuildOptions, "outputPath"> & Partial<Pick<BuildOptions, "outputPath">>) {
  return buildCellArrDataset({ outputPath: place(), ...options });
}

const floats = { matrixOptions: { dtype: "float32" } } as const;

async function allRows(dataset: CellArrDataset, matrix = "counts") {
  return denseRows((await dataset.get(slice())).matrix(matrix));
}

async function sampleFrame(dataset: CellArrDataset) {
  return dataset.getSampleSubset(slice());
}

describe("buildCellArrDataset", () => {
  it("stores genes, samples, cells and values of two files", async () => {
    const [first, second] = twoExperiments();
    const dataset = await build({ files: [first, second], ...floats });
    expect(dataset.shape).toEqual([40, 60]);
    const genes = await dataset.getGeneAnnotationIndex();
    expect(genes.slice(0, 3)).toEqual(["gene_1", "gene_10", "gene_11"]);
    const wanted = ["gene_1", "gene_17", "gene_5"];
    const rows = denseRows((await dataset.get([0, 30], wanted)).matrix("counts"));
    expect(rows[0]).toEqual([0, 16, 4].map((gene) => ((gene * 17 + 7) % 97) + 0.25));
    expect(rows[1]).toEqual([0, 16, 4].map((gene) => ((gene * 17 + 14) % 97) + 0.25));
    const samples = await sampleFrame(dataset);
    expect(Object.fromEntries(samples.columnNames.map((name) => [name, valuesOf(samples, name)]))).toEqual({
      cellarr_sample: ["sample_1", "sample_2"],
      cellarr_cell_counts: ["30", "10"],
      cellarr_sample_start_index: ["0", "30"],
      cellarr_sample_end_index: ["29", "39"],
      cellarr_original_gene_set: [first, second].map((data) => columnValues(data.var.index).join(",")),
    });
    expect(dataset.getCellMetadataColumns()).toEqual([
      "cellarr_sample",
      "cellarr_cell_index_in_sample",
      "cellarr_counts_total",
      "cellarr_counts_detected",
    ]);
    const cells = await dataset.getCellSubset([0, 29, 30]);
    expect(valuesOf(cells, "cellarr_sample")).toEqual(["sample_1", "sample_1", "sample_2"]);
    expect(valuesOf(cells, "cellarr_cell_index_in_sample")).toEqual(["0", "29", "0"]);
  });

  it("gives the same store with several files at a time", async () => {
    const files = [generated(5, 9, 1), generated(3, 4, 2), generated(0, 3, 3), generated(7, 12, 4)];
    const one = await build({ files, ...floats });
    const three = await build({ files, ...floats, numThreads: 3 });
    expect(await allRows(three)).toEqual(await allRows(one));
    expect((await allRows(one)).length).toBe(15);
  });

  it("builds several matrices, from X, raw/X and layers, of any storage", async () => {
    const rows = [
      [1, 0],
      [0, 2],
    ];
    const data = new AnnData({
      obs: frame(["a", "b"]),
      var: frame(["x", "y"]),
      X: matrixOf(rows, 2, "dense"),
      raw: {
        X: matrixOf(
          [
            [5, 0, 6],
            [0, 7, 0],
          ],
          3,
          "csc",
        ),
        var: frame(["z", "y", "x"]),
      },
      layers: { counts: matrixOf(rows, 2, "csc") },
    });
    const names = ["counts", "X", "raw/X"];
    const dataset = await build({
      files: [data],
      matrixOptions: names.map((matrixName) => ({ matrixName })),
    });
    expect(dataset.matrixNames.sort()).toEqual(["X", "counts", "raw_X"]);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["x", "y", "z"]);
    expect(await allRows(dataset, "counts")).toEqual([
      [1, 0, 0],
      [0, 2, 0],
    ]);
    expect(await allRows(dataset, "X")).toEqual([
      [1, 0, 0],
      [0, 2, 0],
    ]);
    expect(await allRows(dataset, "raw_X")).toEqual([
      [6, 0, 5],
      [0, 7, 0],
    ]);
  });

  it("keeps stored zeros of sparse sources and none of dense ones", async () => {
    const sparse = experiment({ genes: ["a"], rows: [[1]] });
    const counts = { ...sparse.layers.get("counts")!, data: Float32Array.of(0) } as const;
    const data = new AnnData({ obs: sparse.obs, var: sparse.var, layers: new Map([["counts", counts]]) });
    const dense = experiment({ genes: ["a"], rows: [[0]], storage: "dense" });
    const dataset = await build({ files: [data as AnnData, dense] });
    expect([...(await dataset.get(slice())).matrix("counts").indptr]).toEqual([0, 1, 1]);
  });

  it("combines columns of the same gene as asked", async () => {
    const files = [
      experiment({
        genes: ["a", "b", "a"],
        rows: [
          [4, 1, 2],
          [0, 1, 5],
        ],
      }),
    ];
    const combined = async (consolidateDuplicateGeneFunc: "sum" | "max" | "min" | "mean" | "first") =>
      allRows(await build({ files, matrixOptions: { consolidateDuplicateGeneFunc, dtype: "float32" } }));
    expect(await combined("sum")).toEqual([
      [6, 1],
      [5, 1],
    ]);
    expect(await combined("max")).toEqual([
      [4, 1],
      [5, 1],
    ]);
    expect(await combined("min")).toEqual([
      [2, 1],
      [0, 1],
    ]);
    expect(await combined("mean")).toEqual([
      [3, 1],
      [2.5, 1],
    ]);
    expect(await combined("first")).toEqual([
      [4, 1],
      [0, 1],
    ]);
    const own = { consolidateDuplicateGeneFunc: (values: readonly number[]) => values[0]! * 10 + values[1]! };
    expect(await allRows(await build({ files, matrixOptions: own }))).toEqual([
      [42, 1],
      [5, 1],
    ]);
  });

  it("takes a layer by its path too", async () => {
    const files = [experiment({ genes: ["a"], rows: [[3]] })];
    const dataset = await build({ files, matrixOptions: { matrixName: "layers/counts" } });
    expect(await allRows(dataset, "layers_counts")).toEqual([[3]]);
  });

  it("reads genes from a column of var", async () => {
    const dataset = await build({
      files: [experiment({ genes: ["b", "a"], rows: [[1, 2]] })],
      geneAnnotationOptions: { featureColumn: "symbol" },
    });
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["A", "B"]);
    await expect(
      build({ files: twoExperiments(), geneAnnotationOptions: { featureColumn: "ensembl" } }),
    ).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("feature column 'ensembl'"),
    });
  });
});

describe("gene annotation", () => {
  const files = [experiment({ genes: ["a", "b", "c"], rows: [[1, 2, 3]] })];

  it("is the sorted set of a list; other genes are left out", async () => {
    const dataset = await build({ files, geneAnnotation: ["z", "c", "a", "c"] });
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["a", "c", "z"]);
    expect(await allRows(dataset)).toEqual([[1, 3, 0]]);
  });

  it("keeps rows and columns of a frame or CSV", async () => {
    const table = frame(["c", "a"], { name: ["see", "ay"], length: numbers(7, 8.5) });
    const ours = await build({
      files,
      geneAnnotation: table,
      geneAnnotationOptions: { columnTypes: { length: "float" } },
      summaries: false,
    });
    expect(ours.getGeneAnnotationColumns()).toEqual(["name", "length", "cellarr_gene_index"]);
    expect(columnValues(await ours.getGeneAnnotationColumn("length"))).toEqual([7, 8.5]);
    expect(await allRows(ours)).toEqual([[3, 1]]);
    const csv = await build({ files, geneAnnotation: "id,name,length\nc,see,7.0\na,ay,8.5\n" });
    expect(valuesOf(await csv.getGeneSubset(slice()), "length")).toEqual(["7.0", "8.5"]);
    expect(await csv.getGeneAnnotationIndex()).toEqual(["c", "a"]);
  });

  it("takes names from cellarr_gene_index where it is there", async () => {
    const table = frame(["0", "1"], { cellarr_gene_index: ["b", "a"] });
    const dataset = await build({ files, geneAnnotation: table });
    expect(await allRows(dataset)).toEqual([[2, 1]]);
  });

  it("refuses genes twice and columns that are not there", async () => {
    await expect(build({ files, geneAnnotation: frame(["a", "a"]) })).rejects.toThrow(
      "'a' is in rows 0 and 1",
    );
    await expect(
      build({ files, geneAnnotation: frame(["a"]), geneAnnotationOptions: { columnTypes: { x: "int" } } }),
    ).rejects.toThrow("columnTypes names 'x'");
  });

  it("stores other than ASCII names as UTF-8", async () => {
    const greek = experiment({ genes: ["β", "a"], rows: [[1, 2]] });
    const dataset = await build({ files: [greek] });
    expect((await dataset.get(0, ["β"])).matrix("counts").data).toEqual(Uint16Array.of(1));
  });
});

describe("sample metadata", () => {
  const files = twoExperiments();

  it("keeps columns and types", async () => {
    const sampleMetadata = frame(["0", "1"], {
      samples: ["jk", "ltla"],
      sample_index: numbers(1, 2),
      sample_age: numbers(36.3, 35.05),
      untyped: numbers(10, Number.NaN),
      text: ["x", null],
    });
    const columnTypes = {
      samples: "ascii",
      sample_index: "int",
      sample_age: "float",
      cellarr_cell_counts: "int32",
    } as const;
    const dataset = await build({ files, sampleMetadata, sampleMetadataOptions: { columnTypes }, ...floats });
    const samples = await sampleFrame(dataset);
    expect(samples.columnNames.length).toBe(10);
    expect(valuesOf(samples, "sample_index")).toEqual([1n, 2n]);
    expect(valuesOf(samples, "sample_age")).toEqual([36.3, 35.05]);
    expect(valuesOf(samples, "untyped")).toEqual([10, Number.NaN]);
    expect(valuesOf(samples, "text")).toEqual(["x", null]);
    expect(valuesOf(samples, "cellarr_cell_counts")).toEqual([30, 10]);
    const metadata = "python";
    const plain = await sampleFrame(
      await build({ files, sampleMetadata, sampleMetadataOptions: { columnTypes }, metadata, ...floats }),
    );
    expect(valuesOf(plain, "untyped")).toEqual(["10.0", "nan"]);
    expect(valuesOf(plain, "text")).toEqual(["x", "nan"]);
    expect(valuesOf(plain, "sample_age")).toEqual([36.3, 35.05]);
  });

  it("names samples by cellarr_sample, also in the cells", async () => {
    const dataset = await build({ files, sampleMetadata: "cellarr_sample,x\nA,1\nB,2\n", ...floats });
    expect(await dataset.getSampleMetadataIndex()).toEqual(["A", "B"]);
    expect(valuesOf(await dataset.getCellSubset([29, 30]), "cellarr_sample")).toEqual(["A", "B"]);
  });

  it.each([
    ["x\n1\n", "sample metadata has 1 rows, expected one for each of 2 files"],
    ["cellarr_sample\nA\nA\n", "'A' is given twice"],
    ["cellarr_cell_counts\n30\n11\n", "cellarr_cell_counts of row 1 is 11, the file has 10 cells"],
  ])("refuses %j", async (sampleMetadata, message) => {
    await expect(build({ files, sampleMetadata, ...floats })).rejects.toThrow(message);
  });
});

describe("cell metadata", () => {
  it("takes typed columns of obs, NA where a file has none, or null", async () => {
    const tissue = {
      kind: "categorical",
      codes: Int32Array.of(1, -1),
      categories: textColumn(["lung", "liver"]),
      ordered: false,
    } as const;
    const files = [
      experiment({ genes: ["a"], rows: [[1], [2]], obs: { tissue, age: numbers(1, 2.5) } }),
      experiment({ genes: ["a"], rows: [[3]], obs: { tissue: ["skin"] } }),
    ];
    const columnTypes = { age: "float", tissue: "ascii", nothere: "utf8" } as const;
    const dataset = await build({ files, cellMetadataOptions: { columnTypes }, summaries: false });
    const cells = await dataset.getCellSubset(slice());
    expect(cells.columnNames.slice(2)).toEqual(["age", "tissue", "nothere"]);
    expect(valuesOf(cells, "age")).toEqual([1, 2.5, null]);
    expect(valuesOf(cells, "tissue")).toEqual(["liver", "nan", "skin"]);
    expect(valuesOf(cells, "nothere")).toEqual(["NA", "NA", "NA"]);
    await expect(build({ files, cellMetadataOptions: { columnTypes: { age: "int32" } } })).rejects.toThrow(
      "column 'age' of files[0], AnnData: 2.5 in row 1 is no int32",
    );
  });

  it("is a frame or CSV of all cells, with what ties cells to samples", async () => {
    const files = twoExperiments();
    const csv = `id\n${Array.from({ length: 40 }, (_, at) => `c${at}`).join("\n")}\n`;
    const dataset = await build({ files, cellMetadata: csv, summaries: false, ...floats });
    const cells = await dataset.getCellSubset([0, 31]);
    expect(cells.columnNames).toEqual(["id", "cellarr_sample", "cellarr_cell_index_in_sample"]);
    expect(cells.columnNames.map((name) => valuesOf(cells, name)[1])).toEqual(["c31", "sample_2", "1"]);
    await expect(build({ files, cellMetadata: "id\nx\n", ...floats })).rejects.toThrow(
      "cell metadata has 1 rows, expected one for each of 40 cells",
    );
  });
});

describe("options", () => {
  it("name arrays and attributes, and give dimensions their types", async () => {
    const outputPath = place();
    const dataset = await build({
      outputPath,
      files: twoExperiments(),
      geneAnnotationOptions: { tiledbStoreName: "genes", dtype: "int32" },
      cellMetadataOptions: { tiledbStoreName: "cells", dtype: "uint64" },
      sampleMetadataOptions: { tiledbStoreName: "samples", dtype: "uint8" },
      matrixOptions: { tiledbStoreName: "values", matrixAttrName: "count", dtype: "float64" },
    });
    expect(dataset.matrixNames).toEqual(["values"]);
    const { schema } = await openArray({ store: outputPath.store, path: "store/assays/values" });
    expect(schema.dimensions.map(({ name, datatype }) => [name, datatype])).toEqual([
      ["cell_index", "uint64"],
      ["gene_index", "int32"],
    ]);
    expect(schema.attributes.map(({ name, datatype }) => [name, datatype])).toEqual([["count", "float64"]]);
    const folders = await outputPath.store.list("store", { recursive: false });
    expect(folders.map(({ key }) => key.slice(6))).toEqual([
      "assays",
      "assays_by_gene",
      "cells",
      "genes",
      "samples",
    ]);
    const dtype = "float32" as IndexType;
    await expect(build({ files: twoExperiments(), sampleMetadataOptions: { dtype } })).rejects.toThrow(
      "dtype of samples: 'float32'",
    );
  });

  it("skip parts, which a later build adds", async () => {
    const outputPath = place();
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    const skip = { skip: true };
    const [counts, twice] = [{ matrixName: "counts" }, { matrixName: "twice" }];
    await buildCellArrStores({
      outputPath,
      files,
      sampleMetadataOptions: skip,
      matrixOptions: [counts, { ...twice, skip: true }],
    });
    await expect(CellArrDataset.open(outputPath)).rejects.toThrow("'sample_metadata' is not there");
    await buildCellArrStores({
      outputPath,
      files,
      geneAnnotationOptions: skip,
      cellMetadataOptions: skip,
      matrixOptions: [{ ...counts, skip: true }, twice],
    });
    const dataset = await CellArrDataset.open(outputPath);
    expect(await allRows(dataset, "counts")).toEqual([[1]]);
    expect(await allRows(dataset, "twice")).toEqual([[2]]);
  });

  it("leave fragments per file with optimize: false", async () => {
    const outputPath = place();
    await build({ outputPath, files: twoExperiments(), ...floats, optimize: false });
    const at = { store: outputPath.store, path: "store/assays/counts" };
    expect((await openArray(at)).fragments.length).toBe(2);
  });
});

describe("bad input", () => {
  it("names file, cell, gene, value and type of a value that does not fit", async () => {
    const cells = ["AAA", "CCC"];
    const misfit = (value: number) =>
      build({
        files: [
          experiment({ genes: ["x"], rows: [[1]] }),
          experiment({
            genes: ["z", "y"],
            rows: [
              [1, 1],
              [1, value],
            ],
            cells,
          }),
        ],
      });
    for (const [value, text] of [
      [70000, "70000"],
      [1.5, "1.5"],
      [-1, "-1"],
      [Number.NaN, "NaN"],
    ] as const) {
      await expect(misfit(value)).rejects.toMatchObject({
        code: "VALUE",
        message: expect.stringMatching(
          new RegExp(`'counts': ${text} in cell 1 \\('CCC'\\) of gene 'y' does not fit uint16.*files\\[1\\]`),
        ),
      });
    }
  });

  it("rounds and clips when asked", async () => {
    const files = [experiment({ genes: ["a", "b", "c"], rows: [[1.5, 70000, -2]] })];
    const dataset = await build({ files, matrixOptions: { onMisfit: "round-clip" } });
    expect(await allRows(dataset)).toEqual([[2, 65535, 0]]);
  });

  it("names file, matrix and what is there when a matrix is missing", async () => {
    await expect(
      build({ files: twoExperiments(), matrixOptions: { matrixName: "log" } }),
    ).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/no matrix 'log'; there are: 'counts', 'twice'.*files\[0\]/),
    });
  });

  it.each([
    [{ files: [] }, "at least one is needed"],
    [{ numThreads: 0 }, "numThreads is 0"],
    [{ cellMetadataOptions: { dtype: "uint8" } }, undefined],
    [{ cellMetadataOptions: { dtype: "float32" } }, "dtype of cells: 'float32'"],
    [
      {
        geneAnnotationOptions: { dtype: "int8" },
        geneAnnotation: Array.from({ length: 200 }, (_, at) => `${at}`),
      },
      "int8 numbers 127 at most, there are 200",
    ],
    [{ cellMetadataOptions: { columnTypes: { x: "float16" } } }, "column 'x': unknown type 'float16'"],
  ] as unknown as [Partial<BuildOptions>, string | undefined][])("refuses %j", async (options, message) => {
    const attempt = build({ files: [experiment({ genes: ["a"], rows: [[1]] })], ...options });
    if (message === undefined) expect((await attempt).shape).toEqual([1, 1]);
    else
      await expect(attempt).rejects.toMatchObject({
        code: "ARGUMENT",
        message: expect.stringContaining(message),
      });
  });

  it("refuses a store that is there, and replaces it when told", async () => {
    const outputPath = place();
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    await build({ outputPath, files, matrixOptions: [{}, { matrixName: "twice" }] });
    await expect(build({ outputPath, files })).rejects.toMatchObject({ code: "EXISTS" });
    expect(await allRows(await CellArrDataset.open(outputPath))).toEqual([[1]]);
    await build({ outputPath, files: [experiment({ genes: ["b"], rows: [[2], [3]] })], overwrite: true });
    const replaced = await CellArrDataset.open(outputPath);
    expect(replaced.matrixNames).toEqual(["counts"]);
    expect(await allRows(replaced)).toEqual([[2], [3]]);
  });

  it("leaves nothing behind a build that fails or is aborted", async () => {
    const good = experiment({ genes: ["a"], rows: [[1], [2]] });
    const bad = experiment({ genes: ["a"], rows: [[1], [-2]] });
    const outputPath = place();
    await outputPath.store.put("store/notes.txt", Uint8Array.of(1));
    await expect(build({ outputPath, files: [good, bad] })).rejects.toMatchObject({ code: "VALUE" });
    const aborting = new AbortController();
    const onProgress = ({ step }: BuildProgress) => {
      if (step === "matrix") aborting.abort();
    };
    const aborted = build({ outputPath, files: [good, good], onProgress, signal: aborting.signal });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect((await outputPath.store.list("")).map(({ key }) => key)).toEqual(["store/notes.txt"]);
  });

  it("does not keep a store that opens while it is being built", async () => {
    const outputPath = place();
    const opened: boolean[] = [];
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    const store = outputPath.store;
    const put = store.put.bind(store);
    store.put = async (...args) => {
      const opens = await CellArrDataset.open({ store, path: "store" }).then(
        () => true,
        () => false,
      );
      opened.push(opens);
      return put(...args);
    };
    await build({ outputPath, files });
    expect(opened.length).toBeGreaterThan(10);
    // The last array that is written makes the store complete; its rows come with the last commit.
    expect(opened.slice(0, -4)).not.toContain(true);
  });
});

describe("empty parts", () => {
  it("builds files without cells, without genes, and nothing but those", async () => {
    const empty = experiment({ genes: ["q"], rows: [] });
    const dataset = await build({ files: [empty, experiment({ genes: [], rows: [[], []] }), empty] });
    expect(dataset.shape).toEqual([2, 1]);
    expect(await allRows(dataset)).toEqual([[0], [0]]);
    const samples = await sampleFrame(dataset);
    expect(valuesOf(samples, "cellarr_sample_end_index")).toEqual(["-1", "1", "1"]);
    expect((await dataset.getCellsForSample(0)).shape).toEqual([0, 1]);
    expect((await dataset.getCellsForSample("sample_2")).shape).toEqual([2, 1]);
    expect((await build({ files: [empty] })).shape).toEqual([0, 1]);
    expect((await build({ files: [experiment({ genes: [], rows: [] })] })).shape).toEqual([0, 0]);
  });
});

describe("progress", () => {
  it("names every step and ends at its total", async () => {
    const events: BuildProgress[] = [];
    await build({ files: twoExperiments(), ...floats, onProgress: (event) => events.push(event) });
    const last = new Map(events.map((event) => [event.step, `${event.item} ${event.done}/${event.total}`]));
    expect([...last.keys()]).toEqual([
      "scan",
      "matrix",
      "gene_major",
      "gene_annotation",
      "cell_metadata",
      "sample_metadata",
    ]);
    expect(last.get("matrix")).toBe("counts 40/40");
    expect(last.get("cell_metadata")).toBe("cell_metadata 40/40");
    expect(last.get("sample_metadata")).toBe("sample_metadata 2/2");
  });
});
