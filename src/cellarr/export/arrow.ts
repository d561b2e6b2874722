import type { RecordBatch } from "apache-arrow";
import type { ArrowModule } from "../../array/dataframe/arrow-validity.js";
import { childLocation } from "../../storage/resolve.js";
import type { FrameColumn } from "../../util/frame.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { ArrowColumns } from "../frames/frame-arrow.js";
import { writeArrow } from "./arrow-bytes.js";
import { checkFileNames, tableNames } from "./file-names.js";
import type { ExportOptions } from "./options.js";
import { type Place, withFolder, withWriter } from "./place.js";
import { blockRanges, type ExportSource, matrixBlocks } from "./source.js";

/**
 * A folder of Arrow IPC files (also known as Feather, version 2), a record batch per block of cells:
 *
 *     cell_metadata.arrow      cell_index (the cell's number in the store), then its columns
 *     gene_annotation.arrow    the columns, among them the name as cellarr_gene_index
 *     <matrix>.arrow           cell, gene (rows of the two above, from 0) and value of each stored value
 */
export async function exportArrow(
  source: ExportSource,
  target: Place,
  options: ExportOptions,
): Promise<void> {
  const arrow = await import("apache-arrow");
  const { overwrite = false, signal } = options;
  checkFileNames([...source.matrixNames, tableNames.cells, tableNames.genes]);
  const rules = { overwrite, isOurs: (key: string) => /^[^/]+\.arrow$/.test(key) };
  await withFolder(target, rules, async (folder) => {
    const file = (name: string, batches: AsyncIterable<RecordBatch>) =>
      withWriter(childLocation(folder, `${name}.arrow`), signal, (writer) =>
        writeArrow(new arrow.RecordBatchFileWriter(), arrow, batches, (bytes) => writer.write(bytes)),
      );
    await file(tableNames.genes, geneBatches(arrow, source));
    await file(tableNames.cells, cellBatches(arrow, source, options));
    for (const name of source.matrixNames) await file(name, valueBatches(arrow, source, name, options));
  });
}

async function* geneBatches(arrow: ArrowModule, { genes }: ExportSource): AsyncGenerator<RecordBatch> {
  yield new ArrowColumns(arrow).batch([...genes.columns], genes.rowCount);
}

async function* cellBatches(
  arrow: ArrowModule,
  source: ExportSource,
  options: ExportOptions,
): AsyncGenerator<RecordBatch> {
  const columns = new ArrowColumns(arrow);
  for (const [first, end] of blockRanges(source, options)) {
    const frame = await source.cellRows(first, end);
    const index = numeric("cell_index", source.cells.slice(first, end));
    yield columns.batch([index, ...[...frame.columns].filter(([name]) => name !== index[0])], end - first);
  }
}

async function* valueBatches(
  arrow: ArrowModule,
  source: ExportSource,
  name: string,
  options: ExportOptions,
): AsyncGenerator<RecordBatch> {
  const columns = new ArrowColumns(arrow);
  for await (const { first, matrix } of matrixBlocks(source, name, options)) {
    const { shape, indptr, indices, data } = matrix;
    const cells = new Uint32Array(data.length);
    for (let row = 0; row < shape[0]; row++) cells.fill(first + row, indptr[row], indptr[row + 1]);
    const genes = indices instanceof Int32Array ? indices : Int32Array.from(indices);
    yield columns.batch(
      [numeric("cell", cells), numeric("gene", genes), numeric("value", data)],
      data.length,
    );
  }
}

function numeric(name: string, values: TypedArray): [string, FrameColumn] {
  return [name, { kind: "numeric", values }];
}
