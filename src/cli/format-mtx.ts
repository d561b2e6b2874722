import type { SparseMatrix } from "../h5ad/matrix.js";
import type { TextSink } from "./output.js";

/** A matrix in Matrix Market's coordinate format, cells x genes, numbered from 1. */
export async function writeMatrixMarket(matrix: SparseMatrix, sink: TextSink): Promise<void> {
  const { shape, indptr, indices, data } = matrix;
  const float = data instanceof Float32Array || data instanceof Float64Array;
  await sink.write(
    `%%MatrixMarket matrix coordinate ${float ? "real" : "integer"} general\n% rows are cells, columns are genes\n`,
  );
  await sink.write(`${shape[0]} ${shape[1]} ${data.length}\n`);
  for (let row = 0; row < shape[0]; row++) {
    let text = "";
    for (let i = indptr[row]!; i < indptr[row + 1]!; i++) {
      text += `${row + 1} ${indices[i]! + 1} ${float ? realText(Number(data[i])) : data[i]}\n`;
    }
    const full = sink.write(text);
    if (full !== undefined) await full;
  }
}

/** Not a number and the infinities are spelt as C's scanf reads them. */
function realText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isFinite(value)) return `${value}`;
  return value > 0 ? "inf" : "-inf";
}
