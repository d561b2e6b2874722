import { bytesOf } from "../../util/typed-arrays.js";
import { columnCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { ByteStringSet, equalBytes } from "./byte-string-set.js";
import type { ComparisonOperator } from "./query-condition.js";

/** Comparisons of many texts with one, by their bytes, and membership in a set; a mask has a byte per cell. */

/** Whether the text [from, to) of the data passes. */
export type TextTest = (data: Uint8Array, from: number, to: number) => boolean;

export function comparisonTest(op: ComparisonOperator, text: Uint8Array): TextTest {
  if (op === "==" || op === "!=") {
    const equal = op === "==";
    return (data, from, to) =>
      (to - from === text.length && equalBytes(data, from, text, 0, text.length)) === equal;
  }
  const test = orderTests[op];
  return (data, from, to) => test(compare(data, from, to, text));
}

const orderTests = {
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
};

/** The first byte alone, as a signed number; an empty text counts as a NUL. */
export function firstByteTest(op: ComparisonOperator, text: Uint8Array): TextTest {
  const first = (text[0] ?? 0) ^ 0x80;
  if (op === "==") return (data, from) => (data[from]! ^ 0x80) === first;
  if (op === "!=") return (data, from) => (data[from]! ^ 0x80) !== first;
  const test = orderTests[op];
  return (data, from) => test((data[from]! ^ 0x80) - first);
}

/** As `compareBytes`: unsigned, a prefix first. */
function compare(data: Uint8Array, from: number, to: number, text: Uint8Array): number {
  const length = Math.min(to - from, text.length);
  for (let i = 0; i < length; i++) {
    const order = data[from + i]! - text[i]!;
    if (order !== 0) return order;
  }
  return to - from - text.length;
}

export function membershipTest(texts: readonly Uint8Array[], negated: boolean): TextTest {
  const wanted = new ByteStringSet(texts);
  return (data, from, to) => wanted.has(data, from, to) !== negated;
}

export function fillText(column: Column, test: TextTest, mask: Uint8Array): void {
  const cells = columnCells(column);
  if (column.kind === "var") {
    const { offsets, data } = column;
    for (let i = 0; i < cells; i++) mask[i] = test(data, offsets[i]!, offsets[i + 1]!) ? 1 : 0;
    return;
  }
  const data = bytesOf(column.values);
  const width = column.cellValNum * column.values.BYTES_PER_ELEMENT;
  for (let i = 0; i < cells; i++) mask[i] = test(data, i * width, (i + 1) * width) ? 1 : 0;
}
