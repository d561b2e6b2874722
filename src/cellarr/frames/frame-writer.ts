import { columnCells, concatColumns, selectCells } from "../../array/column-ops.js";
import type { Column } from "../../array/columns.js";
import { run } from "../../array/read/selection.js";
import { createArray } from "../../array/write/create.js";
import { putMetadata } from "../../array/write/metadata-io.js";
import { writeDense } from "../../array/write/write-dense.js";
import { ArgumentError } from "../../errors.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import { FRAME_TILE, type FrameAttribute, frameMetadata, frameSchema } from "../layout.js";

/** Rows kept in memory before a fragment is written, whole tiles; Python's CSV import writes one per 1,000. */
const FRAGMENT_ROWS = 20 * FRAME_TILE;
/** Bytes kept before a fragment is written, as soon as there is a whole tile. */
const FRAGMENT_BYTES = 64 * 2 ** 20;

/** Writes a frame's rows as they come, with memory for one fragment's rows, whatever the number of rows. */
export class FrameWriter {
  readonly #location: StoreLocation<WritableStore>;
  readonly #attributes: readonly FrameAttribute[];
  readonly #rows: number;
  readonly #signal: AbortSignal | undefined;
  /** A list of columns, one per attribute, for each append. */
  #parts: (readonly Column[])[] = [];
  #buffered = 0;
  #bytes = 0;
  #written = 0;
  #fragments = 0;

  private constructor(
    location: StoreLocation<WritableStore>,
    attributes: readonly FrameAttribute[],
    rows: number,
    signal: AbortSignal | undefined,
  ) {
    this.#location = location;
    this.#attributes = attributes;
    this.#rows = rows;
    this.#signal = signal;
  }

  /** Makes the array for exactly `rows` rows. */
  static async create(
    location: StoreLocation<WritableStore>,
    attributes: readonly FrameAttribute[],
    rows: number,
    signal?: AbortSignal,
  ): Promise<FrameWriter> {
    await createArray(location, frameSchema(rows, attributes), { signal });
    await putMetadata(location, frameMetadata(attributes));
    return new FrameWriter(location, attributes, rows, signal);
  }

  /** Appends rows: one column per attribute, in their order, all of the same length. */
  async append(columns: readonly Column[]): Promise<void> {
    const rows = columnCells(columns[0]!);
    if (rows === 0) return;
    this.#parts.push(columns);
    this.#buffered += rows;
    for (const column of columns) this.#bytes += columnBytes(column);
    if (this.#buffered < FRAGMENT_ROWS && this.#bytes < FRAGMENT_BYTES) return;
    const whole = this.#buffered - (this.#buffered % FRAME_TILE);
    if (whole > 0) await this.#write(whole);
  }

  /** Writes what is left; returns the number of fragments. */
  async finish(): Promise<number> {
    if (this.#buffered > 0) await this.#write(this.#buffered);
    if (this.#written !== this.#rows) {
      throw new ArgumentError(`frame: ${this.#written} rows were written, expected ${this.#rows}`);
    }
    return this.#fragments;
  }

  async #write(rows: number): Promise<void> {
    const cells: Record<string, Column> = {};
    const rest: Column[] = [];
    for (const [at, { name }] of this.#attributes.entries()) {
      const column = concatColumns(this.#parts.map((part) => part[at]!));
      cells[name] = selectCells(column, run(0, rows));
      if (rows < this.#buffered) rest.push(selectCells(column, run(rows, this.#buffered)));
    }
    const first = BigInt(this.#written);
    await writeDense(this.#location, [[first, first + BigInt(rows) - 1n]], cells, { signal: this.#signal });
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.reduce((sum, column) => sum + columnBytes(column), 0);
    this.#buffered -= rows;
    this.#written += rows;
    this.#fragments++;
  }
}

function columnBytes(column: Column): number {
  const validity = column.validity?.byteLength ?? 0;
  if (column.kind === "fixed") return column.values.byteLength + validity;
  return column.data.byteLength + column.offsets.byteLength + validity;
}
