import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { withSource } from "../../../src/cellarr/build/file-sources.js";
import { openMtx } from "../../../src/cellarr/inputs/mtx-source.js";
import type { AnnDataSource } from "../../../src/h5ad/source.js";
import { openTenxH5 } from "../../../src/h5ad/tenx-source.js";
import { buildCellArrDataset, slice } from "../../../src/node.js";
import { columnValues, textValues } from "../../../src/util/frame.js";
import { temporaryFolder } from "../../support/temporary.js";
import { denseRows } from "../samples.js";

/** Matrices of Cell Ranger against what scanpy reads from the same files (spec-fixtures/tenx). */

const folder = fileURLToPath(new URL("../../../spec-fixtures/tenx", import.meta.url));

interface Expected {
  readonly cells: string[];
  readonly genes: string[];
  readonly var: Record<string, string[]>;
  readonly values: number[][];
}

const expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8"));
const inputs = ["v3.h5", "v2.h5", "mtx-v3", "mtx-v2", "mtx-prefix", "mtx-by-gene"];

async function contentOf(source: AnnDataSource, maxCells: number): Promise<Expected> {
  const [obs, features] = [await source.obs(), await source.var()];
  const values: number[][] = [];
  for await (const block of source.matrix("counts").blocks({ maxCells })) {
    expect(block.firstRow).toBe(values.length);
    for (let row = 0; row < block.rowCount; row++) {
      const line = new Array<number>(source.varCount).fill(0);
      for (let at = block.indptr[row]!; at < block.indptr[row + 1]!; at++) {
        line[block.indices[at]!] = Number(block.values[at]);
      }
      values.push(line);
    }
  }
  const columns = [...features.columns].map(([name, column]) => [name, columnValues(column)]);
  return {
    cells: textValues(obs.index).map(String),
    genes: textValues(features.index).map(String),
    var: Object.fromEntries(columns),
    values,
  };
}

describe.each(inputs)("%s", (name) => {
  it.each([1, 7, 100_000])("gives what scanpy reads, in blocks of %d", async (maxCells) => {
    await withSource(join(folder, name), async (source) => {
      expect(source.matrixNames).toEqual(["counts", "X"]);
      expect(await contentOf(source, maxCells)).toEqual(expected[name]);
    });
  });
});

