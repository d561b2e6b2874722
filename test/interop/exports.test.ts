import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableToIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import {
  type AnnData,
  buildCellArrDataset,
  CellArrDataset,
  CellArrDatasetSlice,
  type ExportOptions,
  exportDataset,
  Frame,
  type FrameColumn,
  MemoryStore,
  textColumn,
} from "../../src/node.js";
import { denseRows, experiment, matrixOf, numbers } from "../cellarr/samples.js";
import { hasPython, runPython } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

/** Exports, opened by the libraries that they are made for. */

const genes = ["g3", "g1", "µ-gene", 'g"4",x'];
const files: AnnData[] = [
  experiment({
    genes,
    rows: [
      [1, 0, 2, 0],
      [0, 0, 0, 0],
      [0, 300, 0, 7],
    ],
    obs: {
      tissue: ["lung", "naïve, 肝", 'say "a"'],
      depth: numbers(0.5, 1e300, -3),
      barcode: ["AA", "AC", "AG"],
    },
  }),
  experiment({
    genes: ["g1", "g3"],
    rows: [
      [5, 65535],
      [0, 9],
    ],
    obs: { tissue: ["lung", ""], depth: numbers(1, 2), barcode: ["CA", "CC"] },
  }),
];

/** Unordered, with repeats, cut into three blocks. */
const asked = {
  cells: [4, 0, 2, 1, 0],
  genes: ["g3", "µ-gene", "g1"],
  order: "asked",
  blockCells: 2,
} as const;

let folder = "";
let remove = async (): Promise<void> => {};
let dataset: CellArrDataset;
let part: CellArrDatasetSlice;
const exported: Record<string, unknown> = {};

interface Column {
  readonly kind: string;
  readonly values: unknown[];
}
type Columns = Record<string, Column>;

/** A slice with columns of every kind, missing values among them. */
function oddSlice(): CellArrDatasetSlice {
  const validity = Uint8Array.of(1, 0, 1);
  const columns = new Map<string, FrameColumn>([
    [
      "category",
      {
        kind: "categorical",
        codes: Int32Array.of(1, -1, 0),
        categories: textColumn(["b", "ä"]),
        ordered: true,
      },
    ],
    [
      "group",
      {
        kind: "categorical",
        codes: Int32Array.of(0, 0, 1),
        categories: { kind: "numeric", values: Int32Array.of(7, 8) },
        ordered: false,
      },
    ],
    ["flag", { kind: "boolean", values: Uint8Array.of(1, 0, 0), validity }],
    ["plain_flag", { kind: "boolean", values: Uint8Array.of(1, 0, 0) }],
    ["count", { kind: "numeric", values: Int32Array.of(-(2 ** 31), 0, 5), validity }],
    ["small", { kind: "numeric", values: Uint8Array.of(255, 0, 5), validity }],
    ["wide", { kind: "numeric", values: BigInt64Array.of(2n ** 60n, 1n, -1n) }],
    ["exact", { kind: "numeric", values: BigUint64Array.of(2n ** 40n, 1n, 0n) }],
    ["score", { kind: "numeric", values: Float64Array.of(Number.NaN, 0, 1.5), validity }],
    ["unsigned", { kind: "numeric", values: Uint32Array.of(2 ** 32 - 1, 0, 1) }],
    ["text", textColumn(["NA", null, ""])],
  ]);
  return new CellArrDatasetSlice({
    cellMetadata: new Frame(textColumn(["2", "0", "1"]), columns),
    geneAnnotation: new Frame(textColumn(["a", "b"]), new Map()),
    matrices: new Map(
      [
        ["big", BigInt64Array],
        ["real", Float32Array],
        ["unsigned", Uint32Array],
      ].map(([name, type]) => {
        const matrix = matrixOf(
          [
            [1, 0],
            [0, 0],
            [2, 3],
          ],
          2,
        );
        if (matrix.format === "dense") throw new Error("sparse expected");
        const data =
          type === BigInt64Array
            ? BigInt64Array.of(1n, 2n, 2n ** 40n)
            : type === Float32Array
              ? Float32Array.of(0.5, -1, 3)
              : Uint32Array.of(1, 2, 2 ** 32 - 1);
        return [name as string, { ...matrix, data }];
      }),
    ),
    cellIndices: Uint32Array.of(2, 0, 1),
    geneIndices: Uint32Array.of(0, 1),
  });
}

