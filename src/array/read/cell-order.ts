import type { ArraySchema } from "../../format/array-schema.js";
import type { Column } from "../columns.js";
import {
  orderKeys as globalKeys,
  hasOneTile,
  type OrderKeys,
  type SortKeys,
  sortKeys,
} from "../order/sort-keys.js";
import type { ReadOrder } from "../query.js";

/** In which order cells lie in a sparse fragment, and what puts them in another. */

/** True if a fragment's cells, tile after tile, are in that order as they lie. */
export function isStoredOrder(schema: ArraySchema, order: ReadOrder): boolean {
  if (order === "global" || order === "unordered") return true;
  if (schema.cellOrder === "hilbert") return false;
  // Along one dimension space tiles follow one another in coordinate order.
  if (schema.dimensions.length === 1) return true;
  return schema.cellOrder === order && schema.dimensions.every(hasOneTile);
}

/** The dimension by which the cells of every tile are sorted, null where there is none such. */
export function sortedDimension(schema: ArraySchema): number | null {
  if (schema.cellOrder === "hilbert") return null;
  if (schema.dimensions.length === 1) return 0;
  if (!schema.dimensions.every(hasOneTile)) return null;
  return schema.cellOrder === "col-major" ? schema.dimensions.length - 1 : 0;
}

/**
 * The dimension whose coordinates alone order cells where they differ, in that order; null where there is none, as
 * with space tiles in global order.
 */
export function leadingDimension(schema: ArraySchema, order: ReadOrder): number | null {
  if (order === "row-major") return 0;
  if (order === "col-major") return schema.dimensions.length - 1;
  return sortedDimension(schema);
}

/** Keys that sort cells into that order; `coordinates` is a column per dimension. "unordered" is the global order. */
export function orderKeys(schema: ArraySchema, order: ReadOrder, coordinates: readonly Column[]): SortKeys {
  // Any order finds duplicates, and coordinates are cheaper than places on the curve; only "global" promises it.
  if (order === "unordered" && schema.cellOrder === "hilbert") {
    return orderKeys(schema, "row-major", coordinates);
  }
  return sortKeys(orderedAs(schema, order), coordinates);
}

/** Keys in that order that compare across blocks. "unordered" is the global order. */
export function neighbourKeys(
  schema: ArraySchema,
  order: ReadOrder,
  coordinates: readonly Column[],
): OrderKeys {
  return globalKeys(orderedAs(schema, order), coordinates);
}

/** A schema whose global order is that order. */
function orderedAs(schema: ArraySchema, order: ReadOrder): ArraySchema {
  if (order !== "row-major" && order !== "col-major") return schema;
  const dimensions = schema.dimensions.map((dimension) => ({ ...dimension, tileExtent: null }));
  return { ...schema, cellOrder: order, dimensions };
}
