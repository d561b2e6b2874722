import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { MatrixReader } from "../../src/cellarr/matrix-reader.js";
import {
  AnnData,
  type BuildOptions,
  buildCellArrDataset,
  CellArrDataset,
  columnLength,
  type Frame,
  MemoryStore,
  slice,
} from "../../src/node.js";
import { bucketFetch } from "../support/bucket-fetch.js";
import { temporaryFolder } from "../support/temporary.js";
import { denseRows, frame, matrixOf, numbers, type Rows, valuesOf } from "./samples.js";

/**
 * The tests of Python cellarr 0.3.2 and 0.6.1, case by case under their names, with the sizes that they have:
 * 1,000 cells of 100 genes and 100 cells of 1,000 genes, whose values are drawn at random and none of which is zero.
 */

const SIZES = [
  [1000, 100],
  [100, 1000],
] as const;

function generateAdata(cells: number, genes: number, storage: "csr" | "csc" | "dense" = "dense"): AnnData {
  const rows: Rows = Array.from({ length: cells }, (_, cell) =>
    Array.from({ length: genes }, (_, gene) =>
      Math.fround((((cell * 7919 + gene * 104729) % 1999) - 999.5) / 8),
    ),
  );
  const names = Array.from({ length: genes }, (_, gene) => `gene_${gene + 1}`);
  return new AnnData({
    obs: frame(
      rows.map((_, cell) => String(cell)),
      { cells: rows.map((_, cell) => `cell1_${cell + 1}`) },
    ),
    var: frame(names, { names }),
    layers: { counts: matrixOf(rows, genes, storage) },
  });
}

let adata1: AnnData;
let adata2: AnnData;
beforeAll(() => {
  [adata1, adata2] = SIZES.map(([cells, genes]) => generateAdata(cells, genes)) as [AnnData, AnnData];
});

async function build(options: Partial<BuildOptions> = {}): Promise<CellArrDataset> {
  const outputPath = { store: new MemoryStore(), path: "store" };
  return buildCellArrDataset({
    outputPath,
    files: [adata1, adata2],
    matrixOptions: { dtype: "float32" },
    geneMajor: false,
    metadata: "python",
    ...options,
  });
}

const GENES = ["gene_1", "gene_95", "gene_50"];

/** Values of a row of a file for those genes, in the order of the store. */
function valuesIn(adata: AnnData, row: number, genes: readonly string[]): number[] {
  const matrix = adata.layers.get("counts")!;
  const names = [...genes].sort();
  return names.map((name) => {
    const gene = Number(name.slice("gene_".length)) - 1;
    if (matrix.format === "dense") return Number(matrix.values[row * matrix.shape[1] + gene]);
    const [major, minor] = matrix.format === "csr" ? [row, gene] : [gene, row];
    for (let at = Number(matrix.indptr[major]); at < Number(matrix.indptr[major + 1]); at++) {
      if (Number(matrix.indices[at]) === minor) return Number(matrix.data[at]);
    }
    return 0;
  });
}

/** What each test of test_build.py asks of the stores. */
async function checkStores(dataset: CellArrDataset, files = [adata1, adata2]): Promise<void> {
  expect(await dataset.getGeneAnnotationIndex()).toHaveLength(1000);
  for (const [cell, file] of [
    [0, files[0]!],
    [1000, files[1]!],
  ] as const) {
    const part = await dataset.get(cell, GENES);
    expect(denseRows(part.matrix("counts"))).toEqual([valuesIn(file, 0, GENES)]);
  }
  expect(dataset.numberOfSamples).toBe(2);
  for (const column of [
    "cellarr_sample_start_index",
    "cellarr_sample_end_index",
    "cellarr_cell_counts",
    "cellarr_original_gene_set",
  ]) {
    expect(dataset.getSampleMetadataColumns()).toContain(column);
  }
  expect(dataset.numberOfCells).toBe(1100);
  expect(dataset.getCellMetadataColumns()).toEqual(
    expect.arrayContaining(["cellarr_sample", "cellarr_cell_index_in_sample"]),
  );
}

const thousand = Array.from({ length: 1000 }, (_, gene) => `gene_${gene + 1}`);
const annotation = (columns: Parameters<typeof frame>[1] = {}): Frame =>
  frame(thousand, { names: thousand, ...columns });

