import type { Column } from "../../array/columns.js";
import type { TileDBArray } from "../../array/open.js";
import { ArgumentError, FormatError, NotFoundError, throwIfAborted } from "../../errors.js";
import type { Attribute } from "../../format/array-schema.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { Enumeration } from "../../format/enumeration.js";
import {
  type BooleanColumn,
  type CategoricalColumn,
  Frame,
  type FrameColumn,
  type NumericColumn,
  type TextColumn,
} from "../../util/frame.js";
import { viewAs } from "../../util/typed-arrays.js";
import { isAscending, positionsIn, runsOf, sortedUnique } from "../selection.js";
import { ColumnCache } from "./column-cache.js";
import { frameColumn } from "./column-types.js";
import { numberedIndex, takeFrameRows, takeRows, takeSorted } from "./frame-parts.js";

/** Bytes of whole columns that are kept: text of 20 bytes for a million cells. */
const KEPT_BYTES = 32 * 2 ** 20;

/** A frame in a dense array: its rows by number, its columns by name. */
export class FrameReader {
  readonly array: TileDBArray;
  readonly rowCount: number;
  readonly columnNames: readonly string[];
  /** Name of the dimension of rows. */
  readonly dimension: string;
  readonly #whole: ColumnCache;
  /** Columns that turned out not to fit. */
  readonly #large = new Set<string>();
  #names: TextColumn | undefined;

  /** Throws FormatError unless the array is dense with one dimension of rows. `keptBytes`: of columns, at most. */
  constructor(array: TileDBArray, keptBytes = KEPT_BYTES) {
    this.#whole = new ColumnCache(keptBytes);
    const { schema, uri } = array;
    const [dimension, ...others] = schema.dimensions;
    if (schema.arrayType !== "dense" || dimension === undefined || others.length > 0) {
      throw new FormatError(
        `not a frame: expected a dense array of one dimension, found a ${schema.arrayType} one of ${schema.dimensions.length}`,
        { where: uri },
      );
    }
    this.array = array;
    this.dimension = dimension.name;
    this.columnNames = schema.attributes.map(({ name }) => name);
    this.rowCount = rowCountOf(array);
  }

  /** Throws NotFoundError naming those that are not there. */
  checkColumns(columns: readonly string[]): void {
    const unknown = columns.filter((name) => !this.columnNames.includes(name));
    if (unknown.length === 0) return;
    const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");
    throw new NotFoundError(`no column ${list(unknown)}; there are: ${list(this.columnNames)}`, {
      where: this.array.uri,
    });
  }

  /** All rows of one column. */
  async column(name: string, signal?: AbortSignal): Promise<FrameColumn> {
    this.checkColumns([name]);
    const read = await this.#read(null, [name], signal);
    return read.get(name)!;
  }

