import type { TypedArrayConstructor } from "../../util/typed-arrays.js";
import { type Datatype, datatypeInfo } from "../datatype.js";

/** An integer type that values are taken as: C++'s int8_t to uint64_t. */
export interface Element {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/** Values of one of the types that fit in a number. */
export type SmallArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

const signed = { 1: Int8Array, 2: Int16Array, 4: Int32Array } as const;
const unsigned = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

/** The typed array of an element of at most 4 bytes. */
export function smallArrayOf(element: Element): TypedArrayConstructor<SmallArray> {
  const table = element.signed ? signed : unsigned;
  return table[element.bytes as 1 | 2 | 4];
}

/** The integers that a datatype's values are; null for floats, text and characters. */
export function integerOf(datatype: Datatype): Element | null {
  const { kind, bytes } = datatypeInfo(datatype);
  const width = bytes as 1 | 2 | 4 | 8;
  if (kind === "int" || kind === "datetime" || kind === "time") return { bytes: width, signed: true };
  if (kind === "uint" || kind === "bool") return { bytes: width, signed: false };
  if (kind === "blob" && datatype !== "any") return { bytes: 1, signed: false };
  return null;
}
