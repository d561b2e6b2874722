import type { FrameColumn } from "../../util/frame.js";
import { copyColumn, takeSorted } from "./frame-parts.js";

/**
 * Whole columns of a frame, decoded once while it is open: queries that ask for all rows, or for some of each tile, ask
 * again and again. Columns are kept as long as there is room, and handed out as copies, since callers may write to what
 * they get.
 */
export class ColumnCache {
  readonly #columns = new Map<string, FrameColumn>();
  #room: number;

  /** @param room bytes of columns at most */
  constructor(room: number) {
    this.#room = room;
  }

  has(name: string): boolean {
    return this.#columns.has(name);
  }

  get(name: string): FrameColumn | undefined {
    const column = this.#columns.get(name);
    return column && copyColumn(column);
  }

  /** The column itself, not to be handed out. */
  peek(name: string): FrameColumn | undefined {
    return this.#columns.get(name);
  }

  /** Strictly ascending rows of a column, in memory of their own. */
  take(name: string, rows: Uint32Array): FrameColumn | undefined {
    const column = this.#columns.get(name);
    const taken = column && takeSorted(column, rows);
    return taken?.kind === "categorical" ? { ...taken, categories: copyColumn(taken.categories) } : taken;
  }

  get room(): number {
    return this.#room;
  }

  /** Keeps a copy if there is room. */
  keep(name: string, column: FrameColumn): void {
    if (this.#take(name, column)) this.#columns.set(name, copyColumn(column));
  }

  /** Keeps the column, which nobody else writes to; false where there is no room. */
  adopt(name: string, column: FrameColumn): boolean {
    if (this.#take(name, column)) this.#columns.set(name, column);
    return this.#columns.has(name);
  }

  #take(name: string, column: FrameColumn): boolean {
    const bytes = bytesOf(column);
    if (bytes > this.#room || this.#columns.has(name)) return false;
    this.#room -= bytes;
    return true;
  }
}

function bytesOf(column: FrameColumn): number {
  if (column.kind === "categorical") return column.codes.byteLength + bytesOf(column.categories);
  const validity = column.validity?.byteLength ?? 0;
  if (column.kind === "text") return column.offsets.byteLength + column.data.byteLength + validity;
  return column.values.byteLength + validity;
}
