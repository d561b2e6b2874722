import type { Frame } from "../../util/frame.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { matchingRows } from "../frames/matching-rows.js";
import { type RowSelection, type Rows, resolveRows } from "../selection.js";

/** A frame of a store, with what its rows can be asked for by. */
export class MetadataTable {
  readonly reader: FrameReader;
  readonly #what: string;
  readonly #where: string;
  readonly #names: Rows["names"];

  /** @param what "cell", "gene" or "sample", as `where`, the store, for messages */
  constructor(what: string, reader: FrameReader, where: string, names: Rows["names"] = null) {
    this.reader = reader;
    this.#what = what;
    this.#where = where;
    this.#names = names;
  }

  get rowCount(): number {
    return this.reader.rowCount;
  }

  get columnNames(): string[] {
    return [...this.reader.columnNames];
  }

  /** The columns asked for, default all. NotFoundError names those that are not there. */
  wantedColumns(columns: string | readonly string[] | undefined): readonly string[] {
    if (columns === undefined) return this.reader.columnNames;
    const wanted = typeof columns === "string" ? [columns] : columns;
    this.reader.checkColumns(wanted);
    return wanted;
  }

  /** Numbers of the rows in the order asked, repeats included; throws as resolveRows does. */
  resolve(selection: RowSelection, signal: AbortSignal | undefined): Promise<Uint32Array> {
    const { reader } = this;
    return resolveRows(selection, {
      what: this.#what,
      count: reader.rowCount,
      where: this.#where,
      names: this.#names,
      matching: (condition) => matchingRows(reader, condition, signal),
    });
  }

  /** Rows in the order asked, named by their numbers; `columns` default to all. */
  async subset(
    selection: RowSelection,
    columns: string | readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Frame> {
    const wanted = this.wantedColumns(columns);
    return this.reader.rows(await this.resolve(selection, signal), wanted, signal);
  }
}