describe("test_build.py", () => {
  it("test_build_cellarrdataset", async () => checkStores(await build()));

  it("test_build_cellarrdataset_with_threads", async () => checkStores(await build({ numThreads: 2 })));

  it("test_build_cellarrdataset_from_file", async () => {
    const folder = await temporaryFolder();
    const [genes, samples] = [join(folder, "gene_anno.csv"), join(folder, "sample_meta.csv")];
    await writeFile(genes, `,names\n${thousand.map((name) => `${name},${name}`).join("\n")}\n`);
    await writeFile(samples, ",samples\n0,sample1\n1,sample2\n");
    await checkStores(await build({ geneAnnotation: genes, sampleMetadata: samples }));
  });

  it("test_build_cellarrdataset_from_frame", async () => {
    const sampleMetadata = frame(["0", "1"], { samples: ["sample1", "sample2"] });
    await checkStores(await build({ geneAnnotation: annotation(), sampleMetadata }));
  });

  it("test_build_cellarrdataset_from_frame_with_types", async () => {
    const sampleMetadata = frame(["0", "1"], {
      samples: ["jkanche", "ltla"],
      sample_index: numbers(1, 2),
      sample_age: numbers(36.3, 35.05),
      sample_country: ["india", "australia"],
    });
    const dataset = await build({
      geneAnnotation: annotation({ numerical_index: numbers(...thousand.map((_, at) => at % 10)) }),
      sampleMetadata,
      sampleMetadataOptions: {
        columnTypes: { samples: "ascii", sample_index: "int", sample_age: "float", sample_country: "str" },
      },
      geneAnnotationOptions: { columnTypes: { names: "ascii", numerical_index: "int" } },
    });
    await checkStores(dataset);
    const samples = await dataset.getSampleSubset(slice());
    expect(valuesOf(samples, "sample_age")).toEqual([36.3, 35.05]);
    expect(valuesOf(samples, "sample_index")).toEqual([1n, 2n]);
    expect(samples.columns.size).toBe(9);
  });

  it("test_build_cellarrdataset_from_frame_containing_nan", async () => {
    const sampleMetadata = () =>
      frame(["0", "1"], { samples: ["sample1", "sample2"], some_meta: numbers(10, Number.NaN) });
    const typed = await build({
      geneAnnotation: annotation(),
      sampleMetadata: sampleMetadata(),
      sampleMetadataOptions: { columnTypes: { samples: "ascii", some_meta: "float" } },
    });
    expect(valuesOf(await typed.getSampleSubset(slice()), "some_meta")).toEqual([10, Number.NaN]);
    const untyped = await build({
      geneAnnotation: annotation(),
      sampleMetadata: sampleMetadata(),
      sampleMetadataOptions: { columnTypes: { samples: "ascii" } },
    });
    expect(untyped.getSampleMetadataColumns()).toContain("some_meta");
    expect(String(valuesOf(await untyped.getSampleSubset(0), "some_meta")[0])).toMatch(/^10(\.0)?$/);
  });

  it("test_build_cellarrdataset_from_frame_withsubset_columns", async () => {
    const dataset = await build({
      geneAnnotation: annotation(),
      cellMetadataOptions: { columnTypes: { cells: "ascii", notexists: "ascii" } },
    });
    expect(dataset.numberOfCells).toBe(1100);
    expect(dataset.getCellMetadataColumns().sort()).toEqual([
      "cellarr_cell_index_in_sample",
      "cellarr_sample",
      "cells",
      "notexists",
    ]);
  });

  it("test_with_sparse (0.6)", async () => {
    const files = [generateAdata(1000, 100, "csr"), generateAdata(100, 1000, "csc")];
    await checkStores(await build({ files }), files);
  });
});