async function exportAll(): Promise<{ kind: string; name: string; path: string }[]> {
  const made: { kind: string; name: string; path: string }[] = [];
  const make = async (
    name: string,
    kind: string,
    from: CellArrDataset | CellArrDatasetSlice,
    options: ExportOptions,
  ) => {
    const path = join(folder, name);
    await exportDataset(from, path, options);
    made.push({ kind, name, path });
  };
  await make("a.h5ad", "h5ad", dataset, { ...asked, format: "h5ad" });
  await make("se", "summarized_experiment", dataset, { ...asked, format: "summarized-experiment" });
  await make("tenx", "10x", dataset, { ...asked, format: "10x", matrices: ["counts"] });
  const named = { format: "10x", matrices: ["twice"], barcodes: "barcode", symbols: "symbol" } as const;
  await make("tenx-named", "10x", dataset, named);
  await make("arrow", "arrow", dataset, { ...asked, format: "arrow" });
  await make("csv", "csv", dataset, { ...asked, format: "csv" });
  await make("csv-long", "csv", dataset, { ...asked, format: "csv", layout: "long" });
  await make("none.h5ad", "h5ad", dataset, { format: "h5ad", cells: [], genes: ["g1"] });
  await make("se-none", "summarized_experiment", dataset, { format: "summarized-experiment", cells: [] });
  await make("arrow-none", "arrow", dataset, { format: "arrow", cells: [] });
  const odd = oddSlice();
  await make("odd.h5ad", "h5ad", odd, { format: "h5ad", blockCells: 2 });
  await make("odd-se", "summarized_experiment", odd, { format: "summarized-experiment", blockCells: 2 });
  await make("odd-arrow", "arrow", odd, { format: "arrow", blockCells: 2 });
  made.push({ kind: "h5ad_backed", name: "backed", path: join(folder, "a.h5ad") });
  const table = join(folder, "table.arrows");
  await writeFile(table, tableToIPC(await enumeratedTable(), "stream"));
  made.push({ kind: "arrow_stream", name: "table", path: table });
  return made;
}

/** Cell metadata of a store with an enumerated column, where a condition holds. */
async function enumeratedTable() {
  const store = new MemoryStore();
  await buildCellArrDataset({
    files: [experiment({ genes: ["a"], rows: [[1], [2], [3]] })],
    outputPath: { store, path: "s" },
  });
  const location = { store, path: "s/cell_metadata" };
  await createArray(
    location,
    {
      arrayType: "dense",
      dimensions: [{ name: "rows", datatype: "int64", domain: [0n, 2n], tileExtent: 2n }],
      attributes: [
        { name: "tissue", datatype: "int8", enumeration: "tissues" },
        { name: "depth", datatype: "float64" },
      ],
      enumerations: [{ name: "tissues", values: ["lung", "leber"] }],
    },
    { overwrite: true },
  );
  await writeDense(location, [[0n, 2n]], { tissue: Int8Array.of(1, 0, 1), depth: Float64Array.of(1, 2, 3) });
  const opened = await CellArrDataset.open({ store, path: "s" });
  return opened.getCellTable("tissue == 'leber' and depth > 1");
}

