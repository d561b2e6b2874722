import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { CellArrDataset } from "../../src/cellarr/dataset.js";
import { isCellarrError } from "../../src/errors.js";
import { columnValues, textValues } from "../../src/util/frame.js";
import { denseRows } from "../cellarr/samples.js";
import { patience, runs } from "../support/property.js";
import { type Ask, arrowRows, asking, buildSmall, denseOf, genes } from "./support.js";

/** Whatever is asked of the handler is what the dataset answers, in every form. */

let dataset: CellArrDataset;
let ask: Ask;

beforeAll(async () => {
  ({ dataset } = await buildSmall());
  ask = asking(dataset);
});

const conditions = ["age > 25", "tissue == 'lung'", "age >= 3 and not (tissue is None)", "age < 0"];

const queries = fc.record({
  cells: fc.option(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 6 }), { nil: undefined }),
  where: fc.option(fc.constantFrom(...conditions), { nil: undefined }),
  sample: fc.option(fc.constantFrom("sample_1", "sample_2"), { nil: undefined }),
  genes: fc.option(fc.uniqueArray(fc.constantFrom(...genes, "gX"), { minLength: 1 }), { nil: undefined }),
  order: fc.option(fc.constantFrom("store" as const, "asked" as const), { nil: undefined }),
  matrix: fc.constantFrom("counts", "twice"),
  format: fc.constantFrom("json" as const, "csv" as const, "arrow" as const),
});

type Query = typeof queries extends fc.Arbitrary<infer Q> ? Q : never;

/** The rows that the query means, said otherwise than the handler does. */
async function expectedCells({ cells, where, sample }: Query): Promise<number[]> {
  const ages = columnValues(await dataset.getCellMetadataColumn("age")) as number[];
  const tissues = columnValues(await dataset.getCellMetadataColumn("tissue"));
  const holds: Record<string, (cell: number) => boolean> = {
    "age > 25": (cell) => ages[cell]! > 25,
    "tissue == 'lung'": (cell) => tissues[cell] === "lung",
    "age >= 3 and not (tissue is None)": (cell) => ages[cell]! >= 3 && tissues[cell] !== null,
    "age < 0": () => false,
  };
  const all = cells ?? Array.from({ length: 12 }, (_, cell) => cell);
  return all
    .filter((cell) => where === undefined || holds[where]!(cell))
    .filter((cell) => sample === undefined || cell < 7 === (sample === "sample_1"));
}

function bodyOf(query: Query): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(query) };
}

function urlOf({ cells, genes: names, ...texts }: Query): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(texts)) if (value !== undefined) query.set(name, value);
  if (cells !== undefined) query.set("cells", cells.join(","));
  for (const name of names ?? []) query.append("genes", name);
  return `/stores/store/slice?${query}`;
}

it(
  "a slice",
  async () => {
    await fc.assert(
      fc.asyncProperty(queries, fc.boolean(), async (query, byPost) => {
        const { format, matrix, order } = query;
        const asJson = byPost || query.genes?.some((name) => name.includes(","));
        const response = asJson ? await ask("/stores/store/slice", bodyOf(query)) : await ask(urlOf(query));
        if (query.cells?.includes(12)) {
          expect(response.status).toBe(400);
          return;
        }
        const cells = await expectedCells(query);
        const part = await dataset
          .getSlice(cells, query.genes ?? undefined, { order, matrices: [matrix] })
          .catch((error: unknown) => {
            if (isCellarrError(error, "NOT_FOUND")) return null;
            throw error;
          });
        expect(response.status).toBe(part === null ? 404 : 200);
        if (part === null) return;
        const names = textValues(part.geneAnnotation.index);
        const rows = denseRows(part.matrix(matrix));
        if (format === "json") {
          const answer = await response.json();
          expect([answer.cells, answer.genes]).toEqual([cells, names]);
          expect(denseOf(answer.matrices[matrix], part.shape)).toEqual(rows);
          expect(answer.cellMetadata.age).toEqual(columnValues(part.cellMetadata.columns.get("age")!));
        } else if (format === "csv") {
          const lines = (await response.text()).trimEnd().split("\n").slice(1);
          expect(lines).toEqual(rows.map((row, at) => [cells[at], ...row].join(",")));
        } else {
          const stored = rows.flatMap((row, at) =>
            row.flatMap((value, gene) =>
              value === 0 ? [] : [{ cell: cells[at], gene: names[gene], value }],
            ),
          );
          expect(await arrowRows(response)).toEqual(stored);
        }
      }),
      { numRuns: runs(80, 2000) },
    );
  },
  patience(60_000),
);

const names = fc.constantFrom(
  ...[
    "cells",
    "where",
    "sample",
    "genes",
    "geneWhere",
    "prefix",
    "rows",
    "samples",
    "order",
    "matrix",
    "layout",
  ],
  ...["columns", "geneColumns", "offset", "limit", "format", "nonsense"],
);
const values = fc.oneof(
  fc.constantFrom(
    "0",
    "0:3",
    ":",
    "1:",
    "9:2",
    "gA1",
    "gA1,gC",
    "sample_1",
    "counts",
    "csv",
    "arrow",
    "long",
    "age",
  ),
  fc.constantFrom(
    "age > 3",
    "tissue is None",
    "not (age < 3",
    "age in [1, 2",
    "attr('x') == 1",
    "1e400",
    "-1",
    "",
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const paths = fc.oneof(
  fc.constantFrom("cells", "genes", "samples", "slice", "").map((part) => `/stores/store/${part}`),
  fc.webPath(),
);
const accepts = fc.oneof(
  fc.constantFrom("*/*", "text/csv", "application/*;q=0.3, text/csv;q=x", ";,;"),
  fc.string(),
);

it(
  "whatever else is asked is answered, and never with a fault of ours",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        paths,
        fc.array(fc.tuple(names, values), { maxLength: 4 }),
        fc.constantFrom("GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"),
        accepts,
        async (path, asked, method, accept) => {
          const headers = new Headers({ "content-type": "application/json" });
          try {
            headers.set("accept", accept);
          } catch {
            headers.set("accept", "*/*");
          }
          const body = method === "POST" ? { body: JSON.stringify(Object.fromEntries(asked)) } : {};
          const query = method === "POST" ? "" : `?${new URLSearchParams(asked)}`;
          const response = await ask(`${path}${query}`, { method, headers, ...body });
          expect([200, 204, 400, 404, 405, 406, 413, 415]).toContain(response.status);
          const text = await response.text();
          if (response.status < 300 || method === "HEAD") return;
          expect(response.headers.get("content-type")).toBe("application/problem+json");
          expect(JSON.parse(text).status).toBe(response.status);
        },
      ),
      { numRuns: runs(300, 10_000) },
    );
  },
  patience(60_000),
);
