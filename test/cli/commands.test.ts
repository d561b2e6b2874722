import { existsSync, readdirSync } from "node:fs";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { Simulator } from "../../src/cli/simulate.js";
import type { AnnData } from "../../src/h5ad/anndata.js";
import type { SparseMatrix } from "../../src/h5ad/matrix.js";
import { readH5ad, writeH5ad } from "../../src/h5ad-node.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { mapBounded } from "../../src/util/concurrency.js";
import { columnValues, textValues } from "../../src/util/frame.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";
import { compiledCli, ndjson, type Outcome } from "./cli.js";

const cli = compiledCli();
const simulator = new Simulator({ cells: 40, genes: 120, nonZerosPerCell: 20, logNorm: true });
const samples: readonly AnnData[] = [simulator.sample(0), simulator.sample(1)];
const CELLS = 80;

let folder = "";
let store = "";
let files: string[] = [];
let removeFolder = async (): Promise<void> => {};

const matrixArgs = ["--matrix", "counts:uint16", "--matrix", "log-norm:float32"];
const columnArgs = [
  "--cell-column",
  "tissue",
  "--cell-column",
  "n_counts:int32",
  "--cell-column",
  "missing:ascii",
];

beforeAll(async () => {
  const kept = await keptFolder();
  removeFolder = kept.remove;
  folder = kept.path;
  store = join(folder, "store");
  files = samples.map((sample) => join(folder, `${sample.name}.h5ad`));
  for (const [i, sample] of samples.entries()) await writeH5ad(sample, files[i]!);
  const built = await cli.run(
    "build",
    "--out",
    store,
    ...matrixArgs,
    ...columnArgs,
    "--threads",
    "2",
    ...files,
  );
  expect(built).toMatchObject({ code: 0, stderr: "" });
  expect(built.stdout).toMatch(/80 cells x \d+ genes, 2 matrices \(counts, log-norm\)/);
});

afterAll(() => removeFolder());

/** Value of a matrix by cell of the store and name of the gene: what the simulator drew. */
function expectedValue(matrix: string, cell: number, gene: string): number {
  const sample = samples[Math.floor(cell / 40)]!;
  const { indptr, indices, data } = sample.layers.get(matrix) as SparseMatrix;
  const column = textValues(sample.var.index).indexOf(gene);
  for (let i = indptr[cell % 40]!; i < indptr[(cell % 40) + 1]!; i++) {
    if (indices[i] === column) return Number(data[i]);
  }
  return 0;
}

interface QueryJson {
  readonly shape: [number, number];
  readonly cells: number[];
  readonly genes: string[];
  readonly matrices: Record<string, { row: number[]; col: number[]; data: number[] }>;
  readonly cellMetadata: Record<string, unknown[]>;
  readonly geneAnnotation: Record<string, unknown[]>;
}

