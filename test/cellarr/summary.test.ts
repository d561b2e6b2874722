import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import type { BuildOptions } from "../../src/cellarr/build/options.js";
import type { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { CellTotals } from "../../src/cellarr/summary/cell-totals.js";
import { type GeneColumns, geneTotals } from "../../src/cellarr/summary/gene-totals.js";
import { summaryNames } from "../../src/cellarr/summary/summary-names.js";
import type { MatrixDtype } from "../../src/h5ad/matrix.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { columnValues } from "../../src/util/frame.js";
import { denseRows, experiment, frame, numbers, twoExperiments, valuesOf } from "./samples.js";

/** The plain way, over dense rows: two passes, no shortcut. */
function slowColumns(rows: readonly (readonly number[])[], genes: number): GeneColumns {
  const column = (gene: number) => rows.map((row) => row[gene]!);
  const total = (gene: number) => column(gene).reduce((sum, value) => sum + value, 0);
  const mean = (gene: number) => total(gene) / rows.length;
  const variance = (gene: number) =>
    column(gene).reduce((sum, value) => sum + (value - mean(gene)) ** 2, 0) / (rows.length - 1);
  const all = Array.from({ length: genes }, (_, gene) => gene);
  return {
    total: Float64Array.from(all, total),
    mean: Float64Array.from(all, mean),
    variance: Float64Array.from(all, variance),
    detected: Uint32Array.from(all, (gene) => column(gene).filter((value) => value !== 0).length),
  };
}

/** Cells of dense rows, every third zero among them. */
function cellsOf(rows: readonly (readonly number[])[]) {
  const stored = rows.flatMap((row, cell) =>
    row.flatMap((value, gene) =>
      value === 0 && (cell + gene) % 3 > 0 ? [] : [[cell, gene, value] as const],
    ),
  );
  return {
    cells: Uint32Array.from(stored, ([cell]) => cell),
    genes: Uint32Array.from(stored, ([, gene]) => gene),
    values: Float64Array.from(stored, ([, , value]) => value),
  };
}

function expectClose(found: GeneColumns, expected: GeneColumns): void {
  expect(found.detected).toEqual(expected.detected);
  for (const key of ["total", "mean", "variance"] as const) {
    for (const [gene, value] of expected[key].entries()) {
      const got = found[key][gene]!;
      if (Number.isNaN(value)) expect(got, key).toBeNaN();
      else
        expect(Math.abs(got - value), `${key} of ${gene}`).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(value)));
    }
  }
}

const wholes = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 65535 }));
const fractions = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -4000, max: 4000 }).map((value) => value / 64),
);

describe("totals of genes", () => {
  it.each([
    ["uint16", wholes],
    ["float32", fractions],
    ["int32", wholes],
  ] as [MatrixDtype, fc.Arbitrary<number>][])(
    "of %s are those of two passes, also when gone on with",
    (dtype, value) => {
      const genes = 4;
      const tables = fc.array(fc.array(value, { minLength: genes, maxLength: genes }), {
        minLength: 1,
        maxLength: 12,
      });
      fc.assert(
        fc.property(tables, fc.nat(12), (rows, cut) => {
          const expected = slowColumns(rows, genes);
          const once = geneTotals(dtype, genes);
          const all = cellsOf(rows);
          once.add(all.genes, all.values);
          expectClose(once.columns(rows.length), expected);
          const first = rows.slice(0, cut);
          if (first.length === 0 || first.length === rows.length) return;
          const before = geneTotals(dtype, genes - 1);
          const three = cellsOf(first.map((row) => row.slice(0, genes - 1)));
          before.add(three.genes, three.values);
          const resumed = geneTotals(dtype, genes, {
            columns: before.columns(first.length),
            cellCount: first.length,
          });
          const others = cellsOf([
            ...first.map((row) => [0, 0, 0, row[genes - 1]!]),
            ...rows.slice(first.length),
          ]);
          resumed.add(others.genes, others.values);
          expectClose(resumed.columns(rows.length), expected);
        }),
      );
    },
  );

  it("lose nothing of a small variance of large counts", () => {
    const totals = geneTotals("uint16", 1);
    const values = Float64Array.from({ length: 100_000 }, (_, cell) => 65000 + (cell === 7 ? 1 : 0));
    totals.add(new Uint32Array(values.length), values);
    const { variance } = totals.columns(values.length);
    expect(variance[0]).toBeCloseTo(1e-5, 12);
    const floats = geneTotals("float64", 1);
    floats.add(new Uint32Array(values.length), values);
    expect(floats.columns(values.length).variance[0]).toBeCloseTo(1e-5, 10);
  });

  it("of one cell have no variance, of a NaN nothing but that", () => {
    const totals = geneTotals("float32", 2);
    totals.add(Uint32Array.of(0, 1), Float32Array.of(3, Number.NaN));
    const one = totals.columns(1);
    expect([...one.mean, ...one.variance]).toEqual([3, Number.NaN, Number.NaN, Number.NaN]);
    const more = geneTotals("float32", 2, { columns: one, cellCount: 1 });
    more.add(Uint32Array.of(0), Float32Array.of(5));
    const two = more.columns(2);
    expect([...two.variance]).toEqual([2, Number.NaN]);
    expect([...two.detected]).toEqual([2, 1]);
  });
});

