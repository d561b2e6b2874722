import { tableFromIPC } from "apache-arrow";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import type { CellArrDataset } from "../../src/cellarr/dataset.js";
import { createHandler, type HandlerOptions, type Stores } from "../../src/server.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { StoreLocation, WritableStore } from "../../src/storage/types.js";
import { experiment, numbers } from "../cellarr/samples.js";

/** A store of two samples with 12 cells and 6 genes, and requests to a handler. */

export const genes = ["gA1", "gA2", "gB1", "gB2", "gC", "g,D"];

const rows = Array.from({ length: 12 }, (_, cell) =>
  genes.map((_, gene) => ((cell * 7 + gene * 5) % 4 === 0 ? cell * 10 + gene + 1 : 0)),
);

export function smallFiles() {
  const file = (first: number, end: number, age: number[]) =>
    experiment({
      genes,
      rows: rows.slice(first, end),
      obs: {
        tissue: rows.slice(first, end).map((_, at) => ["lung", "heart, left", null][at % 3]!),
        age: numbers(...age),
      },
    });
  return [file(0, 7, [10, 20, 30, 40, 50, 60, 70]), file(7, 12, [1, 2, 3, 4, 5])];
}

export async function buildSmall(
  place: StoreLocation<WritableStore> = { store: new MemoryStore(), path: "small" },
): Promise<{ place: StoreLocation<WritableStore>; dataset: CellArrDataset }> {
  const dataset = await buildCellArrDataset({
    outputPath: place,
    files: smallFiles(),
    matrixOptions: [
      { matrixName: "counts", dtype: "uint16" },
      { matrixName: "twice", dtype: "float32" },
    ],
    cellMetadataOptions: { columnTypes: { tissue: "string", age: "float64" } },
  });
  return { place, dataset };
}

export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

export function asking(stores: Stores, options?: HandlerOptions): Ask {
  const handler = createHandler(stores, options);
  return (path, init) => handler(new Request(`http://server.test${path}`, init));
}

export async function arrowRows(response: Response): Promise<Record<string, unknown>[]> {
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  return table.toArray().map((row) => ({ ...row.toJSON() }));
}

/** The coordinates of JSON answers as dense rows. */
export function denseOf(
  { row, col, data }: { row: number[]; col: number[]; data: number[] },
  [cells, columns]: readonly [number, number],
): number[][] {
  const dense = Array.from({ length: cells }, () => new Array<number>(columns).fill(0));
  for (const [at, value] of data.entries()) dense[row[at]!]![col[at]!] = value;
  return dense;
}
