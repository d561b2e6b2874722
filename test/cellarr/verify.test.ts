import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import {
  appendToDataset,
  buildCellArrDataset,
  dropSample,
  type VerifyReport,
  verifyStore,
} from "../../src/node.js";
import { temporaryFolder } from "../support/temporary.js";
import { experiment } from "./samples.js";

/** Stores damaged in every way that `verifyStore` knows. */

const genes = ["a", "b", "c", "d"];
const rows = [
  [1, 0, 2, 3],
  [0, 4, 5, 0],
  [6, 7, 0, 8],
  [0, 9, 10, 11],
];

async function build(values: number[][], count = 2): Promise<string> {
  const path = join(await temporaryFolder(), "store");
  const half = values.length / count;
  const files = Array.from({ length: count }, (_, at) =>
    experiment({ genes, rows: values.slice(at * half, (at + 1) * half) }),
  );
  await buildCellArrDataset({ outputPath: path, files, matrixOptions: { dtype: "uint32" } });
  return path;
}

async function fragment(array: string): Promise<string> {
  const [name] = await readdir(join(array, "__fragments"));
  return join(array, "__fragments", name!);
}

const kinds = ({ defects }: VerifyReport) => defects.map(({ severity, kind }) => `${severity} ${kind}`);

async function damaged(damage: (store: string) => Promise<unknown>): Promise<VerifyReport> {
  const store = await build(rows);
  await damage(store);
  return verifyStore(store);
}

/** Takes a tile file of the first of other stores whose file has the same size: the filters decide on that. */
async function replace(store: string, others: number[][][], array: string, file: string): Promise<void> {
  const to = join(await fragment(join(store, array)), file);
  const before = await readFile(to);
  for (const other of others) {
    const bytes = await readFile(join(await fragment(join(await build(other), array)), file));
    if (bytes.byteLength !== before.byteLength || bytes.equals(before)) continue;
    await writeFile(to, bytes);
    return;
  }
  expect.unreachable("no other store has a file of that size");
}

