import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import type { SparseMatrix } from "../../src/h5ad/matrix.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { columnValues, type Frame } from "../../src/util/frame.js";

/** Stores that Python cellarr 0.3.2 built; what is expected comes from TileDB-Py. Every folder is a test. */

interface Expected {
  readonly shape: [number, number];
  readonly frames: Readonly<
    Record<"gene_annotation" | "sample_metadata" | "cell_metadata", Record<string, unknown>[]>
  >;
  readonly slices: readonly {
    readonly cells: [number, number];
    readonly genes: readonly string[];
    readonly matrices: Readonly<Record<string, { row: number[]; col: number[]; data: number[] }>>;
  }[];
}

const folder = fileURLToPath(new URL("../../spec-fixtures/cellarr-0.3.2", import.meta.url));

/** Rows as the fixtures have them: 64-bit integers as text, the row number among them. */
function rowsOf(frame: Frame): Record<string, unknown>[] {
  const columns = [...frame.columns].map(([name, column]) => [name, columnValues(column)] as const);
  return Array.from({ length: frame.rowCount }, (_, row) => {
    const values = columns.map(([name, all]) => [
      name,
      typeof all[row] === "bigint" ? `${all[row]}` : all[row],
    ]);
    return { __tiledb_rows: `${row}`, ...Object.fromEntries(values) };
  });
}

function triplets({ indptr, indices, data }: SparseMatrix) {
  const row = [...indices.keys()].map((at) => [...indptr].findLastIndex((start) => start <= at));
  return { row, col: [...indices], data: [...data] };
}

describe.each(readdirSync(folder))("%s", (name) => {
  const expected = JSON.parse(readFileSync(join(folder, name, "expected.json"), "utf8")) as Expected;
  const open = () => CellArrDataset.open({ store: new NodeFsStore(join(folder, name, "dataset")), path: "" });

  it("has the shape and the frames", async () => {
    const dataset = await open();
    expect(dataset.shape).toEqual(expected.shape);
    const { gene_annotation, sample_metadata, cell_metadata } = expected.frames;
    expect(rowsOf(await dataset.getGeneSubset(slice()))).toEqual(gene_annotation);
    expect(rowsOf(await dataset.getSampleSubset(slice()))).toEqual(sample_metadata);
    expect(rowsOf(await dataset.getCellSubset(slice()))).toEqual(cell_metadata);
  });

  it("has the values of each slice, in the slice's own numbering", async () => {
    const dataset = await open();
    expect(expected.slices.length).toBeGreaterThan(0);
    for (const { cells, genes, matrices } of expected.slices) {
      const part = await dataset.get(slice(...cells), genes);
      expect(part.matrixNames).toEqual(Object.keys(matrices));
      for (const [matrix, values] of Object.entries(matrices)) {
        expect(part.matrix(matrix).shape).toEqual([cells[1] - cells[0] + 1, genes.length]);
        expect(triplets(part.matrix(matrix))).toEqual(values);
      }
    }
  });
});
