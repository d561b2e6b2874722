import { UnsupportedError } from "../../errors.js";
import type { OpenedArray } from "../opened-array.js";
import { sparseSources } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";

/** What a read of a sparse array touches. */
export interface ReadExtent {
  readonly tiles: number;
  /** Cells of these tiles: at least those that the read decodes, and no fewer than its result. */
  readonly cells: number;
}

/** By the rectangles of tiles alone. */
export async function sparseExtent(array: OpenedArray, query: ResolvedQuery): Promise<ReadExtent> {
  if (array.schema.arrayType !== "sparse") {
    throw new UnsupportedError("extent: of sparse arrays only", { where: array.uri });
  }
  let tiles = 0;
  let cells = 0;
  for (const source of await sparseSources(array, query)) {
    tiles += source.tiles.length;
    for (const t of source.tiles) cells += source.fragment.cellsOf(t);
  }
  return { tiles, cells };
}
