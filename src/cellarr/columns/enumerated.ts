import type { Column } from "../../array/columns.js";
import { typeRange } from "../../array/integer-types.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import { type FrameColumn, textValues } from "../../util/frame.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { nullableText } from "../frames/python-text.js";
import type { FrameAttribute } from "../layout.js";

/**
 * Columns of categories: the attribute holds a position in a list of texts. TileDB-Py writes pandas' categoricals so, as
 * int32 that is -1 where the value is missing, and then fails to read them as frames; nullable ones it reads.
 */

export interface Categories {
  readonly values: readonly string[];
  /** Whether the values compare by their positions. */
  readonly ordered: boolean;
}

export type EnumeratedAttribute = FrameAttribute & { readonly categories: Categories };

export function isEnumerated(attribute: FrameAttribute): attribute is EnumeratedAttribute {
  return attribute.categories !== undefined;
}

/** What a column asks of an attribute: categories for all its values. */
export function askedCategories(name: string, column: FrameColumn): EnumeratedAttribute {
  const categories = { values: [...new Set(codesOf(column).values)], ordered: false };
  return { name, datatype: "int32", nullable: true, categories };
}

/**
 * The stored attribute with room for the other's values, behind its own. With further values the order means nothing any
 * more: nobody says where they belong in it.
 */
export function joinCategories(
  stored: EnumeratedAttribute,
  other: FrameAttribute | undefined,
): EnumeratedAttribute {
  const { values, ordered } = stored.categories;
  const all = [...new Set([...values, ...(other?.categories?.values ?? [])])];
  const isLonger = all.length > values.length;
  const hasRoom = BigInt(all.length) <= typeRange(stored.datatype)[1] + 1n;
  return {
    ...stored,
    datatype: hasRoom ? stored.datatype : "int32",
    categories: { values: all, ordered: ordered && !isLonger },
  };
}

/** The cells of a column whose values are all among the categories; `rows` of nothing where there is no column. */
export function enumeratedCells(
  column: FrameColumn | undefined,
  rows: number,
  { datatype, categories }: EnumeratedAttribute,
): Column {
  const { codes, values } = column === undefined ? missing(rows) : codesOf(column);
  const positions = new Map(categories.values.map((value, position) => [value, position]));
  const places = values.map((value) => positions.get(value) ?? -1);
  const found = codes.map((code) => (code < 0 ? -1 : places[code]!));
  const validity = Uint8Array.from(found, (position) => (position < 0 ? 0 : 1));
  const stored = found.map((position) => Math.max(position, 0));
  return { kind: "fixed", datatype, cellValNum: 1, values: integersOf(stored, datatype), validity };
}

function integersOf(numbers: Int32Array, datatype: Datatype): TypedArray {
  const values = new (datatypeInfo(datatype).array)(numbers.length);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    for (const [row, number] of numbers.entries()) values[row] = BigInt(number);
  } else values.set(numbers);
  return values;
}

function missing(rows: number): { codes: Int32Array; values: string[] } {
  return { codes: new Int32Array(rows).fill(-1), values: [] };
}

/** A column as positions in a list of its values, -1 where missing. */
function codesOf(column: FrameColumn): { codes: Int32Array; values: string[] } {
  if (column.kind === "categorical") {
    const values = textValues(nullableText(column.categories));
    if (!values.includes(null)) return { codes: column.codes, values: values as string[] };
    const codes = column.codes.map((code) => (code < 0 || values[code] === null ? -1 : code));
    return { codes, values: values.map((value) => value ?? "") };
  }
  const positions = new Map<string, number>();
  const codes = Int32Array.from(textValues(nullableText(column)), (value) => {
    if (value === null) return -1;
    const known = positions.get(value) ?? positions.size;
    positions.set(value, known);
    return known;
  });
  return { codes, values: [...positions.keys()] };
}