describe("verifyStore", () => {
  it("finds nothing in a store that is right, and reads all of it", async () => {
    const parts: string[] = [];
    const report = await verifyStore(await build(rows), { onProgress: ({ part }) => parts.push(part) });
    expect(report).toMatchObject({ ok: true, defects: [] });
    expect(report.parts).toEqual([
      "gene_annotation",
      "cell_metadata",
      "sample_metadata",
      "assays/counts",
      "assays_by_gene/counts",
    ]);
    expect([...new Set(parts)]).toEqual(report.parts);
    expect(report.bytes).toBeGreaterThan(100);
  });

  it("finds nothing in a store that was appended to, nor in one that lost a sample", async () => {
    const path = await build(rows);
    await appendToDataset(path, {
      files: [experiment({ genes: ["b", "e"], rows: [[3, 4]] })],
    });
    expect((await verifyStore(path)).defects).toEqual([]);
    await dropSample(path, "sample_1");
    expect((await verifyStore(path)).defects).toEqual([]);
  });

  it.each([["gene_annotation"], ["cell_metadata"], ["sample_metadata"]])(
    "finds that %s is missing",
    async (part) => {
      const report = await damaged((store) => rm(join(store, part), { recursive: true }));
      expect(report.ok).toBe(false);
      expect(report.defects).toContainEqual(
        expect.objectContaining({ kind: "missing-part", message: `the part '${part}' is not there` }),
      );
    },
  );

  it("finds that there is no matrix", async () => {
    const report = await damaged((store) => rm(join(store, "assays", "counts"), { recursive: true }));
    expect(kinds(report)).toContain("error missing-part");
  });

  it("finds files that were cut", async () => {
    const report = await damaged(async (store) => {
      await truncate(join(await fragment(join(store, "assays", "counts")), "a0.tdb"), 3);
    });
    expect(report.ok).toBe(false);
    expect(report.defects[0]).toMatchObject({
      kind: "unreadable",
      message: expect.stringMatching(/a0\.tdb has 3 bytes/),
    });
  });

  it("finds tiles that cannot be decoded, and looks at the others", async () => {
    const report = await damaged(async (store) => {
      const file = join(await fragment(join(store, "assays", "counts")), "a0.tdb");
      const bytes = await readFile(file);
      await writeFile(file, bytes.fill(0xff));
    });
    expect(report.defects[0]).toMatchObject({
      kind: "unreadable",
      message: expect.stringMatching(/^tile 0 of 'data'/),
    });
  });

  it("finds values that are not what their statistics say", async () => {
    const others = [12, 13, 14, 15, 16, 17].map((last) =>
      rows.map((row) => row.map((value) => (value === 11 ? last : value))),
    );
    const report = await damaged((store) => replace(store, others, "assays/counts", "a0.tdb"));
    expect(report.defects[0]).toMatchObject({
      kind: "statistics",
      message: expect.stringMatching(/^tile 0 of 'data': the sum is (67|68|69|70|71|72), metadata say 66$/),
    });
    expect(kinds(report)).toContain("error gene-major-copy");
  });

  it("finds a gene-major copy of other values, whose statistics are the same", async () => {
    const swapped = (a: number, b: number) =>
      rows.map((row) => row.map((value) => (value === a ? b : value === b ? a : value)));
    const others = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((a) => swapped(a, a + 1));
    const report = await damaged((store) => replace(store, others, "assays_by_gene/counts", "a0.tdb"));
    expect(report.defects).toMatchObject([
      { kind: "gene-major-copy", message: "the copy of 'counts' has other values than the matrix" },
    ]);
  });

  it.each([
    ["cell_metadata", "'cellarr_counts_total' of cell 3 is 31, 'counts' has 30"],
    ["gene_annotation", "'cellarr_counts_variance' of gene 3 is "],
  ])("finds that %s says something else of a matrix than its values", async (part, message) => {
    const other = await build(rows.map((row) => row.map((value) => (value === 11 ? 12 : value))));
    const report = await damaged(async (store) => {
      await rm(join(store, part), { recursive: true });
      await cp(join(other, part), join(store, part), { recursive: true });
    });
    expect(report.ok).toBe(false);
    expect(report.defects.map(({ kind, where }) => [kind, where.endsWith(part)])).toEqual(
      report.defects.map(() => ["summaries", true]),
    );
    expect(report.defects).toContainEqual(
      expect.objectContaining({ severity: "error", message: expect.stringContaining(message) }),
    );
    // Which genes and cells have values is the same.
    expect(report.defects.some((defect) => defect.message.includes("detected"))).toBe(false);
  });

  it("takes summaries for right however they were added up", async () => {
    const path = join(await temporaryFolder(), "store");
    const values = (cells: number, seed: number) =>
      Array.from({ length: cells }, (_, cell) =>
        genes.map((_, gene) => ((cell * 31 + gene * 17 + seed) % 5) * 1000.1 - gene * 1000),
      );
    await buildCellArrDataset({
      outputPath: path,
      files: [experiment({ genes, rows: values(50, 1) }), experiment({ genes, rows: values(1, 2) })],
      matrixOptions: [
        { matrixName: "counts", dtype: "float32" },
        { matrixName: "twice", tiledbStoreName: "log-norm", dtype: "float64" },
      ],
    });
    expect((await verifyStore(path)).defects).toEqual([]);
    for (const seed of [3, 4]) {
      await appendToDataset(path, {
        files: [experiment({ genes: [...genes, "e"], rows: values(20, seed).map((row) => [...row, 0.1]) })],
        matrixOptions: [{ matrixName: "counts" }, { matrixName: "twice", tiledbStoreName: "log-norm" }],
      });
    }
    expect((await verifyStore(path)).defects).toEqual([]);
  });

  it("finds values beyond the store, values written twice, and the copy that is out of date", async () => {
    const report = await damaged((store) =>
      writeSparse(join(store, "assays", "counts"), {
        cell_index: Uint32Array.of(0, 4),
        gene_index: Uint32Array.of(0, 5),
        data: Uint32Array.of(1, 2),
      }),
    );
    expect(report.defects.map(({ kind, message }) => [kind, message])).toEqual([
      ["coordinates", "values up to cell 4, the store has 4 cells"],
      ["coordinates", "values up to gene 5, the store has 4 genes"],
      ["duplicate", "1 values were written twice, by several fragments; the newer ones count"],
      ["gene-major-copy", expect.stringContaining("the copy of 'counts' is stale")],
    ]);
  });

  it("finds coordinates that are out of order, and those outside of their rectangle", async () => {
    const others = [
      [3, 2, 1, 0],
      [1, 0, 2, 3],
      [0, 2, 1, 3],
      [2, 1, 0, 3],
      [0, 1, 3, 2],
    ].map((order) => order.map((row) => rows[row]!));
    const report = await damaged((store) => replace(store, others, "assays/counts", "d1.tdb"));
    expect(report.ok).toBe(false);
    expect(kinds(report).some((kind) => kind === "error order" || kind === "error duplicate")).toBe(true);
  });

  it("finds samples that do not cover the cells", async () => {
    const other = await build([...rows, ...rows], 2);
    const report = await damaged(async (store) => {
      await rm(join(store, "sample_metadata"), { recursive: true });
      await cp(join(other, "sample_metadata"), join(store, "sample_metadata"), { recursive: true });
    });
    expect(report.defects).toMatchObject([
      { kind: "sample-ranges", message: "samples have cells up to 7, there are 4 cells" },
    ]);
    const one = await build(rows.slice(0, 2), 1);
    const less = await damaged(async (store) => {
      await rm(join(store, "sample_metadata"), { recursive: true });
      await cp(join(one, "sample_metadata"), join(store, "sample_metadata"), { recursive: true });
    });
    expect(less.defects).toMatchObject([
      { kind: "sample-ranges", message: "cells 2 to 3 belong to no sample" },
    ]);
  });

  it("warns of what belongs to nothing", async () => {
    const report = await damaged(async (store) => {
      await mkdir(join(store, ".cellarr-building-1"));
      await writeFile(join(store, "notes.txt"), "x");
      await writeFile(join(store, "assays", "more.txt"), "x");
      await writeFile(join(await fragment(join(store, "cell_metadata")), "a9.tdb"), "x");
    });
    expect(report.ok).toBe(true);
    expect(kinds(report).sort()).toEqual([
      "warning leftover",
      "warning unknown-file",
      "warning unknown-file",
      "warning unknown-file",
    ]);
  });

  it("warns of a fragment that was never committed", async () => {
    const report = await damaged(async (store) => {
      const array = join(store, "assays", "counts");
      const uri = await writeSparse(array, {
        cell_index: Uint32Array.of(0),
        gene_index: Uint32Array.of(1),
        data: Uint32Array.of(1),
      });
      await rm(join(array, "__commits", `${uri!.slice(uri!.lastIndexOf("/") + 1)}.wrt`));
    });
    expect(report.ok).toBe(true);
    expect(kinds(report)).toEqual(["warning uncommitted"]);
  });

  it("warns of a copy that does not say of what it is", async () => {
    const report = await damaged((store) =>
      putMetadata(join(store, "assays_by_gene", "counts"), { cellarr_gene_major_of: "x" }),
    );
    expect(report.ok).toBe(true);
    expect(kinds(report)).toEqual(["warning gene-major-copy"]);
  });

  it("is cancelled", async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(
      verifyStore(await build(rows), { signal: controller.signal, onProgress }),
    ).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
