import type { TileDBArray } from "../../array/open.js";
import type { VerifyContext } from "../../array/verify/defect.js";
import { attempt, verifyArray } from "../../array/verify/verify-array.js";
import type { StoreLocation } from "../../storage/types.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import { openGeneMajor } from "../by-gene/gene-major-state.js";

/** Whether the gene-major copy of a matrix holds what the matrix does; false where there is no copy. */
export async function verifyCopy(
  place: StoreLocation,
  name: string,
  matrix: TileDBArray,
  context: VerifyContext,
): Promise<boolean> {
  const { signal } = context;
  const copy = await openGeneMajor(place, matrix, signal);
  if (copy.state === "none") return false;
  const report = (severity: "error" | "warning", where: string, message: string) =>
    context.report({ kind: "gene-major-copy", severity, where, message });
  if (copy.state !== "current") {
    report("warning", copy.where, `the copy of '${name}' is ${copy.state} and not used: ${copy.reason}`);
    return true;
  }
  const { array } = copy;
  let isRead = true;
  const own: VerifyContext = {
    ...context,
    report: (defect) => {
      if (defect.severity === "error") isRead = false;
      context.report(defect);
    },
  };
  await attempt(array.uri, own, () => verifyArray(place, own));
  if (!isRead) return true;
  const sums = await attempt(array.uri, context, async () => ({
    copy: await contentSum(array, signal),
    matrix: await contentSum(matrix, signal),
  }));
  if (sums !== undefined && sums.copy !== sums.matrix) {
    report("error", array.uri, `the copy of '${name}' has other values than the matrix`);
  }
  return true;
}

/** A number for what an array of two dimensions holds, whatever the order of its cells. */
async function contentSum(array: TileDBArray, signal: AbortSignal | undefined): Promise<string> {
  const [cells, genes] = array.schema.dimensions.map(({ name }) => name) as [string, string];
  const attribute = array.schema.attributes[0]!.name;
  let [count, a, b] = [0, 0, 0];
  for await (const { columns, cellCount } of array.batches({
    attributes: [attribute],
    order: "unordered",
    signal,
  })) {
    const [rows, places] = [valuesOf(columns[cells]), valuesOf(columns[genes])];
    const words = wordsOf(valuesOf(columns[attribute]), cellCount);
    const width = words.length / Math.max(1, cellCount);
    for (let at = 0; at < cellCount; at++) {
      let hash = mix(mix(0x9e3779b9, Number(rows[at])), Number(places[at]));
      for (let word = 0; word < width; word++) hash = mix(hash, words[at * width + word]!);
      a = (a + hash) >>> 0;
      b = (b + mix(0x85ebca6b, hash)) >>> 0;
    }
    count += cellCount;
  }
  return `${count} ${a} ${b}`;
}

/** Of 32-bit words: the last step of MurmurHash3 after each. */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function valuesOf(column: { readonly kind: string } | undefined): TypedArray {
  if (column !== undefined && "values" in column) return column.values as TypedArray;
  return new Uint8Array(0);
}

/** Values as 32-bit words or smaller numbers, the same of every value. */
function wordsOf(values: TypedArray, count: number): ArrayLike<number> {
  if (values.BYTES_PER_ELEMENT < 4) return values as ArrayLike<number>;
  const bytes = bytesOf(values);
  return new Uint32Array(bytes.slice().buffer, 0, (count * values.BYTES_PER_ELEMENT) / 4);
}