describe("totals of cells", () => {
  it("go on where a block cuts a cell in two", () => {
    const totals = new CellTotals(10, 3);
    totals.add(Uint32Array.of(10, 10, 12), Float32Array.of(1, 0, 4));
    totals.add(Uint32Array.of(12, 12), Float32Array.of(0.5, -1));
    expect([...totals.total]).toEqual([1, 0, 3.5]);
    expect([...totals.detected]).toEqual([1, 0, 3]);
  });
});

function build(options: Omit<BuildOptions, "outputPath">) {
  return buildCellArrDataset({ outputPath: { store: new MemoryStore(), path: "store" }, ...options });
}

async function expectSummaries(dataset: CellArrDataset): Promise<void> {
  const part = await dataset.get(slice());
  for (const [name, matrix] of part.matrices) {
    const rows = denseRows(matrix);
    const names = summaryNames(name);
    const cell = (column: string) => columnValues(part.cellMetadata.columns.get(column)!);
    expect(cell(names.cells.total)).toEqual(rows.map((row) => row.reduce((sum, value) => sum + value, 0)));
    expect(cell(names.cells.detected)).toEqual(rows.map((row) => row.filter((value) => value !== 0).length));
    const column = (of: string) => part.geneAnnotation.columns.get(of) as { values: Float64Array };
    const { total, mean, variance, detected } = names.genes;
    expectClose(
      {
        total: column(total).values,
        mean: column(mean).values,
        variance: column(variance).values,
        detected: Uint32Array.from(column(detected).values),
      },
      slowColumns(rows, dataset.shape[1]),
    );
  }
}

describe("summaries of a store", () => {
  const matrixOptions = [
    { dtype: "float32" },
    { matrixName: "twice", tiledbStoreName: "two of them", dtype: "float64" },
  ] as const;

  it.each([
    { optimize: true, numThreads: 1 },
    { optimize: true, numThreads: 2 },
    { optimize: false, numThreads: 3 },
  ])("are those of its matrices: %o", async (how) => {
    const empty = experiment({ genes: ["gene_3"], rows: [] });
    const files = [
      ...twoExperiments(),
      empty,
      experiment({
        genes: ["gene_2", "other"],
        rows: [
          [0, 0],
          [5, -5],
        ],
      }),
    ];
    const dataset = await build({ files, matrixOptions, ...how });
    await expectSummaries(dataset);
    const found = await dataset.get(
      "cellarr_counts_total == 0 and cellarr_counts_detected == 2",
      "cellarr_counts_mean < 0",
    );
    expect([...found.cellIndices]).toEqual([41]);
    expect(valuesOf(found.geneAnnotation, "cellarr_gene_index")).toEqual(["other"]);
  });

  it("stand beside given tables, and in place of older ones", async () => {
    const files = [
      experiment({
        genes: ["a", "b"],
        rows: [
          [1, 2],
          [0, 4],
          [5, 0],
        ],
      }),
    ];
    const dataset = await build({
      files,
      geneAnnotation: frame(["b", "a"], { cellarr_counts_mean: numbers(7, 7), length: numbers(1, 2) }),
      cellMetadata: frame(["0", "1", "2"], { id: ["x", "y", "z"], cellarr_counts_total: numbers(9, 9, 9) }),
    });
    await expectSummaries(dataset);
    expect(dataset.getGeneAnnotationColumns().slice(0, 2)).toEqual(["length", "cellarr_gene_index"]);
    expect(dataset.getCellMetadataColumns()).toEqual([
      "id",
      "cellarr_sample",
      "cellarr_cell_index_in_sample",
      "cellarr_counts_total",
      "cellarr_counts_detected",
    ]);
    expect(columnValues(await dataset.getCellMetadataColumn("id"))).toEqual(["x", "y", "z"]);
  });

  it("are left out when asked, and with Python's metadata", async () => {
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    const columns = async (options: Partial<BuildOptions>) => {
      const dataset = await build({ files, ...options });
      return [...dataset.getCellMetadataColumns(), ...dataset.getGeneAnnotationColumns()];
    };
    const plain = ["cellarr_sample", "cellarr_cell_index_in_sample", "cellarr_gene_index"];
    expect(await columns({ summaries: false })).toEqual(plain);
    expect(await columns({ metadata: "python" })).toEqual(plain);
    expect(await columns({ layout: "python" })).toEqual(plain);
    expect((await columns({ layout: "python", summaries: true })).length).toBe(9);
  });

  it("leave no temporary file", async () => {
    const store = new MemoryStore();
    const files = twoExperiments();
    await buildCellArrDataset({ outputPath: { store, path: "store" }, files, matrixOptions });
    const keys = (await store.list("")).map(({ key }) => key);
    expect(keys.filter((key) => key.includes("building") || key.includes("totals"))).toEqual([]);
  });
});

describe("names of summaries", () => {
  it("can stand in conditions", () => {
    expect(summaryNames("log-norm (β)").genes.variance).toBe("cellarr_log_norm__β__variance");
  });

  it("must differ between matrices", async () => {
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    const matrixOptions = [{ tiledbStoreName: "a-b" }, { matrixName: "twice", tiledbStoreName: "a_b" }];
    await expect(build({ files, matrixOptions })).rejects.toThrow(
      "summaries of the matrices 'a-b' and 'a_b' would both be called 'cellarr_a_b_total'",
    );
    expect((await build({ files, matrixOptions, summaries: false })).matrixNames).toEqual(["a-b", "a_b"]);
  });
});
