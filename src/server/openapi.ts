import { contentTypes, type Format } from "./formats.js";

/** The routes as an OpenAPI 3.1 document, served at /openapi.json. */

const text = { type: "string" } as const;
const count = { type: "integer", minimum: 0 } as const;
const list = { type: "array", items: text } as const;

const query: Readonly<Record<string, readonly [schema: object, description: string]>> = {
  format: [{ enum: ["json", "csv", "arrow"] }, "Form of the answer, before the Accept header"],
  cells: [text, "Numbers of cells in the store: 0:10 (both ends included), 5,300,17 or mixed; default all"],
  where: [text, "Condition on the rows' columns, as tissue == 'lung' and n_genes > 500"],
  sample: [text, "Only cells of this sample"],
  genes: [list, "Names of genes; default all"],
  geneWhere: [text, "Condition on the gene annotation"],
  prefix: [text, "Only genes whose names start so, in any case of letters"],
  rows: [text, "Numbers of rows in the store, written as cells are"],
  samples: [list, "Names of samples; default all"],
  order: [{ enum: ["store", "asked"] }, "Order of genes; default store"],
  matrix: [list, "Names of matrices; CSV and Arrow hold one"],
  layout: [{ enum: ["dense", "long"] }, "Of CSV: a column per gene (default), or a line per stored value"],
  columns: [list, "Columns of metadata; default all"],
  geneColumns: [list, "Columns of gene annotation; default all"],
  offset: [count, "Rows to leave out, of those that are asked for"],
  limit: [count, "Rows of the answer"],
};

const rowsOf = {
  cells: ["cells", "where", "sample"],
  genes: ["genes", "rows", "where", "prefix", "order"],
  samples: ["samples", "rows", "where"],
} as const;

const paging = ["columns", "offset", "limit", "format"];

const sliceNames = ["cells", "where", "sample", "genes", "geneWhere", "order", "matrix", "layout", "columns"];

const storeParameter = { name: "store", in: "path", required: true, schema: text };

export function openApi(basePath: string): object {
  return {
    openapi: "3.1.0",
    info: { title: "cellarr", version: "1", description: "Stores of many single-cell experiments." },
    servers: [{ url: basePath === "" ? "/" : basePath }],
    paths: {
      "/stores": { get: operation("Names of the stores", [], ["json"]) },
      "/stores/{store}": {
        parameters: [storeParameter],
        get: operation("Shape, matrices, columns and samples of a store", [], ["json"]),
      },
      "/stores/{store}/cells": asked("Cell metadata", [...rowsOf.cells, ...paging]),
      "/stores/{store}/genes": asked("Gene annotation", [...rowsOf.genes, ...paging]),
      "/stores/{store}/samples": asked("Sample metadata", [...rowsOf.samples, ...paging]),
      "/stores/{store}/slice": asked("Cells x genes", [
        ...sliceNames,
        ...["geneColumns", "offset", "limit", "format"],
      ]),
    },
  };
}

/** GET with a query, and POST with the same names in a JSON object. */
function asked(summary: string, names: readonly string[]): object {
  const formats = ["json", "csv", "arrow"] as const;
  const { responses } = operation(summary, [], formats);
  const schema = { type: "object", properties: Object.fromEntries(names.map((name) => [name, {}])) };
  return {
    parameters: [storeParameter],
    get: operation(summary, names, formats),
    post: {
      summary: `${summary}: as GET, lists as arrays`,
      requestBody: { content: { "application/json": { schema } } },
      responses,
    },
  };
}

function operation(summary: string, names: readonly string[], formats: readonly Format[]) {
  const types = formats.map((format) => contentTypes[format].split(";")[0]!);
  const content = Object.fromEntries(types.map((type) => [type, {}]));
  const problem = { description: "Problem", content: { "application/problem+json": {} } };
  return {
    summary,
    parameters: names.map((name) => {
      const [schema, description] = query[name]!;
      const isList = schema === list;
      return { name, in: "query", description, schema, ...(isList ? { style: "form", explode: false } : {}) };
    }),
    responses: {
      "200": { description: "OK", content },
      "304": { description: "Not modified" },
      default: problem,
    },
  };
}
