import fc from "fast-check";
import { AnnData, type AxisArray } from "../../src/h5ad/anndata.js";
import { newArray } from "../../src/h5ad/h5-type.js";
import type { Matrix, MatrixDtype, SparseMatrix } from "../../src/h5ad/matrix.js";
import { Frame, type FrameColumn, textColumn } from "../../src/util/frame.js";
import type { NumberArray, TypedArray } from "../../src/util/typed-arrays.js";

/** Draws AnnData of any shape, with matrices of each storage and dtype and columns of each kind. */

const DTYPES: MatrixDtype[] = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
];

function typed(dtype: MatrixDtype, numbers: readonly number[]): TypedArray {
  const values = newArray(dtype, numbers.length);
  const big = dtype === "int64" || dtype === "uint64";
  numbers.forEach((value, at) => {
    if (big) (values as BigInt64Array)[at] = BigInt(value);
    else (values as NumberArray)[at] = value;
  });
  return values;
}

/** The non-zero cells of row-major `cells`, compressed. */
export function sparse(
  format: "csr" | "csc",
  shape: readonly [number, number],
  cells: TypedArray,
): SparseMatrix {
  const [rows, columns] = shape;
  const [majors, minors] = format === "csr" ? [rows, columns] : [columns, rows];
  const indptr = new Int32Array(majors + 1);
  const indices: number[] = [];
  const kept: (number | bigint)[] = [];
  for (let major = 0; major < majors; major++) {
    for (let minor = 0; minor < minors; minor++) {
      const value = cells[format === "csr" ? major * columns + minor : minor * columns + major]!;
      if (Number(value) === 0) continue;
      indices.push(minor);
      kept.push(value);
    }
    indptr[major + 1] = indices.length;
  }
  const data = cells.slice(0, kept.length);
  kept.forEach((value, at) => {
    (data as Float64Array)[at] = value as number;
  });
  return { format, shape, indptr, indices: Int32Array.from(indices), data };
}

function matrix(rows: number, columns: number): fc.Arbitrary<Matrix> {
  const cells = fc.array(fc.oneof(fc.constant(0), fc.nat(127)), {
    minLength: rows * columns,
    maxLength: rows * columns,
  });
  return fc
    .tuple(fc.constantFrom("csr", "csc", "dense"), fc.constantFrom(...DTYPES), cells)
    .map(([format, dtype, numbers]) => {
      const values = typed(dtype, numbers);
      if (format === "dense") return { format, shape: [rows, columns], values };
      return sparse(format as "csr" | "csc", [rows, columns], values);
    });
}

/** Any text without the zero byte and halves of surrogates, which UTF-8 has no place for. */
const text = fc.string({ unit: "grapheme", maxLength: 12 }).filter((value) => !value.includes("\0"));

function mask(rows: number): fc.Arbitrary<Uint8Array | undefined> {
  const bits = fc.array(fc.constantFrom(0, 1), { minLength: rows, maxLength: rows });
  // A mask without a missing value is not kept.
  return fc
    .option(bits, { nil: undefined })
    .map((drawn) => (drawn?.includes(0) ? Uint8Array.from(drawn) : undefined));
}

function column(rows: number): fc.Arbitrary<FrameColumn> {
  const exactly = { minLength: rows, maxLength: rows };
  const numeric = fc
    .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(127), exactly), mask(rows))
    .map(([dtype, numbers, validity]): FrameColumn => {
      const values = typed(dtype, numbers);
      // Missing floats are NaN in H5AD.
      const nullable = validity !== undefined && !dtype.startsWith("float");
      return nullable ? { kind: "numeric", values, validity } : { kind: "numeric", values };
    });
  const boolean = fc
    .tuple(fc.array(fc.constantFrom(0, 1), exactly), mask(rows))
    .map(([bits, validity]): FrameColumn => {
      const values = Uint8Array.from(bits);
      return validity === undefined ? { kind: "boolean", values } : { kind: "boolean", values, validity };
    });
  const textual = fc.array(text, exactly).map((values) => textColumn(values));
  const nullableText = fc.array(fc.option(text), exactly).map((values) => textColumn(values));
  const categorical = fc
    .tuple(fc.uniqueArray(text, { minLength: 1, maxLength: 200 }), fc.array(fc.nat(), exactly), fc.boolean())
    .map(([categories, codes, ordered]): FrameColumn => {
      const wrapped = Int32Array.from(codes, (code) => (code % (categories.length + 1)) - 1);
      return { kind: "categorical", codes: wrapped, categories: textColumn(categories), ordered };
    });
  return fc.oneof(numeric, boolean, textual, nullableText, categorical);
}

const name = fc
  .string({ unit: fc.constantFrom(..."abcXYZ019 _-é細"), minLength: 1, maxLength: 8 })
  .filter((value) => value !== "_index" && value !== "_" && !["shape", "__categories"].includes(value));

function frame(rows: number, prefix: string): fc.Arbitrary<Frame> {
  const index = textColumn(Array.from({ length: rows }, (_, row) => `${prefix}${row}`));
  const columns = fc.array(fc.tuple(name, column(rows)), { maxLength: 4 });
  return fc
    .tuple(columns, fc.option(fc.constantFrom("the index", "symbol")))
    .map(([drawn, indexName]) => new Frame(index, new Map(drawn), indexName));
}

function embedding(rows: number): fc.Arbitrary<ReadonlyMap<string, AxisArray>> {
  const values = fc.array(fc.nat(100), { minLength: rows * 2, maxLength: rows * 2 });
  return fc
    .option(values)
    .map((drawn) =>
      drawn === null
        ? new Map<string, AxisArray>()
        : new Map<string, AxisArray>([
            ["X_pca", { kind: "array", shape: [rows, 2], values: Float64Array.from(drawn) }],
          ]),
    );
}

export const annData: fc.Arbitrary<AnnData> = fc
  .tuple(fc.nat(6), fc.integer({ min: 1, max: 5 }))
  .chain(([rows, columns]) =>
    fc
      .record({
        X: fc.option(matrix(rows, columns)),
        obs: frame(rows, "cell "),
        var: frame(columns, "gene "),
        layers: fc.dictionary(name, matrix(rows, columns), { maxKeys: 2 }),
        raw: fc.option(fc.record({ X: matrix(rows, columns + 1), var: frame(columns + 1, "raw gene ") })),
        obsm: embedding(rows),
      })
      .map((parts) => new AnnData({ ...parts, layers: new Map(Object.entries(parts.layers)) })),
  );
