import { conditionFields, prepareCondition } from "../array/condition/condition-eval.js";
import type { QueryCondition } from "../array/condition/query-condition.js";
import { parseCondition } from "../array/condition/query-condition-parser.js";
import type { OpenedArray } from "../array/opened-array.js";
import type { FrameReader } from "./frame-reader.js";

/** Rows of a tile-aligned block whose condition columns are in memory at a time. */
const BLOCK_ROWS = 500_000;

/**
 * Rows of a frame that satisfy a condition, ascending. A read with a condition would not do: of a dense array it gives
 * every row, and fill values where the condition fails, which a row may also hold by itself (Python cellarr takes a
 * row for failed then).
 */
export async function matchingRows(
  frame: FrameReader,
  given: string | QueryCondition,
  signal: AbortSignal | undefined,
): Promise<Uint32Array> {
  const { array, dimension } = frame;
  const { uri, schema } = array;
  const condition = typeof given === "string" ? parseCondition(given, schema) : given;
  const opened: OpenedArray = {
    uri,
    schema,
    fragments: [],
    deletes: [],
    window: { start: 0, end: 0 },
    enumeration: (name) => array.enumeration(name),
  };
  const holds = await prepareCondition(condition, opened);
  const fields = conditionFields(condition);
  const attributes = fields.filter((name) => name !== dimension);
  const dimensions = fields.filter((name) => name === dimension);
  const found: Uint32Array[] = [];
  for (let first = 0; first < frame.rowCount; first += BLOCK_ROWS) {
    const last = Math.min(first + BLOCK_ROWS, frame.rowCount) - 1;
    const ranges = { [dimension]: [[first, last] as const] };
    const { columns } = await array.read({ ranges, attributes, dimensions, signal });
    found.push(rowsOfMask(holds(new Map(Object.entries(columns)), last - first + 1), first));
  }
  return concat(found);
}

function rowsOfMask(mask: Uint8Array, first: number): Uint32Array {
  const rows = new Uint32Array(mask.length);
  let count = 0;
  for (let at = 0; at < mask.length; at++) if (mask[at] === 1) rows[count++] = first + at;
  return rows.subarray(0, count);
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
