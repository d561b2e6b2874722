import type { Column } from "../../array/columns.js";
import { UnsupportedError, ValueError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { Frame, FrameColumn } from "../../util/frame.js";
import { attributeDatatype, defaultType, storedColumn } from "../column-types.js";
import { runRows } from "../frame-parts.js";
import type { FrameReader } from "../frame-reader.js";
import type { FrameWriter } from "../frame-writer.js";
import type { FrameAttribute } from "../layout.js";
import type { ColumnTypes } from "../options.js";
import { repeatedText } from "../text-builder.js";

/**
 * The frames of a store that is there, on the way to new ones: their domain says how many rows they have, so a frame with
 * more or fewer rows is a new array. Types of columns stay; enumerated columns become text.
 */

/** Rows that are read at a time. */
const PIECE_ROWS = 50_000;

/** What a text column holds where there is nothing. */
const NOT_AVAILABLE = "NA";

export function storedAttributes(frame: FrameReader): FrameAttribute[] {
  return frame.array.schema.attributes.map(({ name, datatype, cellValNum, enumeration, nullable }) => {
    const { kind } = datatypeInfo(datatype);
    const isText = kind === "string" || kind === "char";
    if (enumeration !== null) return { name, datatype: "string_utf8" };
    if (isText) return { name, datatype: kind === "char" ? "string_ascii" : datatype, nullable };
    if (cellValNum === 1) return { name, datatype, nullable };
    throw new UnsupportedError(`column '${name}' has ${cellValNum} values a row`, { where: frame.array.uri });
  });
}

/** The columns that are in `given` and not in the frame, with the types that are asked for or text. */
export function furtherAttributes(
  attributes: readonly FrameAttribute[],
  given: ReadonlyMap<string, FrameColumn>,
  types: ColumnTypes | undefined,
): FrameAttribute[] {
  const known = new Set(attributes.map(({ name }) => name));
  const further = [...given].filter(([name]) => !known.has(name));
  return further.map(([name, column]) => ({
    name,
    datatype: attributeDatatype(types?.[name] ?? defaultType(column), name),
  }));
}

/** Hands rows [start, end) to the writer, whose first attributes are those of the frame. */
export async function copyRows(
  frame: FrameReader,
  attributes: readonly FrameAttribute[],
  [start, end]: readonly [number, number],
  writer: FrameWriter,
  options: { readonly signal?: AbortSignal | undefined; readonly onRows?: (rows: number) => void } = {},
): Promise<void> {
  const names = frame.columnNames;
  for (let first = start; first < end; first += PIECE_ROWS) {
    const last = Math.min(end, first + PIECE_ROWS);
    const piece = await frame.rows(runRows(first, last), names, options.signal);
    await writer.append(attributes.map((attribute) => frameCells(piece, attribute, "stored rows")));
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
  if (column === undefined) return missingCells(attribute, frame.rowCount, what);
  const whole = `${what}: column '${attribute.name}'`;
  if (!attribute.nullable) return storedColumn(column, attribute.datatype, whole);
  const validity = validityOf(column, frame.rowCount);
  const filled = storedColumn(withoutGaps(column, attribute.datatype), attribute.datatype, whole);
  return { ...filled, validity };
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

function validityOf(column: FrameColumn, rows: number): Uint8Array {
  if (column.kind === "categorical") return Uint8Array.from(column.codes, (code) => (code < 0 ? 0 : 1));
  return column.validity ?? new Uint8Array(rows).fill(1);
}

/** The column with some value of the type where it has none: null cells hold it unseen. */
function withoutGaps(column: FrameColumn, datatype: Datatype): FrameColumn {
  if (column.kind === "numeric" || column.kind === "boolean") {
    const { validity: _, ...filled } = column;
    return filled;
  }
  if (column.kind === "text" && datatypeInfo(datatype).kind === "string") {
    const { validity: _, ...filled } = column;
    return filled;
  }
  return column;
}
