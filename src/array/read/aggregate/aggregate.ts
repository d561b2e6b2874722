import type { OpenedArray } from "../../opened-array.js";
import type { AggregateResult } from "../../query.js";
import type { ResolvedQuery } from "../resolve-query.js";
import { aggregateDense } from "./dense.js";
import { aggregateSparse } from "./sparse.js";

/**
 * Count, sum, min, max, mean and nulls over a query. Tiles that the ranges cover whole are known by their statistics,
 * where nothing but the ranges decides about their cells; the others are read, so many at a time.
 */
export function aggregate(array: OpenedArray, query: ResolvedQuery): Promise<AggregateResult> {
  return array.schema.arrayType === "dense" ? aggregateDense(array, query) : aggregateSparse(array, query);
}
