import type { Column } from "../array/columns.js";
import { ArgumentError } from "../errors.js";
import type { Scalar } from "../format/array-schema.js";
import { type Enumeration, enumerationValues } from "../format/enumeration.js";
import { jsonNumber } from "../util/json-text.js";
import { base64, type CellFormatter } from "./json-cells.js";

/** Enumerated attributes: cells are positions, what is printed are the values at them. */

/** JSON texts of an enumeration's values. */
export function enumerationTexts(enumeration: Enumeration): string[] {
  return enumerationValues(enumeration).map(jsonScalar);
}

function jsonScalar(value: Scalar): string {
  if (typeof value === "number") return jsonNumber(value);
  if (typeof value === "bigint") return `"${value}"`;
  return value instanceof Uint8Array ? `"${base64(value)}"` : JSON.stringify(value);
}

/** A position without a value, as the fill value of a dense array is one, prints as null. */
export function enumeratedFormatter(column: Column, enumeration: Enumeration): CellFormatter {
  if (column.kind !== "fixed" || column.cellValNum !== 1) {
    throw new ArgumentError(`enumeration '${enumeration.name}': expected one position a cell`);
  }
  const texts = enumerationTexts(enumeration);
  const { values, validity } = column;
  return (cell) => (validity?.[cell] === 0 ? "null" : (texts[Number(values[cell])] ?? "null"));
}
