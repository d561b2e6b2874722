import type { SparseMatrix } from "../../h5ad/matrix.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { TextSink } from "./text-file.js";

/** Matrix Market's coordinate format: three lines that say what follows, then a line per value, numbered from 1. */

export interface MatrixMarketHead {
  /** What the rows are; the columns are the others. */
  readonly rows: "cells" | "genes";
  readonly cells: number;
  readonly genes: number;
  /** How many there are. */
  readonly values: number;
  /** Whether they are floating-point numbers. */
  readonly isReal: boolean;
}

export function matrixMarketHead({ rows, cells, genes, values, isReal }: MatrixMarketHead): string {
  const [shape, columns] = rows === "cells" ? [`${cells} ${genes}`, "genes"] : [`${genes} ${cells}`, "cells"];
  const kind = isReal ? "real" : "integer";
  return (
    `%%MatrixMarket matrix coordinate ${kind} general\n` +
    `% rows are ${rows}, columns are ${columns}\n${shape} ${values}\n`
  );
}

export function isReal(values: TypedArray): boolean {
  return values instanceof Float32Array || values instanceof Float64Array;
}

/** The lines of a CSR block of cells x genes, cell by cell; its first row is that number of the cells, from 0. */
export async function writeCoordinates(
  { shape, indptr, indices, data }: SparseMatrix,
  firstCell: number,
  rows: MatrixMarketHead["rows"],
  sink: TextSink,
): Promise<void> {
  const real = isReal(data);
  for (let row = 0; row < shape[0]; row++) {
    const cell = firstCell + row + 1;
    const [before, between] = rows === "cells" ? [`${cell} `, " "] : ["", ` ${cell} `];
    let lines = "";
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      const value = real ? realText(Number(data[at])) : `${data[at]}`;
      lines += `${before}${indices[at]! + 1}${between}${value}\n`;
    }
    const full = sink.write(lines);
    if (full !== undefined) await full;
  }
}

/** Not a number and the infinities are spelt as C's scanf reads them. */
export function realText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isFinite(value)) return `${value}`;
  return value > 0 ? "inf" : "-inf";
}
