import { selectCells } from "../../array/column-ops.js";
import type { Column } from "../../array/columns.js";
import { run } from "../../array/read/selection.js";
import { UnsupportedError, ValueError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import { dtypeOf } from "../../h5ad/matrix.js";
import { type Frame, type FrameColumn, textValues } from "../../util/frame.js";
import type { ObsTypes } from "../build/options.js";
import { formColumn, joinAttributes } from "../columns/column-form.js";
import { askedCategories, enumeratedCells, isEnumerated, joinCategories } from "../columns/enumerated.js";
import { type ColumnType, columnTypes, storedColumn } from "../frames/column-types.js";
import { runRows } from "../frames/frame-parts.js";
import type { FrameReader } from "../frames/frame-reader.js";
import type { FrameWriter } from "../frames/frame-writer.js";
import { repeatedText } from "../frames/text-builder.js";
import type { FrameAttribute } from "../layout.js";
import type { NamedCells } from "../summary/stored-summaries.js";

/**
 * The frames of a store that is there, on the way to new ones: their domain says how many rows they have, so a frame with
 * more or fewer rows is a new array. Types of columns stay, but that they may get room for null, for other than ASCII
 * text and for further categories; categories that are numbers become nullable numbers.
 */

/** Rows that are read at a time. */
const PIECE_ROWS = 50_000;

/** What a text column holds where there is nothing. */
const NOT_AVAILABLE = "NA";

export function storedAttributes(frame: FrameReader): Promise<FrameAttribute[]> {
  const { schema, uri } = frame.array;
  return Promise.all(
    schema.attributes.map(async ({ name, datatype, cellValNum, enumeration, nullable }) => {
      const { kind } = datatypeInfo(datatype);
      const isText = kind === "string" || kind === "char";
      if (enumeration !== null) return enumeratedAttribute({ name, datatype, nullable: true }, frame);
      if (isText) return { name, datatype: kind === "char" ? "string_ascii" : datatype, nullable };
      if (cellValNum === 1) return { name, datatype, nullable };
      throw new UnsupportedError(`column '${name}' has ${cellValNum} values a row`, { where: uri });
    }),
  );
}

async function enumeratedAttribute(attribute: FrameAttribute, frame: FrameReader): Promise<FrameAttribute> {
  const { name } = attribute;
  const { categories, ordered } = await frame.categories(name);
  if (categories.kind === "text") {
    return { ...attribute, categories: { values: textValues(categories).map((one) => one ?? ""), ordered } };
  }
  const datatype = categories.kind === "boolean" ? "bool" : dtypeOf(categories.values);
  return { name, datatype, nullable: true };
}

/**
 * The columns that are in `given` and not in the frame, as a build would store them; numbers are nullable, since the
 * frame's rows have none.
 */
export function furtherAttributes(
  attributes: readonly FrameAttribute[],
  given: ReadonlyMap<string, FrameColumn>,
  types: ObsTypes | undefined,
  what: string,
): FrameAttribute[] {
  const known = new Set(attributes.map(({ name }) => name));
  const further = [...given].filter(([name]) => !known.has(name));
  return further.map(([name, column]) =>
    withGaps(
      formColumn(name, column, types?.[name] ?? undefined, "typed", `${what}: column '${name}'`).attribute,
    ),
  );
}

/** The attribute with room for rows that do not have the column: text says "NA" there. */
export function withGaps(attribute: FrameAttribute): FrameAttribute {
  return isText(attribute) ? attribute : { ...attribute, nullable: true };
}

function isText({ datatype }: FrameAttribute): boolean {
  return datatypeInfo(datatype).kind === "string";
}

/** The type that is asked of a column to go into an attribute; null where there is none of that name. */
export function typeOfAttribute({ datatype, categories }: FrameAttribute): ColumnType | null {
  if (categories !== undefined) return "utf8";
  if (datatype === "string_ascii") return "ascii";
  if (datatype === "string_utf8") return "utf8";
  return Object.hasOwn(columnTypes, datatype) ? (datatype as ColumnType) : null;
}

/** A stored attribute with room for what further rows hold; `column` is undefined where they do not have it. */
export function widened(
  stored: FrameAttribute,
  column: FrameColumn | undefined,
  what: string,
): FrameAttribute {
  if (isEnumerated(stored)) return joinCategories(stored, column && askedCategories(stored.name, column));
  const type = typeOfAttribute(stored);
  if (type === null) return stored;
  if (column === undefined) return withGaps(stored);
  const { attribute } = formColumn(stored.name, column, type, "typed", `${what}: column '${stored.name}'`);
  return joinAttributes(stored, attribute);
}

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onRows?: (rows: number) => void;
  /** All rows of columns that take the place of the frame's. */
  readonly replaced?: NamedCells;
}

/** Hands rows [start, end) to the writer, whose first attributes are those of the frame. */
export async function copyRows(
  frame: FrameReader,
  attributes: readonly FrameAttribute[],
  [start, end]: readonly [number, number],
  writer: FrameWriter,
  options: CopyOptions = {},
): Promise<void> {
  const { replaced = new Map<string, Column>() } = options;
  const names = frame.columnNames.filter((name) => !replaced.has(name));
  for (let first = start; first < end; first += PIECE_ROWS) {
    const last = Math.min(end, first + PIECE_ROWS);
    const piece = await frame.rows(runRows(first, last), names, options.signal);
    const cells = attributes.map((attribute) => {
      const column = replaced.get(attribute.name);
      if (column !== undefined) return selectCells(column, run(first, last));
      return frameCells(piece, attribute, "stored rows");
    });
    await writer.append(cells);
    options.onRows?.(last - first);
  }
}

/** A column of the frame as cells of the attribute; null, NaN or "NA" where the frame has none of that name. */
export function frameCells(
  frame: Pick<Frame, "columns" | "rowCount">,
  attribute: FrameAttribute,
  what: string,
): Column {
  const column = frame.columns.get(attribute.name);
  if (isEnumerated(attribute)) return enumeratedCells(column, frame.rowCount, attribute);
  if (column === undefined) return missingCells(attribute, frame.rowCount, what);
  const whole = `${what}: column '${attribute.name}'`;
  return storedColumn(column, attribute.datatype, whole, attribute.nullable);
}

function missingCells(attribute: FrameAttribute, rows: number, what: string): Column {
  const { name, datatype, nullable } = attribute;
  const { kind, array } = datatypeInfo(datatype);
  if (kind === "string") {
    const cells = storedColumn(repeatedText(nullable ? "" : NOT_AVAILABLE, rows), datatype, name);
    return nullable ? { ...cells, validity: new Uint8Array(rows) } : cells;
  }
  const values = new array(rows);
  if (nullable) return { kind: "fixed", datatype, cellValNum: 1, values, validity: new Uint8Array(rows) };
  if (kind === "float") {
    (values as Float64Array).fill(Number.NaN);
    return { kind: "fixed", datatype, cellValNum: 1, values };
  }
  throw new ValueError(
    `${what}: no column '${name}', which the store has as ${datatype}, a type without a missing value; give the column`,
  );
}
