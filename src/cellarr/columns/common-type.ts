import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { FrameAttribute } from "../layout.js";
import { joinAttributes } from "./column-form.js";

/** One type for the values of two columns that have the same name and types of their own. */

/**
 * The narrowest type that NumPy would take for both; text where one is text. A boolean among numbers is 0 or 1. Integers
 * of 64 bits, one of them unsigned, have no such type but float64.
 */
export function commonAttribute(one: FrameAttribute, other: FrameAttribute): FrameAttribute {
  const datatype = commonType(one.datatype, other.datatype);
  return joinAttributes({ ...one, datatype }, { ...other, datatype });
}

function commonType(one: Datatype, other: Datatype): Datatype {
  if (one === other) return one;
  const [isText, isOtherText] = [isTextType(one), isTextType(other)];
  if (isText && isOtherText) return "string_utf8";
  if (isText || isOtherText) return isText ? one : other;
  if (one === "bool" || other === "bool") return one === "bool" ? other : one;
  const [a, b] = [datatypeInfo(one), datatypeInfo(other)];
  if (a.kind === "float" || b.kind === "float") {
    // float32 has all integers of 16 bits.
    const fits = (info: typeof a) => info.bytes <= (info.kind === "float" ? 4 : 2);
    return fits(a) && fits(b) ? "float32" : "float64";
  }
  if (a.kind === b.kind) return a.bytes > b.bytes ? one : other;
  const [signed, unsigned] = a.kind === "int" ? [a, b] : [b, a];
  const bytes = Math.max(signed.bytes, unsigned.bytes * 2);
  return bytes > 8 ? "float64" : (`int${bytes * 8}` as Datatype);
}

function isTextType(datatype: Datatype): boolean {
  return datatypeInfo(datatype).kind === "string";
}
