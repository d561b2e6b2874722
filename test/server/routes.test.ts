import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, it } from "vitest";
import type { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { columnValues, type Frame } from "../../src/util/frame.js";
import { denseRows } from "../cellarr/samples.js";
import { type Ask, arrowRows, asking, buildSmall, denseOf, genes } from "./support.js";

/** Every route in every form answers what the library answers. */

let dataset: CellArrDataset;
let ask: Ask;

beforeAll(async () => {
  const built = await buildSmall();
  dataset = built.dataset;
  ask = asking({ small: built.place, "with space/and slash": dataset });
});

const json = async (path: string, init?: RequestInit) => {
  const response = await ask(path, init);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  return response.json();
};
const csv = async (path: string) => {
  const response = await ask(path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/csv; charset=utf-8"]);
  return parse(await response.text()) as string[][];
};
/** 64-bit integers are texts in JSON. */
const plain = (frame: Frame) =>
  Object.fromEntries(
    [...frame.columns].map(([name, column]) => [
      name,
      columnValues(column).map((value) => (typeof value === "bigint" ? `${value}` : value)),
    ]),
  );

describe("stores", () => {
  it.each(["/", "/stores", "/stores/"])("%s lists them", async (path) => {
    expect(await json(path)).toEqual({
      stores: [
        { name: "small", path: "/stores/small" },
        { name: "with space/and slash", path: "/stores/with%20space%2Fand%20slash" },
      ],
    });
  });

  it.each(["/stores/small", "/stores/with%20space%2Fand%20slash"])("%s is a summary", async (path) => {
    expect(await json(path)).toEqual({
      name: decodeURIComponent(path.slice("/stores/".length)),
      shape: [12, 6],
      matrices: ["counts", "twice"].map((matrix) => ({
        name: matrix,
        dtype: matrix === "counts" ? "uint16" : "float32",
        storedValues: dataset.getMatrixInfo(matrix).storedValues,
      })),
      cellColumns: dataset.getCellMetadataColumns(),
      geneColumns: dataset.getGeneAnnotationColumns(),
      sampleColumns: dataset.getSampleMetadataColumns(),
      numberOfSamples: 2,
      samples: [
        { name: "sample_1", start: 0, end: 6 },
        { name: "sample_2", start: 7, end: 11 },
      ],
    });
  });

  it("a single one is called store", async () => {
    expect(await (await asking(dataset)("/stores")).json()).toEqual({
      stores: [{ name: "store", path: "/stores/store" }],
    });
  });

  it("lie below a base path, and nowhere else", async () => {
    const below = asking(dataset, { basePath: "/api/v1/" });
    expect((await below("/api/v1/stores/store")).status).toBe(200);
    expect(await (await below("/api/v1")).json()).toEqual({
      stores: [{ name: "store", path: "/api/v1/stores/store" }],
    });
    expect((await below("/stores")).status).toBe(404);
    expect((await below("/api/v1x/stores")).status).toBe(404);
    expect(await (await below("/api/v1/openapi.json")).json()).toMatchObject({
      servers: [{ url: "/api/v1" }],
    });
  });
});

describe("cells", () => {
  const all = "/stores/small/cells";

  it("come as JSON by columns", async () => {
    expect(await json(all)).toEqual({
      total: 12,
      offset: 0,
      rows: Array.from({ length: 12 }, (_, at) => at),
      columns: plain(await dataset.getCellSubset(slice())),
    });
  });

  it("in the order asked, repeats included, with the columns asked", async () => {
    expect(await json(`${all}?cells=9,2:4,9&columns=tissue,age`)).toEqual({
      total: 5,
      offset: 0,
      rows: [9, 2, 3, 4, 9],
      columns: plain(await dataset.getCellSubset([9, 2, 3, 4, 9], ["tissue", "age"])),
    });
    expect((await json(`${all}?cells=10:&cells=:1&columns=`)).rows).toEqual([10, 11, 0, 1]);
  });

  it("by condition and sample, alone and together", async () => {
    const rows = async (query: string) => (await json(`${all}?columns=&${query}`)).rows;
    expect(await rows(`where=${encodeURIComponent("age > 25 and tissue == 'lung'")}`)).toEqual([3, 6]);
    expect(await rows("sample=sample_2")).toEqual([7, 8, 9, 10, 11]);
    expect(await rows("sample=sample_2&where=age%3C3")).toEqual([7, 8]);
    expect(await rows("cells=8,7,1&where=age%3C3")).toEqual([8, 7]);
    expect(await rows("where=tissue%20is%20None")).toEqual([2, 5, 9]);
    expect(await rows("cells=")).toEqual([]);
  });

  it("come in pages, with a link to the next one", async () => {
    const first = await ask(`${all}?where=age%20%3E%200&limit=5&columns=age`);
    expect(first.headers.get("x-total-count")).toBe("12");
    const seen: number[] = [...(await first.json()).rows];
    let next = /^<(.+)>; rel="next"$/.exec(first.headers.get("link")!)?.[1];
    while (next !== undefined) {
      const page = await ask(`${all}${next}`);
      seen.push(...(await page.json()).rows);
      next = /<(.+)>/.exec(page.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => at));
    expect(await json(`${all}?offset=100`)).toMatchObject({ total: 12, offset: 100, rows: [] });
  });

  it("as CSV, empty where missing", async () => {
    expect(await csv(`${all}?cells=0:2&columns=tissue,age&format=csv`)).toEqual([
      ["cell", "tissue", "age"],
      ["0", "lung", "10"],
      ["1", "heart, left", "20"],
      ["2", "", "30"],
    ]);
  });

  it("as Arrow", async () => {
    const response = await ask(`${all}?cells=3,2&columns=tissue,age`, {
      headers: { accept: "application/vnd.apache.arrow.stream" },
    });
    expect(response.headers.get("content-type")).toBe("application/vnd.apache.arrow.stream");
    expect(await arrowRows(response)).toEqual([
      { cell_index: 3, tissue: "lung", age: 40 },
      { cell_index: 2, tissue: null, age: 30 },
    ]);
  });
});

describe("genes", () => {
  const all = "/stores/small/genes";

  it("come as JSON with their names", async () => {
    const names = await dataset.getGeneAnnotationIndex();
    expect([...names].sort()).toEqual([...genes].sort());
    expect(await json(all)).toEqual({
      total: 6,
      offset: 0,
      rows: [0, 1, 2, 3, 4, 5],
      names,
      columns: plain(await dataset.getGeneSubset(slice())),
    });
  });

  it("by name, row, condition and prefix", async () => {
    const names = async (query: string) => (await json(`${all}?columns=&${query}`)).names;
    expect(await names("genes=gB1,gA1")).toEqual(["gA1", "gB1"]);
    expect(await names("genes=gB1,gA1&order=asked")).toEqual(["gB1", "gA1"]);
    expect(await names("prefix=gb")).toEqual(["gB1", "gB2"]);
    expect(await names("prefix=gb&genes=gB2,gC")).toEqual(["gB2"]);
    expect(await names("prefix=x")).toEqual([]);
    expect(await names("rows=1:2")).toEqual((await dataset.getGeneAnnotationIndex()).slice(1, 3));
    const totals = columnValues(await dataset.getGeneAnnotationColumn("cellarr_counts_total")).map(Number);
    const middle = [...totals].sort((a, b) => a - b)[2]!;
    const larger = (await dataset.getGeneAnnotationIndex()).filter((_, at) => totals[at]! > middle);
    expect(larger.length).toBeGreaterThan(0);
    expect(await names(`where=cellarr_counts_total%20%3E%20${middle}`)).toEqual(larger);
  });

  it("as CSV and Arrow", async () => {
    const [gene] = await dataset.getGeneAnnotationIndex();
    expect(await csv(`${all}?rows=0&columns=cellarr_gene_index&format=csv`)).toEqual([
      ["gene", "cellarr_gene_index"],
      [gene, gene],
    ]);
    expect(await arrowRows(await ask(`${all}?rows=0&columns=&format=arrow`))).toEqual([
      { gene_index: 0, cellarr_gene_index: gene },
    ]);
  });
});

describe("samples", () => {
  const all = "/stores/small/samples";

  it("come in every form", async () => {
    expect(await json(all)).toEqual({
      total: 2,
      offset: 0,
      rows: [0, 1],
      columns: plain(await dataset.getSampleSubset(slice())),
    });
    expect((await json(`${all}?samples=sample_2`)).rows).toEqual([1]);
    expect((await json(`${all}?rows=1,0`)).rows).toEqual([1, 0]);
    expect((await json(`${all}?rows=1,0&samples=sample_1`)).rows).toEqual([0]);
    expect((await json(`${all}?where=cellarr_sample%3D%3D'sample_2'`)).rows).toEqual([1]);
    expect(await csv(`${all}?columns=cellarr_sample&format=csv`)).toEqual([
      ["sample", "cellarr_sample"],
      ["0", "sample_1"],
      ["1", "sample_2"],
    ]);
    expect(await arrowRows(await ask(`${all}?rows=1&columns=cellarr_sample&format=arrow`))).toEqual([
      { sample_index: 1, cellarr_sample: "sample_2" },
    ]);
  });
});

describe("slices", () => {
  const all = "/stores/small/slice";

  it("come as JSON with their metadata", async () => {
    const part = await dataset.getSlice([5, 1], ["gB1", "gA1"]);
    const answer = await json(`${all}?cells=5,1&genes=gB1,gA1`);
    expect(answer).toMatchObject({
      shape: [2, 2],
      cells: [5, 1],
      genes: ["gA1", "gB1"],
      cellMetadata: plain(part.cellMetadata),
      geneAnnotation: plain(part.geneAnnotation),
    });
    expect(Object.keys(answer.matrices)).toEqual(["counts", "twice"]);
    for (const name of part.matrixNames) {
      expect(denseOf(answer.matrices[name], [2, 2])).toEqual(denseRows(part.matrix(name)));
    }
  });

  it("by conditions, of the matrices and columns asked, in the order asked, page by page", async () => {
    const query = "where=tissue%3D%3D'lung'&genes=gC,gA2&order=asked&matrix=twice&columns=age&geneColumns=";
    const part = await dataset.getSlice("tissue == 'lung'", ["gC", "gA2"], { order: "asked" });
    const whole = await json(`${all}?${query}`);
    expect(whole).toMatchObject({ shape: [5, 2], genes: ["gC", "gA2"], geneAnnotation: {} });
    expect(Object.keys(whole.matrices)).toEqual(["twice"]);
    expect(whole.cellMetadata).toEqual({ age: plain(part.cellMetadata).age });
    expect(denseOf(whole.matrices.twice, [5, 2])).toEqual(denseRows(part.matrix("twice")));
    const second = await json(`${all}?${query}&offset=2&limit=2`);
    expect(second.cells).toEqual(whole.cells.slice(2, 4));
    expect(denseOf(second.matrices.twice, [2, 2])).toEqual(denseRows(part.matrix("twice")).slice(2, 4));
  });

  it("by a condition on genes", async () => {
    const condition = "cellarr_gene_index < 'gB'";
    const part = await dataset.getSlice([0], condition);
    expect(part.shape[1]).toBe(3);
    const answer = await json(`${all}?cells=0&geneWhere=${encodeURIComponent(condition)}`);
    expect(answer.geneAnnotation).toEqual(plain(part.geneAnnotation));
  });

  it("as CSV, dense and long, and as Arrow", async () => {
    const part = await dataset.getSlice(slice(0, 4), ["gA1", "g,D"]);
    const dense = denseRows(part.matrix("counts"));
    const query = `${all}?cells=0:4&matrix=counts&geneWhere=${encodeURIComponent("cellarr_gene_index in ['gA1', 'g,D']")}`;
    const names = (await json(query)).genes;
    expect(await csv(`${query}&format=csv`)).toEqual([
      ["cell", ...names],
      ...dense.map((row, cell) => [cell, ...row].map(String)),
    ]);
    const long = dense.flatMap((row, cell) =>
      row.flatMap((value, gene) => (value === 0 ? [] : [{ cell, gene: names[gene], value }])),
    );
    expect(long.length).toBeGreaterThan(1);
    expect(await csv(`${query}&format=csv&layout=long`)).toEqual([
      ["cell", "gene", "value"],
      ...long.map(({ cell, gene, value }) => [`${cell}`, gene, `${value}`]),
    ]);
    expect(await arrowRows(await ask(`${query}&format=arrow`))).toEqual(long);
  });

  it("of nothing are empty in every form", async () => {
    const query = `${all}?cells=&matrix=counts&genes=gA1`;
    expect(await json(query)).toMatchObject({ shape: [0, 1], matrices: { counts: { row: [] } } });
    expect(await csv(`${query}&format=csv`)).toEqual([["cell", "gA1"]]);
    expect(await arrowRows(await ask(`${query}&format=arrow`))).toEqual([]);
  });

  it("by POST, with lists that have commas in them", async () => {
    const post = (body: unknown) => ({
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    const answer = await json(
      all,
      post({ cells: [3, [1, 2], "0"], genes: ["g,D", "gC"], order: "asked", matrix: "counts" }),
    );
    const part = await dataset.getSlice([3, 1, 2, 0], ["g,D", "gC"], { order: "asked" });
    expect(answer).toMatchObject({ cells: [3, 1, 2, 0], genes: ["g,D", "gC"] });
    expect(denseOf(answer.matrices.counts, [4, 2])).toEqual(denseRows(part.matrix("counts")));
    const rows = await json("/stores/small/cells", post({ where: "age < 3", columns: ["age"], limit: 1 }));
    expect(rows).toEqual({ total: 2, offset: 0, rows: [7], columns: { age: [1] } });
    const found = await json("/stores/small/genes", post({ prefix: "GB", columns: [] }));
    expect(found.names).toEqual(["gB1", "gB2"]);
  });
});

it("describes its routes", async () => {
  const { openapi, paths } = await json("/openapi.json");
  expect(openapi).toMatch(/^3\.1/);
  expect(Object.keys(paths)).toEqual([
    "/stores",
    "/stores/{store}",
    ...["cells", "genes", "samples", "slice"].map((part) => `/stores/{store}/${part}`),
  ]);
  for (const [path, { get }] of Object.entries<{ get: { parameters: { name: string; schema: unknown }[] } }>(
    paths,
  )) {
    const known = get.parameters.map(({ name }) => name);
    const response = await ask(`${path.replace("{store}", "small")}?nonsense=1`);
    if (path === "/stores") continue;
    expect(response.status).toBe(400);
    const names = /there are: (.*)$/.exec((await response.json()).detail)![1]!;
    const listed = names === "none" ? [] : names.split(", ");
    expect([...known].sort(), path).toEqual(
      listed.filter((name) => path !== "/stores/{store}" || name !== "format").sort(),
    );
  }
});
