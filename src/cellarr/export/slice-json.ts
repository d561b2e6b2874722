import type { SparseMatrix } from "../../h5ad/matrix.js";
import { columnValues, type Frame, textValues } from "../../util/frame.js";
import { jsonFormatterOf, jsonValue } from "../../util/json-text.js";
import type { CellArrDatasetSlice } from "../slice.js";
import type { TextSink } from "./text-file.js";

/** Slices and metadata as JSON text: what the command line prints and the server answers. */

/** A slice as text formats see it. */
export interface SliceView {
  /** Indices in the store, a cell each. */
  readonly cells: ArrayLike<number>;
  /** Names, in the slice's order. */
  readonly genes: readonly string[];
  /** By name; csr, cells x genes, columns ascending within each row. */
  readonly matrices: ReadonlyMap<string, SparseMatrix>;
  readonly cellMetadata: Frame;
  readonly geneAnnotation: Frame;
}

export function viewOf(
  part: Pick<CellArrDatasetSlice, "cellIndices" | "matrices" | "cellMetadata" | "geneAnnotation">,
): SliceView {
  return {
    cells: part.cellIndices,
    genes: textValues(part.geneAnnotation.index).map((name) => name ?? ""),
    matrices: part.matrices,
    cellMetadata: part.cellMetadata,
    geneAnnotation: part.geneAnnotation,
  };
}

/** One object: shape, cells, genes, matrices as coordinates within the slice, metadata by columns. */
export async function writeSliceJson(slice: SliceView, sink: TextSink): Promise<void> {
  const { cells, genes } = slice;
  await sink.write(`{"shape":[${cells.length},${genes.length}],"cells":`);
  await writeJsonList(sink, cells.length, (i) => `${cells[i]}`);
  await sink.write(`,"genes":`);
  await writeJsonList(sink, genes.length, (i) => JSON.stringify(genes[i]));
  await sink.write(`,"matrices":{`);
  let first = true;
  for (const [name, matrix] of slice.matrices) {
    await sink.write(`${first ? "" : ","}${JSON.stringify(name)}:`);
    await writeMatrix(matrix, sink);
    first = false;
  }
  await sink.write(`},"cellMetadata":`);
  await writeJsonFrame(sink, slice.cellMetadata);
  await sink.write(`,"geneAnnotation":`);
  await writeJsonFrame(sink, slice.geneAnnotation);
  await sink.write("}\n");
}

async function writeMatrix(matrix: SparseMatrix, sink: TextSink): Promise<void> {
  const { indptr, indices, data } = matrix;
  let row = 0;
  await sink.write(`{"row":`);
  await writeJsonList(sink, data.length, (i) => {
    while (i >= indptr[row + 1]!) row++;
    return `${row}`;
  });
  await sink.write(`,"col":`);
  await writeJsonList(sink, data.length, (i) => `${indices[i]}`);
  await sink.write(`,"data":`);
  await writeJsonList(sink, data.length, jsonFormatterOf(data));
  await sink.write("}");
}

/** Writes `[a,b,...]`, piece by piece. */
export async function writeJsonList(
  sink: TextSink,
  length: number,
  item: (i: number) => string,
): Promise<void> {
  await sink.write("[");
  for (let start = 0; start < length; start += 4096) {
    const end = Math.min(start + 4096, length);
    let text = "";
    for (let i = start; i < end; i++) text += i === 0 ? item(i) : `,${item(i)}`;
    await sink.write(text);
  }
  await sink.write("]");
}

/** Writes `{"column":[...],...}`. */
export async function writeJsonFrame(sink: TextSink, frame: Frame): Promise<void> {
  await sink.write("{");
  let first = true;
  for (const [name, column] of frame.columns) {
    await sink.write(`${first ? "" : ","}${JSON.stringify(name)}:`);
    const values = columnValues(column);
    await writeJsonList(sink, values.length, (i) => jsonValue(values[i]!));
    first = false;
  }
  await sink.write("}");
}
