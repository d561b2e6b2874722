import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildCellArrDataset,
  CellArrDataset,
  columnValues,
  type Frame,
  slice,
  textValues,
} from "../../src/node.js";
import { denseRows, type Experiment, experiment, numbers } from "../cellarr/samples.js";
import { askTwice, hasPython, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** The same queries, drawn at random, asked of Python cellarr and of us on the same store. */

const genes = Array.from({ length: 9 }, (_, at) => `gene_${at}`);
const tissues = ["lung", "heart", "liver"];

/** Two files with empty cells, an empty gene, and the last gene and cell with a value, as 0.3.2 needs it. */
function files(): Experiment[] {
  const rows = (count: number, seed: number) =>
    Array.from({ length: count }, (_, cell) =>
      genes.map((_, gene) => {
        if (cell === count - 1) return gene + 1;
        if (cell === 2 || gene === 4) return 0;
        const value = (cell * 31 + gene * 17 + seed * 7) % 11;
        return value > 6 ? 0 : value;
      }),
    );
  const obs = (count: number) => ({
    tissue: Array.from({ length: count }, (_, cell) => tissues[cell % 3]!),
    score: numbers(...Array.from({ length: count }, (_, cell) => (cell * 7) % 10)),
  });
  return [
    { genes, rows: rows(8, 1), obs: obs(8) },
    { genes, rows: rows(5, 2), obs: obs(5) },
  ];
}

async function store(): Promise<string> {
  const outputPath = join(await temporaryFolder(), "store");
  await buildCellArrDataset({
    outputPath,
    files: files().map(experiment),
    matrixOptions: [{ dtype: "float32" }, { matrixName: "twice", dtype: "float64" }],
    cellMetadataOptions: { columnTypes: { tissue: "ascii", score: "float" } },
  });
  return outputPath;
}

const assays = ["counts", "twice"];

/** A selection as we take it and as the peer does. */
interface Asked {
  readonly ours: number | number[] | string | string[] | ReturnType<typeof slice>;
  readonly theirs: unknown;
}

const same = <T extends number[] | string | string[]>(value: T): Asked => ({ ours: value, theirs: value });

const index = (count: number) => fc.integer({ min: 0, max: count - 1 });
const ranges = (count: number) =>
  fc.tuple(index(count), index(count)).map(([a, b]): Asked => {
    const [first, last] = a < b ? [a, b] : [b, a];
    return { ours: slice(first, last), theirs: { slice: [first, last] } };
  });
const lists = (count: number) =>
  fc.uniqueArray(index(count), { minLength: 1, maxLength: count }).map((rows) => same(rows));

const comparisons = fc.oneof(
  fc
    .tuple(fc.constantFrom("==", "!="), fc.constantFrom(...tissues, "none"))
    .map(([op, value]) => `tissue ${op} '${value}'`),
  fc
    .tuple(fc.constantFrom("<", "<=", ">", ">=", "=="), index(11))
    .map(([op, value]) => `score ${op} ${value}.0`),
  fc.constantFrom("sample_1", "sample_2").map((name) => `cellarr_sample == '${name}'`),
);
const conditions = fc
  .tuple(fc.array(comparisons, { minLength: 1, maxLength: 3 }), fc.constantFrom(" and ", " or "))
  .map(([parts, joint]) => same(parts.join(joint)));

const cellQueries = fc.oneof(ranges(13), lists(13), conditions);
const names = fc.uniqueArray(fc.constantFrom(...genes), { minLength: 1 }).map((list) => same(list));
const geneQueries = fc.oneof(
  ranges(9),
  names,
  fc.constantFrom(...genes).map((name) => same(`cellarr_gene_index == '${name}'`)),
);

const rowsOf = (frame: Frame) => textValues(frame.index).map(Number);
const columnsOf = (frame: Frame) =>
  Object.fromEntries([...frame.columns].map(([name, column]) => [name, columnValues(column)]));

describe.skipIf(!hasPython)("queries of the same store", () => {
  it("give the slices of the newest Python cellarr", { timeout: 120_000 }, async () => {
    const path = await store();
    const dataset = await CellArrDataset.open(path);
    let cellsSeen = 0;
    await fc.assert(
      fc.asyncProperty(cellQueries, geneQueries, async (cells, columns) => {
        const part = await dataset.get(cells.ours, columns.ours);
        // Nothing at all cannot be asked of TileDB-Py.
        if (part.length === 0 || part.shape[1] === 0) return;
        cellsSeen += part.length;
        const asked = { path, assays, cells: cells.theirs, genes: columns.theirs };
        expect(await askTwice("newest", "cellarr_slice", asked)).toEqual({
          cells: [...part.cellIndices],
          genes: columnValues(part.geneAnnotation.columns.get("cellarr_gene_index")!),
          cellMetadata: columnsOf(part.cellMetadata),
          matrices: Object.fromEntries([...part.matrices].map(([name, matrix]) => [name, denseRows(matrix)])),
          shape: [...part.shape],
        });
      }),
      { numRuns: 60 },
    );
    expect(cellsSeen).toBeGreaterThan(60);
  });

  it.each(["reference", "newest"] as const)(
    "give the metadata of Python cellarr (%s)",
    { timeout: 120_000 },
    async (environment) => {
      const path = await store();
      const dataset = await CellArrDataset.open(path);
      const peer = await pythonPeer(environment);
      const columns = fc.option(fc.subarray(dataset.getCellMetadataColumns(), { minLength: 1 }), {
        nil: undefined,
      });
      await fc.assert(
        fc.asyncProperty(cellQueries, columns, async (cells, wanted) => {
          const isCondition = typeof cells.ours === "string";
          // With a condition Python gives all columns, whatever was asked.
          const ours = await dataset.getCellSubset(cells.ours, isCondition ? undefined : wanted);
          if (ours.rowCount === 0) return;
          const asked = {
            path,
            assays,
            which: "cell",
            subset: cells.theirs,
            ...(wanted && { columns: wanted }),
          };
          expect(await askTwice(environment, "cellarr_subset", asked)).toEqual({
            rows: rowsOf(ours),
            columns: columnsOf(ours),
          });
        }),
        { numRuns: 40 },
      );
      for (const subset of [["gene_7", "gene_2"], "cellarr_gene_index == 'gene_5'"]) {
        const frame = await dataset.getGeneSubset(subset);
        const theirs = await peer.call("cellarr_subset", { path, assays, which: "gene", subset });
        expect((theirs as { columns: unknown }).columns).toEqual(columnsOf(frame));
      }
      const theirs = await peer.call("cellarr_subset", { path, assays, which: "sample", subset: [1, 0] });
      const samples = await dataset.getSampleSubset([1, 0]);
      expect(theirs).toEqual({ rows: rowsOf(samples), columns: columnsOf(samples) });
    },
  );

  it("open from paths, as in Python 0.6", async () => {
    const path = await store();
    const peer = await pythonPeer("newest");
    const [assay, genesAt, cells, samples] = [
      join(path, "assays", "twice"),
      join(path, "gene_annotation"),
      join(path, "cell_metadata"),
      join(path, "sample_metadata"),
    ];
    const dataset = await CellArrDataset.initializeFromPaths({
      assayUri: assay,
      geneAnnotationUri: genesAt,
      cellMetadataUri: cells,
      sampleMetadataUri: samples,
    });
    const part = await dataset.get([5, 2, 12]);
    expect(
      await peer.call("cellarr_from_paths", { assay, genes: genesAt, cells, samples, rows: [5, 2, 12] }),
    ).toEqual({
      [assay]: denseRows(part.matrix(assay)),
    });
  });
});
