import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { conditionFields } from "../condition/condition-fields.js";
import type { OpenedArray } from "../opened-array.js";
import type { Block } from "./block.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { SparseSource } from "./sparse-source.js";

/** Bytes that a cell of a block takes, decoded and once more in the result; of variable length its tile's mean. */
export type CellSize = (block: Pick<Block, "source" | "tile">) => number;

/** For the cells that a query reads of those sources: all coordinates, what it asks for and what its condition needs. */
export async function cellSizes(
  { schema }: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
): Promise<CellSize> {
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  const wanted = new Set([...query.attributes, ...decides]);
  const sizes = new Map<SparseSource["fragment"], (t: number) => number>();
  for (const { fragment } of sources) {
    const attributes = fragment.schema.attributes.filter(({ name }) => wanted.has(name));
    let fixed = 0;
    const varBytes: Float64Array[] = [];
    for (const { name, datatype, cellValNum } of [...schema.dimensions, ...attributes]) {
      fixed += cellValNum === VAR_NUM ? 4 : datatypeInfo(datatype).bytes * cellValNum;
      if (cellValNum !== VAR_NUM) continue;
      const tiles = await fragment.tilesOf(name, { signal: query.signal });
      if (tiles.var !== undefined) varBytes.push(tiles.var.tileBytes);
    }
    const varOf = (t: number) => varBytes.reduce((sum, bytes) => sum + bytes[t]!, 0);
    sizes.set(fragment, (t) => 2 * (fixed + varOf(t) / fragment.cellsOf(t)));
  }
  return ({ source, tile }) => sizes.get(source.fragment)!(tile);
}
