import type { ArraySchema } from "../../format/array-schema.js";
import type { LabelInfo } from "../query.js";

/** Dimension labels as callers see them. */
export function labelInfos({ labels, dimensions }: ArraySchema): LabelInfo[] {
  return labels.map(({ name, dimension, order, datatype }) => ({
    name,
    dimension: dimensions[dimension]!.name,
    order,
    datatype,
  }));
}
