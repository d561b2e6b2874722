import type { CellArrDatasetSlice } from "../cellarr/slice.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { columnValues, type Frame, type FrameValue, textValues } from "../util/frame.js";
import type { TypedArray } from "../util/typed-arrays.js";
import { jsonNumber } from "./json-cells.js";
import type { TextSink } from "./output.js";

/** A slice as the output formats see it. */
export interface SliceView {
  /** Indices in the store, a cell each. */
  readonly cells: ArrayLike<number>;
  /** Names. */
  readonly genes: readonly string[];
  /** By name; csr, cells x genes, columns ascending within each row. */
  readonly matrices: ReadonlyMap<string, SparseMatrix>;
  readonly cellMetadata: Frame;
  readonly geneAnnotation: Frame;
}

export function viewOf(part: CellArrDatasetSlice): SliceView {
  return {
    cells: part.cellIndices,
    genes: textValues(part.geneAnnotation.index).map((name) => name ?? ""),
    matrices: part.matrices,
    cellMetadata: part.cellMetadata,
    geneAnnotation: part.geneAnnotation,
  };
}

/** A metadata value as JSON text: 64-bit integers as decimal strings, as `array read` prints them. */
function jsonValue(value: FrameValue): string {
  if (typeof value === "number") return jsonNumber(value);
  return typeof value === "bigint" ? `"${value}"` : JSON.stringify(value);
}

/** JSON texts of a matrix's values. */
export function valueFormatter(values: TypedArray): (i: number) => string {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return (i) => `"${values[i]}"`;
  return (i) => jsonNumber(values[i]!);
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
