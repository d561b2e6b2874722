import type { OpenedArray } from "../opened-array.js";
import type { ReadResult } from "../query.js";
import { readDense } from "./read-dense.js";
import { readSparse } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { FetchOptions } from "./tile-fetch.js";

/** Reads a query: the plan is only made first where someone watches the progress, since it costs the sections' reads. */
export async function readArray(array: OpenedArray, query: ResolvedQuery): Promise<ReadResult> {
  const options = await fetchOptions(array, query);
  return array.schema.arrayType === "dense"
    ? readDense(array, query, options)
    : readSparse(array, query, options);
}

async function fetchOptions(array: OpenedArray, query: ResolvedQuery): Promise<FetchOptions> {
  const { signal, onProgress } = query;
  if (onProgress === undefined) return { signal };
  const { planRead } = await import("./plan.js");
  const totalBytes = (await planRead(array, query)).totals.bytes;
  let bytes = 0;
  const onBytes = (more: number) => {
    bytes += more;
    onProgress({ bytes, totalBytes });
  };
  return { signal, onBytes };
}
