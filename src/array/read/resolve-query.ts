import { ArgumentError, NotFoundError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { conditions } from "../condition/late.js";
import type { QueryCondition } from "../condition/query-condition.js";
import type { ReadOrder, ReadQuery } from "../query.js";
import { type Intervals, intervalsOf } from "./intervals.js";

/** A query checked against the schema, with everything spelt out. */
export interface ResolvedQuery {
  /** Per dimension; null where it is not restricted. */
  readonly intervals: readonly (Intervals | null)[];
  readonly attributes: readonly string[];
  readonly dimensions: readonly string[];
  readonly order: ReadOrder;
  readonly condition: QueryCondition | null;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ReadQuery["onProgress"];
}

const orders: readonly ReadOrder[] = ["row-major", "col-major", "global", "unordered"];

/** Throws NotFoundError for unknown names, OutOfDomainError and ArgumentError for ranges. */
export async function resolveQuery(
  schema: ArraySchema,
  query: ReadQuery,
  where: string,
): Promise<ResolvedQuery> {
  const dimensionNames = schema.dimensions.map((dimension) => dimension.name);
  const attributeNames = schema.attributes.map((attribute) => attribute.name);
  const ranges = query.ranges ?? {};
  for (const name of Object.keys(ranges)) checkName(name, dimensionNames, "dimension", where);
  const { order = "row-major", condition } = query;
  if (!orders.includes(order)) {
    throw new ArgumentError(`order '${order}' is unknown, expected one of ${orders.join(", ")}`, { where });
  }
  const dense = schema.arrayType === "dense";
  return {
    intervals: schema.dimensions.map((dimension) => {
      const selection = Object.hasOwn(ranges, dimension.name) ? ranges[dimension.name] : undefined;
      return selection === undefined ? null : intervalsOf(dimension, selection);
    }),
    attributes: checkedNames(query.attributes ?? attributeNames, attributeNames, "attribute", where),
    dimensions: checkedNames(
      query.dimensions ?? (dense ? [] : dimensionNames),
      dimensionNames,
      "dimension",
      where,
    ),
    order,
    // As TileDB-Py has it, an empty text is no condition.
    condition:
      typeof condition === "string" && condition !== ""
        ? (await conditions()).parseCondition(condition, schema)
        : condition || null,
    signal: query.signal,
    onProgress: query.onProgress,
  };
}

function checkedNames(
  asked: readonly string[],
  known: readonly string[],
  what: string,
  where: string,
): string[] {
  for (const name of asked) checkName(name, known, what, where);
  return [...new Set(asked)];
}

function checkName(name: string, known: readonly string[], what: string, where: string): void {
  if (known.includes(name)) return;
  throw new NotFoundError(
    `no ${what} '${name}', the array has ${known.map((one) => `'${one}'`).join(", ")}`,
    {
      where,
    },
  );
}
