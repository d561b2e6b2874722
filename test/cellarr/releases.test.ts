import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CellArrDataset, columnValues, type DatasetWarning, slice } from "../../src/node.js";
import { denseRows } from "./samples.js";

/** Stores built by releases of Python cellarr from 0.1 to 0.6, against what the official library reads of them. */

const fixtures = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));

type Row = Record<string, unknown>;
interface Expected {
  readonly shape: [number, number];
  readonly frames: Record<"gene_annotation" | "sample_metadata" | "cell_metadata", Row[]>;
  readonly matrices: Record<string, [cell: number, gene: number, value: number][]>;
}

const releases = [
  { release: "0.1.3", matrices: ["counts"], tissue: false },
  { release: "0.2.5", matrices: ["counts"], tissue: true },
  { release: "0.5.9", matrices: ["counts", "norm"], tissue: true },
  { release: "0.6.2", matrices: ["counts", "norm"], tissue: true },
];

const plain = (value: unknown) => (typeof value === "bigint" ? String(value) : value);

describe.each(releases)("a store of cellarr $release", ({ release, matrices, tissue }) => {
  const folder = join(fixtures, `cellarr-${release}`, "store.small");
  const store = join(folder, "dataset");
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
  const names = expected.frames.gene_annotation.map((row) => String(row.cellarr_gene_index));

  /** Rows of all cells and genes. */
  function expectedRows(matrix: string): number[][] {
    const rows = Array.from({ length: expected.shape[0] }, () => new Array<number>(names.length).fill(0));
    for (const [cell, gene, value] of expected.matrices[matrix]!) rows[cell]![gene] = value;
    return rows;
  }

  it("opens, with its matrices wherever they are", async () => {
    const dataset = await CellArrDataset.open(store);
    expect(dataset.shape).toEqual(expected.shape);
    expect(dataset.matrixNames.sort()).toEqual(matrices);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(names);
    const named = await CellArrDataset.open(store, { assayUri: "counts" });
    expect(named.matrixNames).toEqual(["counts"]);
  });

  it("has the metadata that were written", async () => {
    const dataset = await CellArrDataset.open(store);
    const check = async (rows: Row[], column: string, values: ReturnType<typeof columnValues>) =>
      expect(values.map(plain), column).toEqual(rows.map((row) => row[column]));
    for (const column of dataset.getCellMetadataColumns()) {
      const values = columnValues(await dataset.getCellMetadataColumn(column));
      await check(expected.frames.cell_metadata, column, values);
    }
    for (const column of dataset.getSampleMetadataColumns()) {
      const values = columnValues(await dataset.getSampleMetadataColumn(column));
      await check(expected.frames.sample_metadata, column, values);
    }
    expect(dataset.getCellMetadataColumns()).toHaveLength(
      Object.keys(expected.frames.cell_metadata[0]!).length - 1,
    );
  });

  it("answers queries", async () => {
    const dataset = await CellArrDataset.open(store);
    const cells = [3, 11, 0, 6];
    const genes = ["gene_11", "gene_02", "gene_05"];
    const part = await dataset.get(cells, genes);
    expect(part.matrixNames.sort()).toEqual(matrices);
    for (const matrix of matrices) {
      const all = expectedRows(matrix);
      expect(denseRows(part.matrix(matrix))).toEqual(
        cells.map((cell) => [2, 5, 11].map((gene) => all[cell]![gene])),
      );
      expect(denseRows((await dataset.get(slice())).matrix(matrix))).toEqual(all);
    }
    if (!tissue) return;
    const lungs = await dataset.getCellSubset("tissue == 'lung'");
    expect(columnValues(lungs.columns.get("tissue")!)).toEqual(
      expected.frames.cell_metadata.flatMap((row) => (row.tissue === "lung" ? ["lung"] : [])),
    );
  });

  it("tells the cells of samples, before 0.3 by their counts", async () => {
    const dataset = await CellArrDataset.open(store);
    expect(await dataset.getSampleRanges()).toEqual([
      { name: "sample_1", start: 0, end: 6 },
      { name: "sample_2", start: 7, end: 11 },
    ]);
    const second = await dataset.getCellsForSample("sample_2");
    expect([...second.cellIndices]).toEqual([7, 8, 9, 10, 11]);
    expect(denseRows(second.matrix("counts"))).toEqual(expectedRows("counts").slice(7));
    expect(columnValues(second.cellMetadata.columns.get("cellarr_sample")!)).toEqual(
      new Array(5).fill("sample_2"),
    );
  });

  it("opens from paths of its parts, too", async () => {
    const place = matrices.length > 1 ? join(store, "assays", "counts") : join(store, "counts");
    const warnings: DatasetWarning[] = [];
    const paths = {
      geneAnnotationUri: join(store, "gene_annotation"),
      cellMetadataUri: join(store, "cell_metadata"),
      sampleMetadataUri: join(store, "sample_metadata"),
    };
    const onWarning = (one: DatasetWarning) => warnings.push(one);
    const listed = await CellArrDataset.initializeFromPaths({ ...paths, assayUri: place }, { onWarning });
    expect(listed.matrixNames).toEqual([place]);
    const named = await CellArrDataset.initializeFromPaths({ ...paths, assayUri: { mine: place } });
    expect(denseRows((await named.get(slice(2, 4))).matrix("mine"))).toEqual(
      expectedRows("counts").slice(2, 5),
    );
    expect(warnings).toEqual([]);
  });
});
