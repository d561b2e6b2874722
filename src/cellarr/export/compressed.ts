import type { H5Writer } from "../../h5ad/h5-writer.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { ExportOptions } from "./options.js";
import { type ExportSource, matrixBlocks } from "./source.js";

/** How values and gene numbers are stored. */
export interface CompressedForm {
  readonly values: (values: TypedArray) => TypedArray;
  readonly indices: (genes: Int32Array | Uint32Array) => TypedArray;
}

/**
 * The datasets `data` and `indices` of a matrix compressed by cells, block by block. Returns the position of each cell's
 * first value, and the end.
 */
export async function writeCompressed(
  writer: H5Writer,
  path: string,
  source: ExportSource,
  matrix: string,
  form: CompressedForm,
  options: ExportOptions,
): Promise<Float64Array> {
  const starts = new Float64Array(source.cellCount + 1);
  let growing:
    | { values: ReturnType<H5Writer["growing"]>; genes: ReturnType<H5Writer["growing"]> }
    | undefined;
  for await (const { first, matrix: block } of matrixBlocks(source, matrix, options)) {
    const values = form.values(block.data);
    const genes = form.indices(block.indices);
    growing ??= {
      values: writer.growing(`${path}/data`, values),
      genes: writer.growing(`${path}/indices`, genes),
    };
    const base = growing.values.length;
    for (let row = 0; row <= block.shape[0]; row++) starts[first + row] = base + block.indptr[row]!;
    growing.values.append(values);
    growing.genes.append(genes);
  }
  growing?.values.finish();
  growing?.genes.finish();
  return starts;
}
