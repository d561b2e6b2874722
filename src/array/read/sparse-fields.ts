import { conditionFields } from "../condition/condition-fields.js";
import { DELETE_TIMESTAMPS, TIMESTAMPS } from "../fields.js";
import type { OpenedArray } from "../opened-array.js";
import type { PlannedField } from "../query.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { SparseSource } from "./sparse-source.js";

/** A field that a sparse read may fetch, of which tiles. */
export interface WantedField {
  readonly name: string;
  readonly role: PlannedField["role"];
  readonly tiles: readonly number[];
}

/**
 * Fields that a sparse read may fetch: those that decide, and those of the result. A dimension comes in two parts: the
 * tiles in which it decides, which are read first, and others.
 */
export function sparseFields(
  array: OpenedArray,
  query: ResolvedQuery,
  source: SparseSource,
  compares: boolean,
  deletes: readonly string[],
): WantedField[] {
  const { schema } = array;
  const { fragment, tree, tiles } = source;
  const decides = [...deletes, ...(query.condition === null ? [] : conditionFields(query.condition))];
  const fields: WantedField[] = [];
  for (const [d, { name }] of schema.dimensions.entries()) {
    const inResult = query.dimensions.includes(name);
    const bounds = tree.bounds[d]!;
    const unknown = tiles.filter((t) => bounds.kind === "text" || bounds.lo[t] !== bounds.hi[t]);
    const isPartial = (t: number) => source.overlap(t, d) === "partial";
    fields.push({ name, role: roleOf(true, inResult), tiles: unknown.filter(isPartial) });
    const selects = compares || decides.includes(name);
    if (!inResult && !selects) continue;
    fields.push({ name, role: roleOf(selects, inResult), tiles: unknown.filter((t) => !isPartial(t)) });
  }
  for (const { name } of schema.attributes) {
    const inResult = query.attributes.includes(name);
    if ((!inResult && !decides.includes(name)) || !fragment.hasField(name)) continue;
    fields.push({ name, role: roleOf(decides.includes(name), inResult), tiles });
  }
  const { start, end } = fragment.files;
  const isPartlyInside = start < array.window.start || end > array.window.end;
  const isTimed = isPartlyInside || !schema.allowsDuplicates || deletes.includes(TIMESTAMPS);
  if (fragment.footer.hasTimestamps && isTimed) fields.push({ name: TIMESTAMPS, role: "select", tiles });
  if (fragment.footer.hasDeleteMetadata) fields.push({ name: DELETE_TIMESTAMPS, role: "select", tiles });
  return fields;
}

export function roleOf(selects: boolean, inResult: boolean): PlannedField["role"] {
  if (selects && inResult) return "both";
  return selects ? "select" : "result";
}
