import type { FrameColumn } from "../util/frame.js";

/**
 * Whole columns of a frame, decoded once while it is open: queries that ask for all rows ask again and again. Columns are
 * kept as long as there is room, and handed out as copies, since callers may write to what they get.
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
    return column && copyOf(column);
  }

  /** Keeps a copy if there is room. */
  keep(name: string, column: FrameColumn): void {
    const bytes = bytesOf(column);
    if (bytes > this.#room || this.#columns.has(name)) return;
    this.#room -= bytes;
    this.#columns.set(name, copyOf(column));
  }
}

function bytesOf(column: FrameColumn): number {
  if (column.kind === "categorical") return column.codes.byteLength + bytesOf(column.categories);
  const validity = column.validity?.byteLength ?? 0;
  if (column.kind === "text") return column.offsets.byteLength + column.data.byteLength + validity;
  return column.values.byteLength + validity;
}

function copyOf<C extends FrameColumn>(column: C): C {
  const copies: Partial<Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(column)) {
    if (ArrayBuffer.isView(value)) copies[key] = (value as Uint8Array).slice();
    else if (key === "categories") copies[key] = copyOf(value as FrameColumn);
  }
  return { ...column, ...copies };
}
