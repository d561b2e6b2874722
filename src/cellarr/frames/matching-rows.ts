import { concatColumns } from "../../array/column-ops.js";
import type { Column } from "../../array/columns.js";
import { conditionFields } from "../../array/condition/condition-fields.js";
import { conditions } from "../../array/condition/late.js";
import type { QueryCondition } from "../../array/condition/query-condition.js";
import type { OpenedArray } from "../../array/opened-array.js";
import { throwIfAborted } from "../../errors.js";
import { concatUint32 } from "../../util/typed-arrays.js";
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
  const { parseCondition, prepareCondition } = await conditions();
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
  throwIfAborted(signal);
  const kept = dimensions.length > 0 ? null : keptColumns(frame, attributes);
  if (kept !== null) return rowsOfMask(holds(kept, frame.rowCount), 0);
  const found: Uint32Array[] = [];
  const blocks = new Blocks(frame, attributes);
  for (let first = 0; first < frame.rowCount; first += BLOCK_ROWS) {
    const last = Math.min(first + BLOCK_ROWS, frame.rowCount) - 1;
    const ranges = { [dimension]: [[first, last] as const] };
    const { columns } = await array.read({ ranges, attributes, dimensions, signal });
    found.push(rowsOfMask(holds(new Map(Object.entries(columns)), last - first + 1), first));
    blocks.add(columns);
  }
  await blocks.keep();
  return concatUint32(found);
}

/** All columns as they were read before; null where one of them is not kept. */
function keptColumns(frame: FrameReader, names: readonly string[]): Map<string, Column> | null {
  const columns = new Map<string, Column>();
  for (const name of names) {
    const cells = frame.keptCells(name);
    if (cells === null) return null;
    columns.set(name, cells);
  }
  return columns;
}

/** What was read of a condition's columns, as long as the frame has room to keep them. */
class Blocks {
  readonly #frame: FrameReader;
  readonly #parts: Map<string, Column[]>;
  #room: number;

  constructor(frame: FrameReader, names: readonly string[]) {
    this.#frame = frame;
    this.#parts = new Map(names.map((name) => [name, []]));
    this.#room = frame.room;
  }

  add(columns: Readonly<Record<string, Column>>): void {
    for (const [name, parts] of this.#parts) {
      parts.push(columns[name]!);
      this.#room -= bytesOf(columns[name]!);
    }
    if (this.#room < 0) this.#parts.clear();
  }

  async keep(): Promise<void> {
    for (const [name, parts] of this.#parts) {
      if (parts.length > 0) await this.#frame.keepCells(name, concatColumns(parts));
    }
  }
}

function bytesOf(column: Column): number {
  const validity = column.validity?.byteLength ?? 0;
  if (column.kind === "fixed") return column.values.byteLength + validity;
  return column.offsets.byteLength + column.data.byteLength + validity;
}

function rowsOfMask(mask: Uint8Array, first: number): Uint32Array {
  const rows = new Uint32Array(mask.length);
  let count = 0;
  for (let at = 0; at < mask.length; at++) if (mask[at] === 1) rows[count++] = first + at;
  return rows.subarray(0, count);
}
