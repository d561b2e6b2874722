import type { SparseMatrix } from "../h5ad/matrix.js";
import type { TextSink } from "./output.js";
import { type SliceView, valueFormatter, writeJsonFrame, writeJsonList } from "./slice-view.js";

/** A slice as one JSON object, written piece by piece. */
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
  await writeJsonList(sink, data.length, valueFormatter(data));
  await sink.write("}");
}