async function query(...args: readonly string[]): Promise<QueryJson> {
  const { code, stdout, stderr } = await cli.run("query", store, "--format", "json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as QueryJson;
}

function expectFailure(outcome: Outcome, code: number, message: RegExp): void {
  expect(outcome.code).toBe(code);
  expect(outcome.stdout).toBe("");
  expect(outcome.stderr).toMatch(/^cellarr: [^\n]+\n$/);
  expect(outcome.stderr).toMatch(message);
}

/** A few processes at a time. */
async function expectFailures(cases: readonly [string[], RegExp][], code: number): Promise<void> {
  const outcomes = await mapBounded(cases, 4, ([args]) => cli.run(...args));
  for (const [i, [, message]] of cases.entries()) expectFailure(outcomes[i]!, code, message);
}

describe("help", () => {
  it("lists commands, examples and exit codes", async () => {
    const { code, stdout, stderr } = await cli.run("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of ["build", "info", "query", "export", "array", "demo"])
      expect(stdout).toContain(`\n  ${command}`);
    expect(stdout).toContain("Examples:");
    expect(stdout).toContain("Exit codes: 0 done, 1 failed, 2 wrong usage");
  });

  it.each([["build"], ["info"], ["query"], ["export"], ["array", "inspect"], ["array", "read"], ["demo"]])(
    "of %s %s has examples",
    async (...command) => {
      const { code, stdout } = await cli.run(...command, "--help");
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: cellarr ${command.join(" ")}`);
      expect(stdout).toContain(`  $ cellarr ${command.join(" ")}`);
      // Empty lists and quoted numbers are no defaults to tell a person.
      expect(stdout).not.toMatch(/default:\s+[["]/);
    },
  );

  it("goes to stderr with code 2 where a command is missing", async () => {
    for (const args of [[], ["array"]]) {
      const { code, stdout, stderr } = await cli.run(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("Usage: cellarr");
    }
  });

  it("prints the version of the package", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await cli.run("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("info", () => {
  it("tells shape, matrices, samples and columns", async () => {
    const { code, stdout } = await cli.run("info", store, "--json");
    const stored = samples.reduce(
      (sum, { layers }) => sum + (layers.get("counts") as SparseMatrix).data.length,
      0,
    );
    expect(code).toBe(0);
    const info = JSON.parse(stdout);
    expect(info).toMatchObject({
      shape: [CELLS, new Set(samples.flatMap((sample) => textValues(sample.var.index))).size],
      matrices: [
        { name: "counts", type: "uint16", storedValues: stored, fragments: 1 },
        { name: "log-norm", type: "float32", storedValues: stored, fragments: 1 },
      ],
      samples: [
        { name: "sample_1", start: 0, end: 39 },
        { name: "sample_2", start: 40, end: 79 },
      ],
      geneAnnotationColumns: [
        "cellarr_gene_index",
        ...["total", "mean", "variance", "detected"].map((what) => `cellarr_counts_${what}`),
        ...["total", "mean", "variance", "detected"].map((what) => `cellarr_log_norm_${what}`),
      ],
    });
    expect(info.cellMetadataColumns).toEqual(
      expect.arrayContaining(["cellarr_sample", "tissue", "n_counts", "missing"]),
    );
    const forPeople = await cli.run("info", store);
    expect(forPeople.stdout).toContain("80 cells x");
    expect(forPeople.stdout).not.toContain("\u001b");
  });

  it("tells of a store of before 0.3, whose matrix has no group", async () => {
    const old = fileURLToPath(
      new URL("../../spec-fixtures/cellarr-0.1.3/store.small/dataset", import.meta.url),
    );
    const { code, stdout, stderr } = await cli.run("info", old, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      shape: [12, 12],
      matrices: [{ name: "counts", geneIndex: "none" }],
      samples: [
        { name: "sample_1", start: 0, end: 6 },
        { name: "sample_2", start: 7, end: 11 },
      ],
    });
  });
});

describe("query", () => {
  it("gives cells in the order asked and genes in the store's, with their metadata", async () => {
    const genes = ["gene_9", "gene_100", "gene_10", "gene_77"].filter((gene) =>
      samples.some((sample) => textValues(sample.var.index).includes(gene)),
    );
    const part = await query("--cells", "5,60,17,0:2", "--genes", genes.join(","));
    expect(part.cells).toEqual([5, 60, 17, 0, 1, 2]);
    expect(part.genes).toEqual([...genes].sort());
    expect(part.shape).toEqual([6, genes.length]);
    expect(part.cellMetadata.missing).toEqual(Array(6).fill("NA"));
    expect(part.cellMetadata.tissue).toEqual(["lung", "liver", "lung", "lung", "lung", "lung"]);
    const totals = samples.flatMap((sample) => columnValues(sample.obs.columns.get("n_counts")!));
    expect(part.cellMetadata.n_counts).toEqual(part.cells.map((cell) => totals[cell]));
    expect(part.geneAnnotation.cellarr_gene_index).toEqual(part.genes);
    for (const [name, { row, col, data }] of Object.entries(part.matrices)) {
      const found = new Map(row.map((r, i) => [`${r} ${col[i]}`, data[i]]));
      for (const [r, cell] of part.cells.entries()) {
        for (const [c, gene] of part.genes.entries()) {
          expect(found.get(`${r} ${c}`) ?? 0).toBe(expectedValue(name, cell, gene));
        }
      }
      const order = row.map((r, i) => r * part.genes.length + col[i]!);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  it("gives genes in the order asked, of every format", async () => {
    const root = await temporaryFolder();
    const names = ["gene_9", "gene_100", "gene_9", "gene_10"];
    const args = ["--cells", "7,3", "--genes", names.join(","), "--matrix", "counts", "--order", "asked"];
    const part = await query(...args);
    expect(part.genes).toEqual(names);
    expect(part.geneAnnotation.cellarr_gene_index).toEqual(names);
    const rows = [7, 3].map((cell) => names.map((name) => expectedValue("counts", cell, name)));
    const found = rows.map((row) => row.map(() => 0));
    const { row, col, data } = part.matrices.counts!;
    for (const [at, value] of data.entries()) found[row[at]!]![col[at]!] = value;
    expect(found).toEqual(rows);
    const path = join(root, "part.h5ad");
    const run = (...more: string[]) => cli.run("query", store, ...args, ...more);
    const [csv] = await Promise.all([run("--format", "csv"), run("--format", "h5ad", "-o", path)]);
    expect(csv.stdout).toBe(`cell,${names.join(",")}\n7,${rows[0]}\n3,${rows[1]}\n`);
    expect(textValues((await readH5ad(path)).var.index)).toEqual(names);
    expectFailure(await run("--order", "random"), 2, /--order random: expected store, asked/);
  });

  it("takes genes by a condition on their annotation", async () => {
    const all = await query("--cells", "0");
    const detected = all.geneAnnotation.cellarr_counts_detected as number[];
    const expected = all.genes.filter((_, at) => detected[at]! > 20);
    expect(expected.length).toBeGreaterThan(0);
    const where = ["--genes-where", "cellarr_counts_detected > 20"];
    expect((await query("--cells", "0", ...where)).genes).toEqual(expected);
    const path = join(await temporaryFolder(), "part.h5ad");
    const exported = await cli.run("export", store, ...where, "--format", "h5ad", "-o", path);
    expect(exported.code).toBe(0);
    expect(textValues((await readH5ad(path)).var.index)).toEqual(expected);
    await expectFailures(
      [
        [["query", store, ...where, "--genes", "gene_1"], /--genes contradicts --genes-where/],
        [["query", store, "--genes-where", "a =="], /--genes-where: condition: expected/],
      ],
      2,
    );
  });

  it("writes the same CSV as an export", async () => {
    const root = await temporaryFolder();
    const [queried, exported] = [join(root, "queried"), join(root, "exported")];
    const asked = [store, "--cells", "70:79,0", "--genes", "gene_1,gene_2", "--format", "csv"];
    const outcomes = await Promise.all([
      cli.run("query", ...asked, "-o", `${queried}/`),
      cli.run("export", ...asked, "-o", exported),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    const names = readdirSync(exported).sort();
    expect(readdirSync(queried).sort()).toEqual(names);
    expect(names).toHaveLength(4);
    for (const name of names) {
      expect(await readFile(join(queried, name), "utf8"), name).toBe(
        await readFile(join(exported, name), "utf8"),
      );
    }
  });

  it("keeps the cells that conditions, samples and indices have in common", async () => {
    const totals = samples.flatMap((sample) => columnValues(sample.obs.columns.get("n_counts")!)) as number[];
    const middle = [...totals].sort((a, b) => a - b)[40]!;
    const matching = totals.flatMap((total, cell) => (total > middle && cell >= 40 ? [cell] : []));
    expect(matching.length).toBeGreaterThan(0);
    const where = `tissue == 'liver' and n_counts > ${middle}`;
    const one = ["--genes", "gene_1", "--matrix", "counts"];
    expect((await query("--where", where, ...one)).cells).toEqual(matching);
    expect((await query("--sample", "sample_2", ...one)).cells).toEqual(
      Array.from({ length: 40 }, (_, i) => 40 + i),
    );
    const part = await query("--where", where, "--cells", "79,0:60", ...one);
    expect(part.cells).toEqual(
      [79, ...Array.from({ length: 61 }, (_, i) => i)].filter((cell) => matching.includes(cell)),
    );
    expect(Object.keys(part.matrices)).toEqual(["counts"]);
    expect((await query("--where", "tissue == 'nowhere'", ...one)).shape).toEqual([0, 1]);
  });

  it("writes csv and mtx to standard output, and folders", async () => {
    const args = ["query", store, "--cells", "0:1", "--genes", "gene_1,gene_2,gene_3"];
    const csv = await cli.run(...args, "--matrix", "counts", "--format", "csv");
    const value = (cell: number, gene: string): number => expectedValue("counts", cell, gene);
    const line = (cell: number): string =>
      `${cell},${["gene_1", "gene_2", "gene_3"].map((gene) => value(cell, gene))}`;
    expect(csv.stdout).toBe(`cell,gene_1,gene_2,gene_3\n${line(0)}\n${line(1)}\n`);
    const target = join(folder, "parts");
    const mtx = await cli.run(...args, "--format", "mtx", "-o", `${target}/`);
    expect(mtx).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readdirSync(target).sort()).toEqual([
      "cell_metadata.csv",
      "counts.mtx",
      "gene_annotation.csv",
      "log-norm.mtx",
    ]);
    const [header, , shape, ...lines] = (await readFile(join(target, "counts.mtx"), "utf8"))
      .trimEnd()
      .split("\n");
    expect(header).toBe("%%MatrixMarket matrix coordinate integer general");
    expect(shape).toBe(`2 3 ${lines.length}`);
    for (const entry of lines) {
      const [row, column, count] = entry.split(" ").map(Number);
      expect(count).toBe(value(row! - 1, `gene_${column}`));
    }
    expect((await readFile(join(target, "gene_annotation.csv"), "utf8")).split("\n")[1]).toMatch(
      /^gene_1,gene_1,\d/,
    );
    expectFailure(await cli.run(...args, "--format", "csv"), 2, /one matrix a file/);
  });

  it("writes h5ad, replacing what was there", async () => {
    const path = join(folder, "part.h5ad");
    for (const last of [3, 5]) {
      const written = await cli.run("query", store, "--cells", `0:${last}`, "--format", "h5ad", "-o", path);
      expect(written).toEqual({ code: 0, stdout: "", stderr: "" });
    }
    const part = await readH5ad(path);
    expect(part.shape[0]).toBe(6);
    expect([...part.layers.keys()]).toEqual(["counts", "log-norm"]);
    expect(columnValues(part.obs.columns.get("tissue")!)).toEqual(Array(6).fill("lung"));
  });

  it("shows a table to people", async () => {
    const { stdout } = await cli.run("query", store, "--cells", "0:20", "--genes", "gene_1");
    expect(stdout).toContain("21 cells x 1 gene\n");
    expect(stdout).toContain("… and 10 more cells");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("export", () => {
  it("writes what was asked for, and says so", async () => {
    const target = join(await temporaryFolder(), "tenx");
    const args = ["export", store, "--format", "10x", "--matrix", "counts", "--cells", "7,3", "-o", target];
    const { code, stdout, stderr } = await cli.run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^exported 2 cells x \d+ genes, 1 matrix \(counts\), to /);
    expect(readdirSync(target).sort()).toEqual(["barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"]);
    expect(gunzipSync(await readFile(join(target, "barcodes.tsv.gz"))).toString()).toBe("7\n3\n");
    expectFailure(await cli.run(...args), 1, /there already/);
    const again = await cli.run(...args, "--overwrite", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ format: "10x", matrices: ["counts"], output: target });
  });

  it("takes genes in the order asked, of every format", async () => {
    const root = await temporaryFolder();
    const names = textValues(samples[0]!.var.index).slice(0, 3).map(String).toSorted().toReversed();
    const args = ["--cells", "5,0:2", "--genes", names.join(","), "--order", "asked"];
    const formats = ["h5ad", "summarized-experiment", "arrow", "csv"];
    const outcomes = await mapBounded(formats, 2, (format) =>
      cli.run("export", store, "--format", format, "-o", join(root, format), ...args),
    );
    for (const { code, stderr } of outcomes) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(textValues((await readH5ad(join(root, "h5ad"))).var.index)).toEqual(names);
    const lines = (await readFile(join(root, "csv", "counts.csv"), "utf8")).trimEnd().split("\n");
    expect(lines[0]).toBe(`cell,${names.join(",")}`);
    for (const [at, cell] of [5, 0, 1, 2].entries()) {
      const values = names.map((name) => expectedValue("counts", cell, name));
      expect(lines[at + 1]).toBe(`${cell},${values.join(",")}`);
    }
    expect(readdirSync(root).sort()).toEqual([...formats].sort());
  });

  it("says what is wrong with its options", async () => {
    const to = ["-o", join(await temporaryFolder(), "x")];
    await expectFailures(
      [
        [["export", store, "--format", "xlsx", ...to], /expected h5ad, summarized-experiment/],
        [["export", store, "--format", "csv", "--order", "random", ...to], /expected store, asked/],
        [["export", store, "--format", "10x", ...to], /choose with --matrix/],
        [["export", store, "--format", "csv"], /--output/],
      ],
      2,
    );
  });
});

describe("index", () => {
  it("makes copies by gene, keeps them while they are current, takes them away", async () => {
    const path = join(folder, "indexed");
    const build = ["build", "--out", path, "--no-gene-index", "--layout", "python", ...matrixArgs];
    expect(await cli.run(...build, ...files)).toMatchObject({ code: 0, stderr: "" });
    const index = async (...args: string[]) =>
      JSON.parse((await cli.run("index", path, "--json", ...args)).stdout);
    const states = async () =>
      JSON.parse((await cli.run("info", path, "--json")).stdout).matrices.map(
        ({ geneIndex }: { geneIndex: string }) => geneIndex,
      );
    expect(await states()).toEqual(["none", "none"]);
    expect((await index("--matrix", "counts")).matrices).toMatchObject([
      { matrix: "counts", outcome: "made" },
    ]);
    expect(await states()).toEqual(["current", "none"]);
    expect((await index()).matrices).toMatchObject([
      { matrix: "counts", outcome: "kept" },
      { matrix: "log-norm", outcome: "made" },
    ]);
    expect(await states()).toEqual(["current", "current"]);
    expect(await index("--remove")).toEqual({ removed: ["counts", "log-norm"] });
    expect(readdirSync(path)).not.toContain("assays_by_gene");
    expect(await states()).toEqual(["none", "none"]);
    const wrong = await cli.run("index", path, "--matrix", "nothere");
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect((await cli.run("index", path, "--force", "--remove")).code).toBe(2);
  });
});

describe("array", () => {
  it("read prints every value of a matrix", async () => {
    const genes = (await query("--cells", "0")).genes;
    const { stdout } = await cli.run("array", "read", join(store, "assays", "counts"));
    const cells = ndjson(stdout) as { cell_index: number; gene_index: number; data: number }[];
    const stored = samples.reduce(
      (sum, { layers }) => sum + (layers.get("counts") as SparseMatrix).data.length,
      0,
    );
    expect(cells).toHaveLength(stored);
    for (const { cell_index, gene_index, data } of cells) {
      expect(data).toBe(expectedValue("counts", cell_index, genes[gene_index]!));
    }
    expect(Object.keys(cells[0]!)).toEqual(["cell_index", "gene_index", "data"]);
  });

  it("read takes ranges, attributes, conditions and limits", async () => {
    const metadata = join(store, "cell_metadata");
    const tail = await cli.run("array", "read", metadata, "--range", "__tiledb_rows=78:", "--attr", "tissue");
    expect(ndjson(tail.stdout)).toEqual([
      { __tiledb_rows: "78", tissue: "liver" },
      { __tiledb_rows: "79", tissue: "liver" },
    ]);
    const counts = join(store, "assays", "counts");
    const large = await cli.run(
      "array",
      "read",
      counts,
      "--where",
      "data > 3",
      "--range",
      "cell_index=0:9",
      "--limit",
      "4",
    );
    const cells = ndjson(large.stdout);
    expect(cells).toHaveLength(4);
    expect(cells.every((cell) => Number(cell.data) > 3)).toBe(true);
    const two = await cli.run(
      "array",
      "read",
      counts,
      "--range",
      "cell_index=7",
      "--range",
      "cell_index=3:4",
    );
    expect([...new Set(ndjson(two.stdout).map((cell) => cell.cell_index))]).toEqual([3, 4, 7]);
  });

  it("read prints every cell of a dense range, also where nothing was written", async () => {
    const dense = { store: new NodeFsStore(folder), path: "dense" };
    await createArray(dense, {
      arrayType: "dense",
      dimensions: [{ name: "x", datatype: "int32", domain: [0, 99], tileExtent: 10 }],
      attributes: [{ name: "a", datatype: "float32" }],
    });
    await writeDense(dense, [[0, 1]], { a: Float32Array.of(0.5, -1) });
    const read = async (...range: string[]) =>
      ndjson((await cli.run("array", "read", join(folder, "dense"), ...range)).stdout);
    expect(await read()).toEqual([
      { x: 0, a: 0.5 },
      { x: 1, a: -1 },
    ]);
    expect(await read("--range", "x=50:51", "--range", "x=99")).toEqual(
      [50, 51, 99].map((x) => ({ x, a: "NaN" })),
    );
  });

  it("read explains its plan", async () => {
    const counts = join(store, "assays", "counts");
    const { stdout } = await cli.run("array", "read", counts, "--range", "cell_index=7", "--explain");
    const plan = JSON.parse(stdout);
    expect(plan.ranges[0]).toEqual([[7, 7]]);
    expect(plan.totals.requests).toBeGreaterThan(0);
  });

  it("inspect prints JSON, or tables for people", async () => {
    const uri = join(store, "assays", "counts");
    const inspected = JSON.parse((await cli.run("array", "inspect", uri, "--json")).stdout);
    expect(inspected).toMatchObject({
      uri,
      arrayType: "sparse",
      formatVersion: 22,
      dimensions: [{ name: "cell_index", type: "uint32", domain: [0, 4294967294] }, { name: "gene_index" }],
      attributes: [
        { name: "data", type: "uint16", cellValNum: 1, nullable: false, fill: 65535, enumeration: null },
      ],
      fragments: [{ formatVersion: 22, nonEmptyDomain: [[0, 79], expect.anything()] }],
    });
    expect((await cli.run("array", "inspect", uri)).stdout).toContain("sparse array, format version 22");
  });

  it("read ends quietly when the reader has seen enough", async () => {
    const uri = join(store, "assays", "counts");
    // More than a pipe holds, so that the writer notices that its reader has gone.
    expect((await cli.run("array", "read", uri)).stdout.length).toBeGreaterThan(65_536);
    const piped = await cli.shell(`{ $CELLARR array read ${uri}; echo "code $?" >&2; } | head -n 1`);
    expect(piped.stdout.split("\n")).toHaveLength(2);
    expect(piped.stderr).toBe("code 0\n");
  });
});

describe("failures", () => {
  it("are one line on stderr with code 1 for what is not there or wrong", async () => {
    const counts = join(store, "assays", "counts");
    const missing = join(folder, "missing");
    const cases: [string[], RegExp][] = [
      [["info", missing], /no such folder .*missing/],
      [["info", folder], /no cellarr store/],
      [["query", store, "--genes", "gene_1,nope"], /no gene of that name: 'nope'/],
      [["query", store, "--cells", "0:80"], /cell 80 does not exist, expected 0 to 79/],
      [["query", store, "--cells", "0:80,3"], /cell 80 does not exist, expected 0 to 79/],
      [["query", store, "--matrix", "nope"], /no matrix 'nope'; there are: 'counts', 'log-norm'/],
      [["query", store, "--sample", "nope"], /no sample 'nope', expected one of: 'sample_1', 'sample_2'/],
      [["query", store, "--where", "nope == 1"], /'nope'/],
      [["array", "inspect", missing], /missing/],
      [["array", "inspect", store], /no array/],
      [["array", "read", counts, "--attr", "nope"], /no attribute 'nope', expected one of: data/],
      [
        ["array", "read", counts, "--range", "nope=1"],
        /no dimension 'nope', expected one of: cell_index, gene_index/,
      ],
      [["array", "read", counts, "--range", "cell_index=4294967295"], /outside the domain/],
      [["array", "read", counts, "--encryption-key", "k"], /encryption key of 1 bytes, expected 32/],
      [["build", "--out", join(folder, "new"), missing], /missing/],
      [["build", "--out", store, files[0]!], /holds a store already; --overwrite replaces it/],
      [
        ["build", "--out", join(folder, "new"), "--gene-annotation", missing, files[0]!],
        /--gene-annotation: no such file/,
      ],
      [["build", "--out", join(folder, "new"), "--matrix", "nope", files[0]!], /'nope'/],
      [
        ["build", "--out", join(folder, "new"), "--matrix", "log-norm:uint8", files[0]!],
        /--misfit.*sample_1/,
      ],
      [["demo", missing], /no such file .*missing/],
      [["build", "--out", files[0]!, files[0]!], /there is a file, expected a folder or nothing .*sample_1/],
      [
        ["build", "--out", join(files[0]!, "a", "b"), files[0]!],
        /there is a file, expected a folder or nothing/,
      ],
      [["query", store, "--format", "csv", "-o", join(files[0]!, "a/")], /cannot make the folder: ENOTDIR/],
      [["query", store, "--format", "json", "-o", folder], /cannot write the file: EISDIR/],
    ];
    await expectFailures(cases, 1);
    expect(existsSync(join(folder, "new"))).toBe(false);
  });

  it("are code 2 for wrong usage", async () => {
    const counts = join(store, "assays", "counts");
    const cases: [string[], RegExp][] = [
      [["nope"], /unknown command 'nope'/],
      [["info"], /missing required argument 'store'/],
      [["info", store, "--nope"], /unknown option '--nope'/],
      [["build", files[0]!], /required option '-o, --out <store>'/],
      [
        ["build", "--out", store, "--matrix", "counts:int12", files[0]!],
        /unknown type 'int12', expected int8/,
      ],
      [
        ["build", "--out", store, "--threads", "0", files[0]!],
        /--threads 0: expected a whole number from 1 on/,
      ],
      [
        ["build", "--out", store, "--misfit", "no", files[0]!],
        /--misfit no: expected error, round, clip, round-clip/,
      ],
      [["query", store, "--cells", "3:1"], /ends before it starts/],
      [["query", store, "--where", "tissue =="], /--where: /],
      [["array", "read", counts, "--where", "data >"], /--where: /],
      [["query", store, "--format", "xml"], /--format xml: expected json, csv, mtx or h5ad/],
      [["query", store, "--format", "h5ad"], /needs a file: -o/],
      [["query", store, "--format", "h5ad", "-o", folder], /needs a file: -o/],
      [["array", "read", counts, "--range", "cell_index"], /expected DIM=LO:HI/],
      [["array", "read", counts, "--range", "cell_index=a"], /'a' is not an integer/],
      [["array", "read", counts, "--timestamp", "x"], /expected T or T1:T2/],
      [["array", "read", counts, "--format", "xml"], /--format xml: expected ndjson/],
    ];
    await expectFailures(cases, 2);
  });

  it("name a cut file and leave nothing behind", async () => {
    const cut = join(folder, "cut.h5ad");
    await writeFile(cut, await readFile(files[0]!));
    await truncate(cut, 20_000);
    const target = join(folder, "from-cut");
    expectFailure(await cli.run("build", "--out", target, files[1]!, cut), 1, /cut\.h5ad/);
    expect(existsSync(target)).toBe(false);
  });

  it("show the stack with --debug only", async () => {
    const { stderr } = await cli.run("info", join(folder, "missing"), "--debug");
    expect(stderr).toMatch(/^cellarr: .*\nNotFoundError: /);
    expect(stderr).toContain("\n    at ");
  });
});

describe("interrupting", () => {
  it("a build removes what it wrote", async () => {
    const large = join(folder, "large.h5ad");
    await writeH5ad(new Simulator({ cells: 2000, genes: 3000 }).sample(0), large);
    const target = join(folder, "interrupted");
    const begun = (): boolean =>
      existsSync(target) &&
      readdirSync(target).some((name) => existsSync(join(target, name, "new", "assays")));
    // Many samples: on a busy machine the signal comes late, and must still come before the build is done.
    const outcome = await cli.interrupt(
      begun,
      "build",
      "--out",
      target,
      ...new Array<string>(12).fill(large),
    );
    expect(outcome).toEqual({ code: 130, stdout: "", stderr: "cellarr: interrupted\n" });
    expect(existsSync(target)).toBe(false);
  });
});

describe("demo", () => {
  it("builds, queries and says what to try next", async () => {
    const place = await temporaryFolder();
    const out = join(place, "store");
    const args = ["demo", "--cells", "30", "--genes", "200", "--samples", "2", "--out", out];
    const { code, stdout, stderr } = await cli.runIn(place, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("60 cells x");
    expect(stdout).toContain("11 cells x 5 genes");
    const commands = stdout.split("\n").filter((line) => line.includes("npm run --silent cellarr -- query"));
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) {
      const shown = await cli.shell(
        `cd ${place} && ${command.replace("npm run --silent cellarr --", "$CELLARR")}`,
      );
      expect({ command, code: shown.code, stderr: shown.stderr }).toEqual({ command, code: 0, stderr: "" });
    }
    const again = await cli.runIn(place, "demo", "--out", out, files[0]!);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(
      /^cellarr: the folder holds a store already; --overwrite replaces it[^\n]*\n$/,
    );
  });

  it("takes any H5AD files", async () => {
    const place = await temporaryFolder();
    const file = fileURLToPath(new URL("../../spec-fixtures/h5ad/anndata-0.7.8.h5ad", import.meta.url));
    const { code, stdout, stderr } = await cli.runIn(place, "demo", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(file);
    expect(stdout).toContain("4. Try next");
  });
});