describe("10x HDF5", () => {
  it("from bytes", async () => {
    const bytes = new Uint8Array(await readFile(join(folder, "v3.h5")));
    await withSource(bytes, async (source) => {
      expect(await contentOf(source, 50)).toEqual(expected["v3.h5"]);
    });
  });

  it("asks which of several genomes is meant", async () => {
    const path = join(folder, "v2-genomes.h5");
    await expect(openTenxH5(path)).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(openTenxH5(path, { genome: "rn6" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    for (const genome of ["hg19", "mm10"]) {
      const source = await openTenxH5(path, { genome });
      expect(await contentOf(source, 50)).toEqual(expected["v2-genomes.h5"][genome]);
      await source.close();
    }
  });

  it("refuses what is none", async () => {
    const h5ad = fileURLToPath(new URL("../../../spec-fixtures/h5ad", import.meta.url));
    const path = join(h5ad, "anndata-0.12.19.gzip.h5ad");
    await expect(openTenxH5(path)).rejects.toMatchObject({ code: "FORMAT" });
    const source = await openTenxH5(join(folder, "v3.h5"));
    expect(() => source.matrix("spliced")).toThrow("'counts' or 'X'");
    await expect(source.var(["symbol"])).rejects.toMatchObject({ code: "NOT_FOUND" });
    await source.close();
  });
});

describe("Matrix Market", () => {
  const write = async (
    matrix: string,
    options: { features?: string; barcodes?: string; gz?: boolean } = {},
  ) => {
    const path = join(await temporaryFolder(), "sample");
    await mkdir(path);
    const { features = "a\tA\nb\tB\nc\tC\n", barcodes = "x\ny\n", gz = false } = options;
    const put = (name: string, text: string) =>
      gz ? writeFile(join(path, `${name}.gz`), gzipSync(text)) : writeFile(join(path, name), text);
    await put("matrix.mtx", matrix);
    await put("features.tsv", features);
    await put("barcodes.tsv", barcodes);
    return path;
  };
  const values = async (path: string, maxCells = 2) => {
    const source = await openMtx(path);
    return (await contentOf(source, maxCells)).values;
  };

  it("takes the path of the matrix itself, and cells x genes", async () => {
    const path = join(folder, "mtx-prefix", "GSM1_matrix.mtx.gz");
    expect(await contentOf(await openMtx(path), 50)).toEqual(expected["mtx-prefix"]);
    const turned = await write("%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 3 5\n2 1 6\n");
    expect(await values(turned)).toEqual([
      [0, 0, 5],
      [6, 0, 0],
    ]);
  });

  it("reads reals, patterns, comments, blank lines, carriage returns and a last line without end", async () => {
    const real =
      "%%MatrixMarket matrix coordinate real general\n%\n\n3 2 4\n1 1 -1.5e2\n2\t1   3.\r\n\n1 2 inf\n3 2 7";
    expect(await values(await write(real, { gz: true }))).toEqual([
      [-150, 3, 0],
      [Number.POSITIVE_INFINITY, 0, 7],
    ]);
    const pattern = "%%MatrixMarket matrix coordinate pattern general\n3 2 2\n3 2\n1 1\n";
    expect(await values(await write(pattern))).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
  });

  it.each([
    ["FORMAT", "%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 5\n"],
    ["FORMAT", "%%MatrixMarket matrix coordinate integer general\n3 2 1\n4 1 5\n"],
    ["FORMAT", "%%MatrixMarket matrix coordinate integer general\n3 2 1\n1 0 5\n"],
    ["FORMAT", "%%MatrixMarket matrix coordinate integer general\n3 2 1\n1 1 1.5\n"],
    ["FORMAT", "%%MatrixMarket matrix coordinate real general\n3 2 1\n1 1 abc\n"],
    ["FORMAT", "%%MatrixMarket matrix coordinate integer general\n5 5 0\n"],
    ["FORMAT", "3 2 1\n1 1 1\n"],
    ["FORMAT", ""],
    ["UNSUPPORTED", "%%MatrixMarket matrix array real general\n3 2\n1\n"],
    ["UNSUPPORTED", "%%MatrixMarket matrix coordinate real symmetric\n3 2 1\n1 1 1\n"],
  ])("%s: %j", async (code, matrix) => {
    const path = await write(matrix);
    await expect(values(path)).rejects.toMatchObject({ code });
  });

  it("says what is missing, and what is cut", async () => {
    const path = await write("%%MatrixMarket matrix coordinate integer general\n3 2 0\n", { gz: true });
    const whole = await readFile(join(path, "matrix.mtx.gz"));
    await writeFile(join(path, "matrix.mtx.gz"), whole.subarray(0, -9));
    await expect(values(path)).rejects.toMatchObject({ code: "FORMAT" });
    await writeFile(join(path, "other_matrix.mtx"), "");
    await expect(openMtx(path)).rejects.toThrow("several matrices");
    await expect(openMtx(join(path, "other_matrix.mtx"))).rejects.toThrow("other_barcodes.tsv");
    await expect(openMtx(join(path, "nowhere"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("of many pieces equals what was written, in both orders of entries", async () => {
    const [genes, cells] = [300, 2000];
    const entries: [number, number, number][] = [];
    for (let cell = 0; cell < cells; cell++) {
      for (let gene = cell % 3; gene < genes; gene += 3) entries.push([gene, cell, gene * 7 + cell]);
    }
    const text = (list: readonly (readonly number[])[]) =>
      `%%MatrixMarket matrix coordinate integer general\n${genes} ${cells} ${list.length}\n` +
      list.map(([gene, cell, value]) => `${gene! + 1} ${cell! + 1} ${value}\n`).join("");
    const names = (count: number) => Array.from({ length: count }, (_, at) => `n${at}\n`).join("");
    const options = { features: names(genes), barcodes: names(cells) };
    const byCell = await values(await write(text(entries), { ...options, gz: true }), 5000);
    expect(byCell[1999]![1]).toBe(7 + 1999);
    expect(byCell.flat().filter((value) => value > 0).length).toBe(
      entries.filter(([, , value]) => value > 0).length,
    );
    const byGene = entries.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(await values(await write(text(byGene), options), 5000)).toEqual(byCell);
  });
});

it("stores are built of all kinds of files together", async () => {
  const store = join(await temporaryFolder(), "store");
  const dataset = await buildCellArrDataset({
    outputPath: store,
    files: inputs.map((name) => join(folder, name)),
    geneAnnotationOptions: { featureColumn: "gene_ids" },
    matrixOptions: { dtype: "uint32" },
  });
  const rows = denseRows((await dataset.get(slice())).matrix("counts"));
  expect(rows).toEqual(inputs.flatMap((name) => expected[name].values));
  expect((await dataset.getGeneAnnotationIndex())[13]).toBe("ENSG00000000013");
});
