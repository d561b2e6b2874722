/** Base64, in which WebAssembly modules lie in the code. A platform may put a faster decoder in the place of this one. */

let decode = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return decode(text);
}

/** A call per byte, as here, has the engine optimise the function, which takes longer than a small module to compile. */
export function replaceBase64(faster: typeof decode): void {
  decode = faster;
}