  /** The rows in the order given, repeats included; named by `index`, or by their numbers. */
  async rows(
    rows: Uint32Array,
    columns: readonly string[] = this.columnNames,
    signal?: AbortSignal,
  ): Promise<Frame> {
    this.checkColumns(columns);
    throwIfAborted(signal);
    const ascending = isAscending(rows);
    const sorted = ascending ? rows : sortedUnique(rows);
    const frame = new Frame(this.#namesOf(sorted), await this.#read(sorted, columns, signal));
    return ascending ? frame : takeFrameRows(frame, positionsIn(sorted, rows));
  }

  /** Columns of the strictly ascending rows, or of all. */
  async #read(
    rows: Uint32Array | null,
    columns: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, FrameColumn>> {
    const missing = columns.filter((name) => !this.#whole.has(name));
    if (rows !== null && rows.length < this.rowCount) return this.#readSome(rows, columns, missing, signal);
    const read = await this.#readStored(null, missing, signal);
    for (const [name, column] of read) this.#whole.keep(name, column);
    return new Map(columns.map((name) => [name, read.get(name) ?? this.#whole.get(name)!]));
  }

  /** Of columns that are kept, the rows are taken; so they are of those that have to be decoded whole or nearly so. */
  async #readSome(
    rows: Uint32Array,
    columns: readonly string[],
    missing: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, FrameColumn>> {
    const decoded = this.#touchesMost(rows) ? missing.filter((name) => !this.#large.has(name)) : [];
    const whole = await this.#readStored(null, decoded, signal);
    for (const [name, column] of whole) this.#adopt(name, column);
    const apart = missing.filter((name) => !whole.has(name));
    const some = await this.#readStored(rows, apart, signal);
    return new Map(
      columns.map((name) => [
        name,
        some.get(name) ?? this.#whole.take(name, rows) ?? takeSorted(whole.get(name)!, rows),
      ]),
    );
  }

  #adopt(name: string, column: FrameColumn): void {
    if (!this.#whole.adopt(name, column)) this.#large.add(name);
  }

  /** Whether the rows lie in three of four tiles. */
  #touchesMost(rows: Uint32Array): boolean {
    const extent = Number(this.array.schema.dimensions[0]!.tileExtent ?? this.rowCount);
    let touched = 0;
    for (let at = 0, next = 0; at < rows.length; at++) {
      if (rows[at]! < next) continue;
      touched++;
      next = (Math.floor(rows[at]! / extent) + 1) * extent;
    }
    return touched * 4 >= Math.ceil(this.rowCount / extent) * 3;
  }

  #namesOf(rows: Uint32Array): TextColumn {
    if (rows.length < this.rowCount) return numberedIndex(rows);
    this.#names ??= numberedIndex(rows);
    const { offsets, data } = this.#names;
    return { kind: "text", offsets: offsets.slice(), data: data.slice() };
  }

  /**
   * The cells of a column that is kept, as the array has them; null of those that are not kept, or not kept as they are.
   * Not to be written to.
   */
  keptCells(name: string): Column | null {
    const { datatype, enumeration, nullable, cellValNum } = this.#attribute(name);
    const column = this.#whole.peek(name);
    if (column === undefined || column.kind === "categorical" || enumeration !== null) return null;
    // Of an attribute that is not nullable it marks texts of one NUL, which the array's cells are not.
    const { validity } = column;
    if (nullable && validity === undefined) return null;
    const marks = nullable && validity !== undefined ? { validity } : {};
    if (column.kind === "text") {
      return { kind: "var", datatype, offsets: column.offsets, data: column.data, ...marks };
    }
    return cellValNum !== 1 ? null : { kind: "fixed", datatype, cellValNum, values: column.values, ...marks };
  }

  /** Bytes of columns that can still be kept. */
  get room(): number {
    return this.#whole.room;
  }

  /** Keeps all rows of a column that nobody else writes to, if there is room. */
  async keepCells(name: string, cells: Column): Promise<void> {
    this.#adopt(name, await this.#decode(name, frameColumn(cells)));
  }

  #attribute(name: string): Attribute {
    return this.array.schema.attributes.find((one) => one.name === name)!;
  }

  async #readStored(
    rows: Uint32Array | null,
    columns: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, FrameColumn>> {
    const result = new Map<string, FrameColumn>();
    if (columns.length === 0) return result;
    for (const name of columns) this.#askCategories(name);
    const span = rows === null ? null : closeSpan(rows);
    const ranges: [number, number][] =
      rows === null
        ? this.rowCount === 0
          ? []
          : [[0, this.rowCount - 1]]
        : span === null
          ? runsOf(rows)
          : [span];
    const read = await this.array.read({
      ranges: { [this.dimension]: ranges },
      attributes: columns,
      signal,
    });
    const positions = rows === null || span === null ? null : rows.map((row) => row - span[0]);
    for (const name of columns) {
      const stored = frameColumn(read.columns[name]!);
      result.set(name, await this.#decode(name, positions === null ? stored : takeRows(stored, positions)));
    }
    return result;
  }

  /** The values of an enumerated column. */
  async categories(name: string): Promise<Pick<CategoricalColumn, "categories" | "ordered">> {
    const { enumeration } = this.#attribute(name);
    if (enumeration === null) {
      throw new ArgumentError(`column '${name}' is not enumerated`, { where: this.array.uri });
    }
    const stored = await this.array.enumeration(enumeration);
    return { categories: enumerationColumn(stored), ordered: stored.ordered };
  }

  /** They come while the cells do; what fails does so for whoever decodes the column. */
  #askCategories(name: string): void {
    const { enumeration } = this.#attribute(name);
    if (enumeration !== null) this.array.enumeration(enumeration).catch(() => {});
  }

  /** An enumerated attribute becomes a categorical. */
  async #decode(name: string, column: FrameColumn): Promise<FrameColumn> {
    if (this.#attribute(name).enumeration === null || column.kind !== "numeric") return column;
    const { values, validity } = column;
    const { categories, ordered } = await this.categories(name);
    const codes = Int32Array.from(values as ArrayLike<number>, (code, row) =>
      validity?.[row] === 0 ? -1 : Number(code),
    );
    return { kind: "categorical", codes, categories, ordered };
  }
}

/** Rows scattered over at most this many times as many are read along with those between: tiles are decoded whole. */
const CLOSE = 32;
const FEW_RUNS = 64;

/** First and last of rows, strictly ascending, that lie close together in many runs; null of others. */
function closeSpan(rows: Uint32Array): [number, number] | null {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || last - first >= rows.length * CLOSE) return null;
  let runs = 1;
  for (let at = 1; at < rows.length; at++) if (rows[at]! - rows[at - 1]! > 1) runs++;
  return runs > FEW_RUNS ? [first, last] : null;
}

/** The items of an enumeration as categories. */
function enumerationColumn({
  datatype,
  data,
  offsets,
}: Enumeration): TextColumn | NumericColumn | BooleanColumn {
  if (offsets !== null) return { kind: "text", offsets: Uint32Array.from(offsets), data };
  const values = viewAs(data, datatypeInfo(datatype).array);
  return datatype === "bool" ? { kind: "boolean", values: data } : { kind: "numeric", values };
}

/** Rows up to the last that was written: frames of appended CSV have a domain as wide as the type. */
function rowCountOf(array: TileDBArray): number {
  const domain = array.nonEmptyDomain();
  if (domain === null) return 0;
  const [first, last] = domain[0]!;
  if (Number(first) < 0) {
    throw new FormatError(`a frame's rows start at 0, found ${first}`, { where: array.uri });
  }
  return Number(last) + 1;
}
