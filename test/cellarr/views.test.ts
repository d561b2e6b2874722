import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  takeMatrixColumns,
  toCoo,
  toCsc,
  toCsr,
  toDense,
  transposed,
} from "../../src/cellarr/matrix-views.js";
import { LimitError } from "../../src/errors.js";
import { checkMatrix, type SparseMatrix } from "../../src/h5ad/matrix.js";
import { buildCellArrDataset, MemoryStore, slice } from "../../src/index.js";
import { textValues } from "../../src/util/frame.js";
import { collections, denseRows, expectedStore, experiment, matrixOf, numbers, valuesOf } from "./samples.js";

const rowsOfNumbers = fc.integer({ min: 0, max: 6 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 })), {
        minLength: columns,
        maxLength: columns,
      }),
      { maxLength: 6 },
    ),
  }),
);

/** Dense rows of any of the forms. */
function denseOf(matrix: SparseMatrix): number[][] {
  return denseRows(toCsr(matrix));
}

describe("forms of a matrix", () => {
  it("hold the same values", () => {
    fc.assert(
      fc.property(rowsOfNumbers, ({ rows, columns }) => {
        const matrix = matrixOf(rows, columns) as SparseMatrix;
        const csc = toCsc(matrix);
        checkMatrix(csc, "csc");
        expect(csc).toEqual({ ...matrixOf(rows, columns, "csc"), indptr: expect.anything() });
        expect(denseOf(csc)).toEqual(rows);
        expect(Array.from(toDense(matrix).values as Float32Array)).toEqual(rows.flat());
        const { rows: at, columns: of, data } = toCoo(matrix);
        const found = rows.map((row) => row.map(() => 0));
        for (const [i, row] of at.entries()) found[row]![of[i]!] = Number(data[i]);
        expect(found).toEqual(rows);
        expect(denseOf(transposed(matrix))).toEqual(
          Array.from({ length: columns }, (_, column) => rows.map((row) => row[column])),
        );
      }),
    );
  });

  it("take columns in any order, repeats included", () => {
    const drawn = rowsOfNumbers
      .filter(({ columns }) => columns > 0)
      .chain((one) =>
        fc.record({
          one: fc.constant(one),
          wanted: fc.array(fc.integer({ min: 0, max: one.columns - 1 }), { maxLength: 8 }),
        }),
      );
    fc.assert(
      fc.property(drawn, ({ one: { rows, columns }, wanted }) => {
        const taken = takeMatrixColumns(matrixOf(rows, columns) as SparseMatrix, Uint32Array.from(wanted));
        checkMatrix(taken, "taken");
        expect(denseRows(taken)).toEqual(rows.map((row) => wanted.map((column) => row[column])));
      }),
    );
  });

  it("refuse what no typed array holds", () => {
    const huge: SparseMatrix = {
      format: "csr",
      shape: [1, 2 ** 33],
      indptr: Int32Array.of(0, 0),
      indices: new Int32Array(0),
      data: new Uint8Array(0),
    };
    expect(() => toDense(huge)).toThrow(LimitError);
  });
});

describe("a slice", () => {
  const requests = fc.record({
    files: collections,
    cells: fc.array(fc.nat(), { maxLength: 6 }),
    genes: fc.array(fc.nat(), { maxLength: 6 }),
    order: fc.constantFrom("store" as const, "asked" as const),
  });

  it("has metadata, annotation and values of the same cells and genes in every order", async () => {
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(requests, async ({ files, cells, genes, order }) => {
        const expected = expectedStore(files);
        fc.pre(expected.rows.length > 0 && expected.genes.length > 0);
        checked++;
        let first = 0;
        const inputs = files.map((file) => {
          const ids = numbers(...file.rows.map(() => first++));
          return experiment({ ...file, obs: { id: ids } });
        });
        const dataset = await buildCellArrDataset({
          files: inputs,
          outputPath: { store: new MemoryStore(), path: "store" },
          cellMetadataOptions: { columnTypes: { id: "float64" } },
          matrixOptions: { matrixName: "counts", dtype: "uint16" },
        });
        const rows = cells.map((cell) => cell % expected.rows.length);
        const asked = genes.map((gene) => gene % expected.genes.length);
        const columns = order === "asked" ? asked : [...new Set(asked)].sort((a, b) => a - b);
        const part = await dataset.getSlice(rows, asked, { order });
        expect(part.shape).toEqual([rows.length, columns.length]);
        expect(valuesOf(part.cellMetadata, "id")).toEqual(rows);
        const names = columns.map((gene) => expected.genes[gene]);
        expect(textValues(part.geneAnnotation.index)).toEqual(names);
        expect(valuesOf(part.geneAnnotation, "cellarr_gene_index")).toEqual(names);
        const values = rows.map((row) => columns.map((gene) => expected.rows[row]![gene]));
        expect(denseRows(part.matrix("counts"))).toEqual(values);
        expect(denseOf(part.csc("counts"))).toEqual(values);
        const experimentOf = part.toSummarizedExperiment();
        expect(experimentOf.shape).toEqual([columns.length, rows.length]);
        expect(denseOf(transposed(experimentOf.assays.get("counts")!))).toEqual(values);
      }),
      { numRuns: 40 },
    );
    expect(checked).toBeGreaterThan(10);
  });

  it("refuses an order that is none", async () => {
    const dataset = await buildCellArrDataset({
      files: [experiment({ genes: ["a"], rows: [[1]] })],
      outputPath: { store: new MemoryStore(), path: "store" },
    });
    const order = "random" as "asked";
    await expect(dataset.getSlice(0, slice(), { order })).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});