describe.skipIf(!hasPython)("exports", () => {
  beforeAll(async () => {
    const kept = await keptFolder();
    folder = kept.path;
    remove = kept.remove;
    dataset = await buildCellArrDataset({
      files,
      outputPath: join(folder, "store"),
      geneAnnotation: new Frame(
        textColumn(["g1", "g3", "µ-gene", 'g"4",x']),
        new Map([
          ["cellarr_gene_index", textColumn(["g1", "g3", "µ-gene", 'g"4",x'])],
          ["symbol", textColumn(["S1", "S3", "Sµ", "S4"])],
        ]),
      ),
      geneAnnotationOptions: { columnTypes: { symbol: "utf8" } },
      cellMetadataOptions: { columnTypes: { tissue: "utf8", depth: "float64", barcode: "ascii" } },
      matrixOptions: [
        { matrixName: "counts", dtype: "uint16" },
        { matrixName: "twice", dtype: "float32" },
      ],
    });
    part = await dataset.getSlice(asked.cells, asked.genes, { order: "asked" });
    const made = await exportAll();
    const read = (await runPython("read_exports.py", made, "exports")) as unknown[];
    for (const [at, { name }] of made.entries()) exported[name] = read[at];
  }, 240_000);
  afterAll(() => remove());

  const counts = () => denseRows(part.matrix("counts"));
  const tissues = ["", "lung", 'say "a"', "naïve, 肝", "lung"];

  it("is asked what it should be", () => {
    expect(counts()).toEqual([
      [9, 0, 0],
      [1, 2, 0],
      [0, 0, 300],
      [0, 0, 0],
      [1, 2, 0],
    ]);
  });

  it("h5ad: anndata finds cells, genes, metadata and layers", () => {
    expect(exported["a.h5ad"]).toMatchObject({
      shape: [5, 3],
      cells: ["4", "0", "2", "1", "0"],
      genes: asked.genes,
      cellMetadata: {
        tissue: { values: tissues },
        depth: { kind: "float64", values: [2, 0.5, -3, 1e300, 0.5] },
      },
      geneAnnotation: { cellarr_gene_index: { values: asked.genes } },
      matrices: {
        counts: { dtype: "uint16", rows: counts() },
        twice: { dtype: "float32", rows: counts().map((row) => row.map((value) => value * 2)) },
      },
    });
    expect(exported.backed).toEqual({ dtype: "uint16", rows: counts().slice(1, 3) });
    expect(exported["none.h5ad"]).toMatchObject({
      shape: [0, 1],
      matrices: { counts: { dtype: "uint16", rows: [] } },
    });
  });

  it("summarized experiment: dolomite validates it, and finds genes x cells", () => {
    const turned = [0, 1, 2].map((gene) => counts().map((row) => row[gene]));
    expect(exported.se).toMatchObject({
      class: "SummarizedExperiment",
      shape: [3, 5],
      genes: asked.genes,
      cells: ["4", "0", "2", "1", "0"],
      rowData: { cellarr_gene_index: { values: asked.genes } },
      columnData: {
        tissue: { values: tissues },
        depth: { kind: "float64", values: [2, 0.5, -3, 1e300, 0.5] },
      },
      assays: { counts: turned, twice: turned.map((row) => row.map((value) => value! * 2)) },
      dtypes: { counts: "uint16", twice: "float32" },
    });
    expect(exported["se-none"]).toMatchObject({ shape: [4, 0] });
  });

  it("10x: scanpy finds barcodes, features and values", () => {
    expect(exported.tenx).toMatchObject({
      shape: [5, 3],
      cells: ["4", "0", "2", "1", "0"],
      genes: asked.genes,
      symbols: asked.genes,
      types: ["Gene Expression", "Gene Expression", "Gene Expression"],
      matrix: { rows: counts() },
    });
  });

  it("arrow: pyarrow finds tables, batch by batch", () => {
    const columns = part.coo("counts");
    expect(exported.arrow).toMatchObject({
      cell_metadata: {
        batches: 3,
        types: { cell_index: "uint32", tissue: "string", depth: "double" },
        columns: { cell_index: [4, 0, 2, 1, 0], tissue: tissues, depth: [2, 0.5, -3, 1e300, 0.5] },
      },
      gene_annotation: { columns: { cellarr_gene_index: asked.genes } },
      counts: {
        batches: 3,
        types: { cell: "uint32", gene: "int32", value: "uint16" },
        columns: {
          cell: Array.from(columns.rows),
          gene: Array.from(columns.columns),
          value: Array.from(columns.data, Number),
        },
      },
      twice: { types: { value: "float" } },
    });
    expect(exported["arrow-none"]).toMatchObject({
      cell_metadata: { columns: { tissue: [] } },
      counts: { types: { value: "uint16" }, columns: { value: [] } },
    });
  });

  it("csv: pandas finds the same numbers and texts", () => {
    const dense = exported.csv as Record<string, Columns>;
    expect(Object.keys(dense.counts!)).toEqual(["cell", ...asked.genes]);
    expect(dense.counts!.cell!.values).toEqual([4, 0, 2, 1, 0]);
    for (const [at, gene] of asked.genes.entries()) {
      expect(dense.counts![gene]!.values).toEqual(counts().map((row) => row[at]));
    }
    expect(dense.cell_metadata!.depth!.values).toEqual([2, 0.5, -3, 1e300, 0.5]);
    expect(dense.cell_metadata!.tissue!.values.slice(1)).toEqual(tissues.slice(1));
    expect(dense.gene_annotation!.gene!.values).toEqual(asked.genes);
    expect((exported["csv-long"] as Record<string, Columns>).counts).toMatchObject({
      cell: { values: [4, 0, 0, 2, 0, 0] },
      gene: { values: ["g3", "g3", "µ-gene", "g1", "g3", "µ-gene"] },
      value: { values: [9, 1, 2, 300, 1, 2] },
    });
  });

  it("10x: columns of the metadata name cells and genes", () => {
    expect(exported["tenx-named"]).toMatchObject({
      cells: ["AA", "AC", "AG", "CA", "CC"],
      genes: ["g1", "g3", "µ-gene", 'g"4",x'],
      symbols: ["S1", "S3", "Sµ", "S4"],
    });
  });

  it("columns of every kind, missing values among them", () => {
    expect(exported["odd.h5ad"]).toMatchObject({
      cellMetadata: {
        category: { kind: "category", values: ["ä", "nan", "b"] },
        count: { kind: "Int32", values: [-(2 ** 31), null, 5] },
        wide: { kind: "int64", values: ["1152921504606846976", 1, -1] },
      },
    });
    expect(exported["odd-se"]).toMatchObject({
      columnData: {
        category: { kind: "ordered Factor", values: ["ä", null, "b"] },
        group: { kind: "Factor", values: ["7", "7", "8"] },
        flag: { values: [true, null, false] },
        plain_flag: { kind: "bool", values: [true, false, false] },
        count: { values: [-(2 ** 31), null, 5] },
        small: { values: [255, null, 5] },
        wide: { values: ["1152921504606846976", "1", "-1"] },
        exact: { kind: "float64", values: [2 ** 40, 1, 0] },
        score: { values: ["nan", null, 1.5] },
        unsigned: { values: [2 ** 32 - 1, 0, 1] },
        text: { values: ["NA", null, ""] },
      },
      assays: {
        big: [
          [1, 0, 2],
          [0, 0, 2 ** 40],
        ],
        real: [
          [0.5, 0, -1],
          [0, 0, 3],
        ],
        unsigned: [
          [1, 0, 2],
          [0, 0, 2 ** 32 - 1],
        ],
      },
    });
    expect(exported["odd-arrow"]).toMatchObject({
      cell_metadata: {
        batches: 2,
        types: {
          category: "dictionary<values=string, indices=int32, ordered=1>",
          flag: "bool",
          count: "int32",
        },
        columns: {
          category: ["ä", null, "b"],
          flag: [true, null, false],
          count: [-(2 ** 31), null, 5],
          score: ["nan", null, 1.5],
          text: ["NA", null, ""],
        },
      },
    });
  });

  it("cell metadata as an Arrow table: rows where a condition holds, categories as a dictionary", () => {
    expect(exported.table).toEqual({
      types: {
        cell_index: "uint32",
        tissue: "dictionary<values=string, indices=int32, ordered=0>",
        depth: "double",
      },
      columns: { cell_index: [2], tissue: ["leber"], depth: [3] },
    });
  });
});
