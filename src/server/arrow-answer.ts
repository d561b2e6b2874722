import * as arrow from "apache-arrow";
import { writeArrow } from "../cellarr/export/arrow-bytes.js";
import { type ExportSource, matrixBlocks } from "../cellarr/export/source.js";
import type { WriteBytes } from "../cellarr/export/text-file.js";
import { ArrowColumns } from "../cellarr/frames/frame-arrow.js";
import type { Frame, FrameColumn } from "../util/frame.js";

/** Answers as Arrow IPC streams. Loaded with the first of them. */

/** A batch of the frame's columns behind `leading` ones, unless the frame has those itself. */
export function writeFrameArrow(
  frame: Frame,
  leading: readonly (readonly [string, FrameColumn])[],
  write: WriteBytes,
): Promise<void> {
  const columns = [...leading.filter(([name]) => !frame.columns.has(name)), ...frame.columns];
  const batch = new ArrowColumns(arrow).batch(columns, frame.rowCount);
  return writeArrow(new arrow.RecordBatchStreamWriter(), arrow, asIterable(batch), write);
}

/** Stored values of a matrix: cell (its number in the store), gene (its name, in a dictionary), value. */
export function writeMatrixArrow(
  source: ExportSource,
  matrix: string,
  signal: AbortSignal,
  write: WriteBytes,
): Promise<void> {
  const batches = valueBatches(source, matrix, signal);
  return writeArrow(new arrow.RecordBatchStreamWriter(), arrow, batches, write);
}

async function* valueBatches(
  source: ExportSource,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<arrow.RecordBatch> {
  const columns = new ArrowColumns(arrow);
  const categories = source.genes.index;
  for await (const { first, matrix } of matrixBlocks(source, name, { format: "arrow", signal })) {
    const { shape, indptr, indices, data } = matrix;
    const cells = new Uint32Array(data.length);
    for (let row = 0; row < shape[0]; row++) {
      cells.fill(source.cells[first + row]!, indptr[row], indptr[row + 1]);
    }
    const codes = indices instanceof Int32Array ? indices : Int32Array.from(indices);
    const batch: [string, FrameColumn][] = [
      ["cell", { kind: "numeric", values: cells }],
      ["gene", { kind: "categorical", codes, categories, ordered: false }],
      ["value", { kind: "numeric", values: data }],
    ];
    yield columns.batch(batch, data.length);
  }
}

async function* asIterable<T>(value: T): AsyncGenerator<T> {
  yield value;
}