/** The functions that these tests call are steps of a build here: what they give is in the store. */
describe("test_anndata_utils.py", () => {
  /** Ones on the diagonal; ten genes, each ten times. */
  function diagonal(): AnnData {
    const count = 100;
    const rows: Rows = Array.from({ length: count }, (_, cell) =>
      Array.from({ length: count }, (_, gene) => (gene === cell ? 1 : 0)),
    );
    const names = rows.map((_, gene) => `gene_${(gene % 10) + 1}`);
    return new AnnData({
      obs: frame(
        rows.map((_, cell) => String(cell)),
        { cells: rows.map((_, cell) => `cell1_${cell + 1}`) },
      ),
      var: frame(names, { names }),
      layers: { counts: matrixOf(rows, count, "dense") },
    });
  }
  const counts = async (options: Partial<BuildOptions>) => {
    const dataset = await build({ files: [diagonal()], ...options });
    return (await dataset.get(slice())).matrix("counts");
  };

  it("test_consolidate_symbols", async () => {
    const matrix = await counts({ matrixOptions: { consolidateDuplicateGeneFunc: "sum" } });
    expect(matrix.shape).toEqual([100, 10]);
    const second = denseRows(matrix).map((row) => row[1]!);
    expect(second.reduce((sum, value) => sum + value, 0)).toBe(10);
    const [first] = denseRows(matrix);
    expect(first).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("test_remap_anndata", async () => {
    const geneAnnotation = ["gene_1", "gene_2"];
    for (const featureColumn of ["index", "names"]) {
      const matrix = await counts({ geneAnnotation, geneAnnotationOptions: { featureColumn } });
      expect(matrix.shape).toEqual([100, 2]);
      expect(Array.from(matrix.data, Number)).toEqual(new Array(20).fill(1));
    }
    const strangers = await counts({ geneAnnotation: ["gene_10000", "gene_20000"] });
    expect(strangers.shape).toEqual([100, 2]);
    expect(strangers.data.length).toBe(0);
    const none = await counts({ geneAnnotation: [] });
    expect(none.shape).toEqual([100, 0]);
    expect(none.data.length).toBe(0);
  });

  it("test_extract_info", async () => {
    const dataset = await build({
      files: [diagonal()],
      cellMetadataOptions: { columnTypes: { cells: "ascii", notexists: "ascii" } },
    });
    const samples = await dataset.getSampleSubset(slice());
    expect(samples.rowCount).toBe(1);
    expect(String(valuesOf(samples, "cellarr_original_gene_set")[0]).split(",")).toHaveLength(100);
    expect(await dataset.getGeneAnnotationIndex()).toHaveLength(10);
    expect(await dataset.getSampleRanges()).toEqual([{ name: "sample_1", start: 0, end: 99 }]);
    const cells = await dataset.getCellSubset(slice(), ["cells", "notexists"]);
    expect(cells.rowCount).toBe(100);
    expect(valuesOf(cells, "cells")[99]).toBe("cell1_100");
    expect(new Set(valuesOf(cells, "notexists")).size).toBe(1);
  });
});

describe("test_query.py", () => {
  it("test_query_cellarrdataset", { timeout: 60_000 }, async () => {
    const dataset = await build();
    const first = await dataset.get(0, GENES);
    expect(first.matrix("counts").shape).toEqual([1, 3]);
    expect(denseRows(first.matrix("counts"))).toEqual([valuesIn(adata1, 0, GENES)]);
    const second = await dataset.get(1000, GENES);
    expect(second.matrix("counts").shape).toEqual([1, 3]);
    expect(denseRows(second.matrix("counts"))).toEqual([valuesIn(adata2, 0, GENES)]);

    expect(dataset.shape).toEqual([1100, 1000]);
    expect(dataset.length).toBe(1100);
    expect(dataset.getCellMetadataColumns()).toEqual(["cellarr_sample", "cellarr_cell_index_in_sample"]);
    expect(columnLength(await dataset.getCellMetadataColumn("cellarr_sample"))).toBe(1100);
    expect((await dataset.getCellSubset("cellarr_sample == 'sample_1'")).rowCount).toBe(1000);

    expect(dataset.getSampleMetadataColumns().sort()).toEqual([
      "cellarr_cell_counts",
      "cellarr_original_gene_set",
      "cellarr_sample",
      "cellarr_sample_end_index",
      "cellarr_sample_start_index",
    ]);
    expect(columnLength(await dataset.getSampleMetadataColumn("cellarr_sample"))).toBe(2);
    expect((await dataset.getSampleSubset("cellarr_sample == 'sample_1'")).rowCount).toBe(1);

    expect(dataset.getGeneAnnotationColumns()).toEqual(["cellarr_gene_index"]);
    expect(columnLength(await dataset.getGeneAnnotationColumn("cellarr_gene_index"))).toBe(1000);
    expect((await dataset.getGeneSubset("cellarr_gene_index == 'gene_1'")).rowCount).toBe(1);

    const some = await dataset.getSlice(slice(0, 100), GENES);
    expect(some.matrix("counts").shape).toEqual([101, 3]);
    expect(some.toAnnData().shape).toEqual([101, 3]);
    expect(some.toSummarizedExperiment().shape).toEqual([3, 101]);

    expect((await dataset.getCellsForSample(0)).toAnnData().shape).toEqual([1000, 1000]);
    expect((await dataset.getCellsForSample(1)).toAnnData().shape).toEqual([100, 1000]);

    const sizes: [string, number][] = [];
    for await (const [name, sample] of dataset.iterSamples())
      sizes.push([name, sample.cellMetadata.rowCount]);
    expect(sizes).toEqual([
      ["sample_1", 1000],
      ["sample_2", 100],
    ]);

    let cells = 0;
    for await (const [cell, values] of dataset.iterCells()) {
      expect(cell).toBe(cells++);
      expect(values.length).toBe(1);
      // Around the ends of the blocks in which they are read.
      if (![0, 255, 256, 511, 512, 1099].includes(cell)) continue;
      expect(values).toEqual(await dataset.getSlice(cell));
    }
    expect(cells).toBe(1100);

    // 0.6: cd[1,] and cd[:, 1]
    expect((await dataset.get(1)).shape).toEqual([1, 1000]);
    expect((await dataset.get(slice(), 1)).shape).toEqual([1100, 1]);
  });

  it("test_query_cellarrdataset_full_path (0.6)", async () => {
    const folder = join(await temporaryFolder(), "store");
    await build({ outputPath: folder });
    const assay = join(folder, "assays", "counts");
    const dataset = await CellArrDataset.initializeFromPaths({
      geneAnnotationUri: join(folder, "gene_annotation"),
      cellMetadataUri: join(folder, "cell_metadata"),
      sampleMetadataUri: join(folder, "sample_metadata"),
      assayUri: assay,
    });
    const part = await dataset.get(0, GENES);
    expect(part.matrix(assay).shape).toEqual([1, 3]);
    expect(denseRows(part.matrix(assay))).toEqual([valuesIn(adata1, 0, GENES)]);
  });
});

describe("test_qutils_dense.py (0.6)", () => {
  it("test_query_cellarrdataset", async () => {
    const place = join(await temporaryFolder(), "dense");
    const dimension = (name: string) => ({ name, datatype: "int32", domain: [0, 3], tileExtent: 2 }) as const;
    await createArray(place, {
      arrayType: "dense",
      dimensions: [dimension("cell_index"), dimension("gene_index")],
      attributes: [{ name: "data", datatype: "int32" }],
    });
    const box = [
      [0, 3],
      [0, 3],
    ] as const;
    await writeDense(place, box, { data: Int32Array.from({ length: 16 }, (_, at) => at + 1) });
    const matrix = new MatrixReader(await openArray(place));
    const total = { cells: 4, genes: 4 };
    // Python's slice(0, 2) of a dense array leaves out its end, those of ours and of sparse arrays do not.
    const part = await matrix.read(Uint32Array.of(0, 1), Uint32Array.of(0, 1, 2, 3), total);
    expect(part.shape).toEqual([2, 4]);
    expect(denseRows(part)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
  });
});

describe("test_custom_config.py", () => {
  it("test_custom_config_cellarrdataset: settings reach every part", async () => {
    const store = new MemoryStore();
    await build({ outputPath: { store, path: "lab/store" } });
    const config = {
      "sm.memory_budget": "100000000000",
      "vfs.s3.endpoint_override": "objects.example",
      "vfs.s3.region": "here",
      "vfs.s3.use_virtual_addressing": false,
      "vfs.s3.no_sign_request": true,
    };
    const hosts = new Set<string>();
    for (const given of [
      config,
      Object.entries(config).map(([name, value]) => [name, String(value)] as const),
    ]) {
      const storage = { config: given, fetch: bucketFetch(store, hosts) };
      const dataset = await CellArrDataset.open("s3://bucket/lab/store", { storage });
      expect(dataset.shape).toEqual([1100, 1000]);
      const part = await dataset.get(1000, GENES);
      expect(denseRows(part.matrix("counts"))).toEqual([valuesIn(adata2, 0, GENES)]);
      expect(await dataset.getSampleMetadataIndex()).toEqual(["sample_1", "sample_2"]);
    }
    expect([...hosts]).toEqual(["objects.example"]);
    const misspelt = { config: { "vfs.s3.endpoint_overide": "x" }, fetch: bucketFetch(store, hosts) };
    await expect(CellArrDataset.open("s3://bucket/lab/store", { storage: misspelt })).rejects.toMatchObject({
      code: "ARGUMENT",
    });
  });
});

describe("test_dataloader.py", () => {
  it("test_dataloader: the store that it reads", async () => {
    const file = (cells: number, genes: number, study: string, sample: string): [AnnData, string[][]] => {
      const adata = generateAdata(cells, genes, "csr");
      return [adata, Array.from({ length: cells }, (_, cell) => [study, sample, `label_${cell % 10}`])];
    };
    const files = [
      file(1000, 100, "test1", "a"),
      file(100, 1000, "test2", "b"),
      file(100, 100, "test3", "c"),
      file(1000, 100, "test4", "d"),
    ];
    const obs = files.flatMap(([, rows]) => rows);
    const column = (at: number) => obs.map((row) => row[at]!);
    const dataset = await build({
      files: files.map(([adata]) => adata),
      sampleMetadata: frame(["0", "1", "2", "3"], {
        study: ["test1", "test2", "test3", "test4"],
        cellarr_sample: ["a", "b", "c", "d"],
      }),
      cellMetadata: frame(
        obs.map((_, row) => String(row)),
        { study: column(0), cellarr_sample: column(1), label: column(2) },
      ),
    });
    expect(dataset.shape).toEqual([2200, 1000]);
    expect(await dataset.getSampleMetadataIndex()).toEqual(["a", "b", "c", "d"]);
    const training = await dataset.getCellSubset("study != 'test3'", ["study", "label", "cellarr_sample"]);
    expect(training.rowCount).toBe(2100);
    expect(new Set(valuesOf(training, "study"))).toEqual(new Set(["test1", "test2", "test4"]));
    expect((await dataset.getCellsForSample("c")).length).toBe(100);
  });
});
