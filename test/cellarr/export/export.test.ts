import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readH5ad } from "../../../src/h5ad-node.js";
import {
  buildCellArrDataset,
  type CellArrDataset,
  type ExportFormat,
  type ExportProgress,
  exportDataset,
  MemoryStore,
  slice,
} from "../../../src/node.js";
import { keptFolder, temporaryFolder } from "../../support/temporary.js";
import { denseRows, experiment, frame, generated } from "../samples.js";

/** Exports by the files that they make; test/interop/exports.test.ts opens them with others' libraries. */

const formats: readonly ExportFormat[] = ["h5ad", "summarized-experiment", "10x", "arrow", "csv"];

let dataset: CellArrDataset;
let folder = "";
let remove = async (): Promise<void> => {};

beforeAll(async () => {
  const kept = await keptFolder();
  folder = kept.path;
  remove = kept.remove;
  dataset = await buildCellArrDataset({
    files: [generated(30, 20, 1), generated(10, 25, 2)],
    outputPath: join(folder, "store"),
    matrixOptions: { matrixName: "counts", dtype: "uint16", onMisfit: "round" },
  });
});
afterAll(() => remove());

describe("an export", () => {
  it("of a slice and of the dataset is the same, whatever the blocks", async () => {
    const root = await temporaryFolder();
    const cells = [7, 3, 39, 0];
    const part = await dataset.getSlice(cells, slice(2, 5));
    const expected = denseRows(part.matrix("counts"));
    for (const blockCells of [1, 3, 100]) {
      const path = join(root, `${blockCells}.h5ad`);
      await exportDataset(dataset, path, { format: "h5ad", cells, genes: slice(2, 5), blockCells });
      const adata = await readH5ad(path);
      const counts = adata.layers.get("counts")!;
      if (counts.format !== "csr") throw new Error("rows expected");
      expect(denseRows(counts)).toEqual(expected);
      expect([...counts.data]).toEqual([...part.matrix("counts").data]);
    }
    await exportDataset(part, join(root, "slice.h5ad"), { format: "h5ad" });
    const bySlice = (await readH5ad(join(root, "slice.h5ad"))).layers.get("counts");
    expect(bySlice?.format === "csr" && denseRows(bySlice)).toEqual(expected);
  });

  it("tells its progress, block by block", async () => {
    const seen: ExportProgress[] = [];
    const store = new MemoryStore();
    const target = { store, path: "out" };
    await exportDataset(dataset, target, {
      format: "csv",
      cells: slice(0, 9),
      blockCells: 4,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([4, 8, 10].map((cells) => ({ matrix: "counts", cells, totalCells: 10 })));
    expect((await store.list("")).map(({ key }) => key)).toEqual([
      "out/cell_metadata.csv",
      "out/counts.csv",
      "out/gene_annotation.csv",
    ]);
  });

  it("goes to any store where no HDF5 file is made", async () => {
    const store = new MemoryStore();
    await exportDataset(
      dataset,
      { store, path: "tenx" },
      { format: "10x", cells: [1, 0], genes: [3], blockCells: 1 },
    );
    const text = async (key: string) => gunzipSync((await store.get(key))!).toString();
    const [first, second] = denseRows((await dataset.getSlice([1, 0], [3])).matrix("counts"));
    expect(await text("tenx/matrix.mtx.gz")).toBe(
      `%%MatrixMarket matrix coordinate integer general\n% rows are genes, columns are cells\n1 2 2\n1 1 ${first}\n1 2 ${second}\n`,
    );
    expect(await text("tenx/barcodes.tsv.gz")).toBe("1\n0\n");
    expect((await store.list("")).length).toBe(3);
    await exportDataset(
      dataset,
      { store, path: "arrow" },
      { format: "arrow", cells: slice(0, 4), blockCells: 2 },
    );
    const table = tableFromIPC((await store.get("arrow/counts.arrow"))!);
    expect(table.batches.length).toBe(3);
    const target = { store, path: "x.h5ad" };
    await expect(exportDataset(dataset, target, { format: "h5ad" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });

  it.each(formats)("to %s that is aborted or fails leaves nothing", async (format) => {
    const root = await temporaryFolder();
    const abort = new AbortController();
    const onProgress = ({ cells }: ExportProgress) => {
      if (cells >= 8) abort.abort();
    };
    const options = { format, blockCells: 4, onProgress, signal: abort.signal };
    await expect(exportDataset(dataset, join(root, "out"), options)).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(readdirSync(root)).toEqual([]);
    const failing = {
      format,
      blockCells: 4,
      onProgress: () => {
        throw new Error("broken");
      },
    };
    await expect(exportDataset(dataset, join(root, "out"), failing)).rejects.toThrow("broken");
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(formats)("to %s replaces an earlier one only where that is asked", async (format) => {
    const root = await temporaryFolder();
    const path = join(root, "out");
    await exportDataset(dataset, path, { format, cells: [0] });
    const again = { format, cells: [1] };
    await expect(exportDataset(dataset, path, again)).rejects.toMatchObject({ code: "EXISTS" });
    await exportDataset(dataset, path, { ...again, overwrite: true });
    expect(readdirSync(root)).toEqual(["out"]);
    const abort = AbortSignal.abort();
    const late = exportDataset(dataset, path, { ...again, overwrite: true, signal: abort });
    await expect(late).rejects.toMatchObject({ code: "ABORTED" });
    expect(existsSync(path)).toBe(true);
  });

  it.each(formats.filter((format) => format !== "h5ad"))("to %s spares folders of others", async (format) => {
    const root = await temporaryFolder();
    const path = join(root, "out");
    await mkdir(path);
    await writeFile(join(path, "thesis.txt"), "mine");
    const replaced = exportDataset(dataset, path, { format, overwrite: true });
    await expect(replaced).rejects.toMatchObject({
      code: "EXISTS",
      message: expect.stringContaining("thesis.txt"),
    });
    expect(await readFile(join(path, "thesis.txt"), "utf8")).toBe("mine");
    expect(readdirSync(root)).toEqual(["out"]);
  });

  it.each(formats)("to %s takes no name of the other kind", async (format) => {
    const root = await temporaryFolder();
    const path = join(root, "out");
    if (format === "h5ad") await mkdir(path);
    else await writeFile(path, "mine");
    for (const overwrite of [false, true]) {
      const refused = exportDataset(dataset, path, { format, overwrite });
      await expect(refused).rejects.toMatchObject({
        code: "EXISTS",
        where: path,
        message: expect.stringMatching(/^a (file|folder) has /),
      });
    }
    expect(readdirSync(root)).toEqual(["out"]);
  });

  it("says what is wrong with its options", async () => {
    const target = { store: new MemoryStore(), path: "out" };
    const part = await dataset.getSlice(0);
    const code = (promise: Promise<void>) =>
      promise.then(
        () => "none",
        (error) => (error as { code: string }).code,
      );
    expect(await code(exportDataset(dataset, target, { format: "xlsx" as "csv" }))).toBe("ARGUMENT");
    expect(await code(exportDataset(dataset, target, { format: "csv", layout: "wide" as "long" }))).toBe(
      "ARGUMENT",
    );
    expect(await code(exportDataset(dataset, target, { format: "csv", blockCells: 0 }))).toBe("ARGUMENT");
    expect(await code(exportDataset(dataset, target, { format: "csv", matrices: ["x"] }))).toBe("NOT_FOUND");
    expect(await code(exportDataset(part, target, { format: "csv", cells: [0] }))).toBe("ARGUMENT");
    expect(await code(exportDataset(dataset, target, { format: "10x", matrices: [] }))).toBe("ARGUMENT");
    expect(await code(exportDataset(dataset, target, { format: "10x", barcodes: "x" }))).toBe("NOT_FOUND");
    expect(await code(exportDataset(dataset, target, { format: "10x", symbols: "x" }))).toBe("NOT_FOUND");
    expect(await code(exportDataset(dataset, target, { format: "csv", cells: [40] }))).toBe("RANGE");
    expect(await target.store.list("")).toEqual([]);
  });

  it("refuses names and texts that its format cannot hold", async () => {
    const store = new MemoryStore();
    const tabbed = await buildCellArrDataset({
      files: [experiment({ genes: ["a\tb"], rows: [[1]] })],
      outputPath: { store, path: "store" },
      cellMetadata: frame(["x"], { note: ["a,b\nc"] }),
    });
    const tenx = exportDataset(tabbed, { store, path: "out" }, { format: "10x" });
    await expect(tenx).rejects.toMatchObject({ code: "VALUE" });
    await exportDataset(tabbed, { store, path: "csv" }, { format: "csv" });
    const text = new TextDecoder().decode((await store.get("csv/cell_metadata.csv"))!);
    expect(text).toContain('"a,b\nc"');
  });
});
