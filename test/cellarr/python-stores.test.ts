import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CellArrDataset, columnValues, slice } from "../../src/node.js";

/** Stores built by Python cellarr, against what the official library reads from their arrays. */

const root = fileURLToPath(new URL("../../spec-fixtures/cellarr-0.3.2", import.meta.url));
const stores = readdirSync(root);

interface Expected {
  readonly shape: [number, number];
  readonly frames: Record<"gene_annotation" | "sample_metadata" | "cell_metadata", Record<string, unknown>[]>;
  readonly slices: {
    readonly cells: [number, number];
    readonly genes: string[];
    readonly matrices: Record<string, { row: number[]; col: number[]; data: number[] }>;
  }[];
}

function load(name: string): Expected {
  return JSON.parse(readFileSync(join(root, name, "expected.json"), "utf8")) as Expected;
}

/** Rows of a frame's columns as JSON, 64-bit integers as text. */
async function rows(
  names: readonly string[],
  column: (name: string) => ReturnType<CellArrDataset["getCellMetadataColumn"]>,
) {
  const columns = await Promise.all(
    names.map(async (name) => [name, columnValues(await column(name))] as const),
  );
  const count = columns[0]?.[1].length ?? 0;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map(([name, values]) => [name, plain(values[row])])),
  );
}

const plain = (value: unknown) => (typeof value === "bigint" ? String(value) : value);

/** The expected rows without the row number, which is no column. */
function expectedRows(frame: readonly Record<string, unknown>[]) {
  return frame.map(({ __tiledb_rows, ...row }) => row);
}

describe.each(stores)("%s", (name) => {
  it("has the shape and metadata that Python wrote", async () => {
    const dataset = await CellArrDataset.open(join(root, name, "dataset"));
    const expected = load(name);
    expect(dataset.shape).toEqual(expected.shape);
    expect(
      await rows(dataset.getCellMetadataColumns(), (column) => dataset.getCellMetadataColumn(column)),
    ).toEqual(expectedRows(expected.frames.cell_metadata));
    expect(
      await rows(dataset.getSampleMetadataColumns(), (column) => dataset.getSampleMetadataColumn(column)),
    ).toEqual(expectedRows(expected.frames.sample_metadata));
    expect(
      await rows(dataset.getGeneAnnotationColumns(), (column) => dataset.getGeneAnnotationColumn(column)),
    ).toEqual(expectedRows(expected.frames.gene_annotation));
  });

  it("gives slices with the values that the arrays hold", async () => {
    const dataset = await CellArrDataset.open(join(root, name, "dataset"));
    for (const { cells, genes, matrices } of load(name).slices) {
      const part = await dataset.getSlice(slice(cells[0], cells[1]), genes);
      expect(part.shape).toEqual([cells[1] - cells[0] + 1, genes.length]);
      expect(part.matrixNames.sort()).toEqual(Object.keys(matrices).sort());
      for (const [matrix, expected] of Object.entries(matrices)) {
        const { indptr, indices, data } = part.matrix(matrix);
        const row = [...Array(part.shape[0]).keys()].flatMap((cell) =>
          Array<number>(Number(indptr[cell + 1]) - Number(indptr[cell])).fill(cell),
        );
        expect({ row, col: Array.from(indices, Number), data: Array.from(data, Number) }).toEqual(expected);
      }
    }
  });
});
