import fc from "fast-check";
import { AnnData } from "../../src/h5ad/anndata.js";
import type { Matrix, SparseMatrix } from "../../src/h5ad/matrix.js";
import { columnValues, Frame, type FrameColumn, textColumn } from "../../src/util/frame.js";

/** Small experiments for tests of building and querying. */

export type Rows = readonly (readonly number[])[];

/** A matrix of dense rows in the storage asked for; sparse ones hold the values that are not zero. */
export function matrixOf(rows: Rows, columns: number, storage: "csr" | "csc" | "dense" = "csr"): Matrix {
  const shape = [rows.length, columns] as const;
  if (storage === "dense") return { format: "dense", shape, values: Float32Array.from(rows.flat()) };
  const major =
    storage === "csr" ? rows : Array.from({ length: columns }, (_, at) => rows.map((row) => row[at]!));
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (const line of major) {
    for (const [at, value] of line.entries()) {
      if (value === 0) continue;
      indices.push(at);
      data.push(value);
    }
    indptr.push(data.length);
  }
  return {
    format: storage,
    shape,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Float32Array.from(data),
  };
}

export interface Experiment {
  readonly genes: readonly string[];
  /** One row of values per cell. */
  readonly rows: Rows;
  readonly storage?: "csr" | "csc" | "dense";
  /** Columns of obs. */
  readonly obs?: Readonly<Record<string, FrameColumn | readonly (string | null)[]>>;
  readonly cells?: readonly string[];
}

/** Annotated data with the values as layer "counts" and, doubled, as layer "twice". */
export function experiment({ genes, rows, storage = "csr", obs = {}, cells }: Experiment): AnnData {
  const names = cells ?? rows.map((_, at) => `cell_${at}`);
  return new AnnData({
    obs: frame(names, obs),
    var: frame(genes, { symbol: genes.map((gene) => gene.toUpperCase()) }),
    layers: {
      counts: matrixOf(rows, genes.length, storage),
      twice: matrixOf(
        rows.map((row) => row.map((value) => value * 2)),
        genes.length,
        storage,
      ),
    },
  });
}

export function frame(
  index: readonly string[],
  columns: Readonly<Record<string, FrameColumn | readonly (string | null)[]>> = {},
): Frame {
  const entries = Object.entries(columns).map(([name, column]): [string, FrameColumn] => [
    name,
    "kind" in column ? column : textColumn(column),
  ]);
  return new Frame(textColumn(index), new Map(entries));
}

export function numbers(...values: number[]): FrameColumn {
  return { kind: "numeric", values: Float64Array.from(values) };
}

/** Values of a column of a frame. */
export function valuesOf(table: Frame, column: string): unknown[] {
  return columnValues(table.columns.get(column)!);
}

/** Dense rows of a CSR matrix. */
export function denseRows(matrix: SparseMatrix): number[][] {
  const [rows, columns] = matrix.shape;
  return Array.from({ length: rows }, (_, row) => {
    const dense = new Array<number>(columns).fill(0);
    for (let at = matrix.indptr[row]!; at < matrix.indptr[row + 1]!; at++) {
      dense[matrix.indices[at]!] = Number(matrix.data[at]);
    }
    return dense;
  });
}

/** The two files of the tests that Python cellarr has: 100 and 1,000 genes there, fewer here. */
export function twoExperiments(): [AnnData, AnnData] {
  return [generated(30, 20, 1), generated(10, 60, 2)];
}

/** No value is zero, as in Python's tests. */
export function generated(cells: number, genes: number, seed: number): AnnData {
  const rows = Array.from({ length: cells }, (_, cell) =>
    Array.from({ length: genes }, (_, gene) => ((cell * 31 + gene * 17 + seed * 7) % 97) + 0.25),
  );
  const names = Array.from({ length: genes }, (_, gene) => `gene_${gene + 1}`);
  const cellIds = rows.map((_, cell) => `cell1_${cell + 1}`);
  return experiment({ genes: names, rows, obs: { cells: cellIds } });
}

/** A collection: genes in any order, some files without some, some twice; empty rows, columns and files. */
export const collections: fc.Arbitrary<Experiment[]> = fc.array(
  fc
    .record({
      genes: fc.array(
        fc.integer({ min: 0, max: 7 }).map((gene) => `g${gene}`),
        { maxLength: 6 },
      ),
      cells: fc.integer({ min: 0, max: 4 }),
      storage: fc.constantFrom("csr" as const, "csc" as const, "dense" as const),
    })
    .chain(({ genes, cells, storage }) =>
      fc
        .array(
          fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 99 })), {
            minLength: genes.length,
            maxLength: genes.length,
          }),
          { minLength: cells, maxLength: cells },
        )
        .map((rows) => ({ genes, rows, storage })),
    ),
  { minLength: 1, maxLength: 4 },
);

/** What a store of the collection must hold: sorted genes, and a dense row per cell with duplicates summed. */
export function expectedStore(files: readonly Experiment[]): { genes: string[]; rows: number[][] } {
  const genes = [...new Set(files.flatMap((file) => file.genes))].sort();
  const rows = files.flatMap((file) =>
    file.rows.map((row) =>
      genes.map((gene) => row.reduce((sum, value, at) => (file.genes[at] === gene ? sum + value : sum), 0)),
    ),
  );
  return { genes, rows };
}
