import { ValueError } from "../../errors.js";
import { type FrameColumn, type TextColumn, textValues } from "../../util/frame.js";
import type { NumberArray } from "../../util/typed-arrays.js";
import { asNumbers } from "../build/fit-values.js";
import { MISSING_TEXT } from "../frames/python-text.js";

/** Columns of any kind as numbers. */

export interface Numbers {
  /** NaN where missing. */
  readonly values: NumberArray;
  /** A byte per row, 0 where the value is missing; absent where none is. A NaN of the column itself is not missing. */
  readonly validity?: Uint8Array;
}

/** Throws ValueError naming `what` and the row for text that is no number. */
export function numbersOf(column: FrameColumn, what: string): Numbers {
  if (column.kind === "categorical") return categoryNumbers(column.codes, numbersOf(column.categories, what));
  if (column.kind === "text") return parsedNumbers(column, what);
  const values = asNumbers(column.values);
  const { validity } = column;
  if (validity === undefined) return { values };
  return {
    values: Float64Array.from(values, (value, row) => (validity[row] === 0 ? Number.NaN : value)),
    validity,
  };
}

function categoryNumbers(codes: Int32Array, categories: Numbers): Numbers {
  const isMissing = (code: number) => code < 0 || categories.validity?.[code] === 0;
  const values = Float64Array.from(codes, (code) =>
    isMissing(code) ? Number.NaN : categories.values[code]!,
  );
  if (!codes.some(isMissing)) return { values };
  return { values, validity: Uint8Array.from(codes, (code) => (isMissing(code) ? 0 : 1)) };
}

/** Text that pandas also takes for missing. */
const missingTexts = new Set(["", "NA", "N/A", "None", "null", "<NA>"]);
const notNumbers = new Set([MISSING_TEXT, "NaN"]);

function parsedNumbers(column: TextColumn, what: string): Numbers {
  const texts = textValues(column);
  const values = new Float64Array(texts.length);
  const validity = new Uint8Array(texts.length).fill(1);
  for (const [row, text] of texts.entries()) {
    if (text === null || missingTexts.has(text)) validity[row] = 0;
    const missing = validity[row] === 0 || notNumbers.has(text!);
    values[row] = missing ? Number.NaN : parseNumber(text!);
    if (!missing && Number.isNaN(values[row])) {
      throw new ValueError(`${what}: '${text}' in row ${row} is no number`);
    }
  }
  return validity.includes(0) ? { values, validity } : { values };
}

const words: Readonly<Record<string, number>> = {
  true: 1,
  false: 0,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

function parseNumber(text: string): number {
  const trimmed = text.trim();
  const word = words[trimmed.toLowerCase()];
  return word ?? (trimmed === "" ? Number.NaN : Number(trimmed));
}
