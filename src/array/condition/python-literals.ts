import { textOfBytes } from "../../format/text-bytes.js";

/** Values of Python's literals: numbers in any base, texts with prefixes and escapes. Undefined where Python has an error. */

/** Of a token without sign. */
export function numberOf(literal: string): number | bigint | undefined {
  const text = literal.replaceAll("_", "");
  const based = /^0[xXoObB]/.test(text);
  if (!based && !/^\d+$/.test(text)) return Number(text);
  // Python knows no octal numbers of that old form, but any number of zeros.
  if (!based && /^0+[1-9]/.test(text)) return undefined;
  const exact = BigInt(text.toLowerCase());
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

/** Of a token with its prefix and quotes. */
export function textOf(literal: string): string | undefined {
  const [, prefix, quote] = /^([a-zA-Z]*)('''|"""|'|")/.exec(literal)!;
  const inner = literal.slice(prefix!.length + quote!.length, -quote!.length).replace(/\r\n?/g, "\n");
  const isBytes = /b/i.test(prefix!);
  if (isBytes && /[\u0080-\u{10ffff}]/u.test(inner)) return undefined;
  if (/r/i.test(prefix!)) return inner;
  const unescaped = inner.includes("\\") ? withoutEscapes(inner, isBytes) : inner;
  if (unescaped === undefined || !isBytes) return unescaped;
  return textOfBytes(Uint8Array.from(unescaped, (unit) => unit.charCodeAt(0)));
}

const single: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const escapes = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([xuUN])|([\s\S]))/g;

/** Escapes that Python does not know stay as they are. Names of characters, \N{...}, are not known here. */
function withoutEscapes(inner: string, isBytes: boolean): string | undefined {
  let isWrong = false;
  const text = inner.replace(escapes, (whole, octal, hex, short, long, cut, other: string | undefined) => {
    if (other !== undefined) return single[other] ?? whole;
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & (isBytes ? 0xff : 0x1ff));
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (isBytes && (cut === undefined || cut !== "x")) return whole;
    const code = cut === undefined ? Number.parseInt(short ?? long, 16) : Number.NaN;
    // Half of a character has no UTF-8 form.
    if (code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
    isWrong = true;
    return "";
  });
  return isWrong ? undefined : text;
}
