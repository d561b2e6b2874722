const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes that are not UTF-8 stand as lone surrogates from here on: byte b as U+DC00 + b. */
const ESCAPE = 0xdc00;
const escaped = /[\udc80-\udcff]/u;

/**
 * Bytes of a string coordinate as text. String dimensions are declared ASCII, but nothing in the format keeps other
 * bytes out: UTF-8 is decoded as such, and anything else byte by byte with bytes from 0x80 on as lone surrogates, so
 * that `bytesOfText(textOfBytes(b))` is `b` whatever `b` is.
 */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte);
    return text;
  }
}

/** The inverse of `textOfBytes`: UTF-8, with escaped bytes restored. */
export function bytesOfText(text: string): Uint8Array {
  if (!escaped.test(text)) return encoder.encode(text);
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0) & 0xff);
}

/** Order of two strings as the format orders them: by unsigned bytes of their UTF-8 form, a prefix first. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 and UTF-8 differ in order only where surrogates come in.
    return isSurrogate(x) || isSurrogate(y) ? compareBytes(bytesOfText(a), bytesOfText(b)) : x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/** Order of two byte strings: unsigned, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.byteLength, b.byteLength);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.byteLength - b.byteLength;
}
