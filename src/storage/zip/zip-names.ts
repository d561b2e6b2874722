/** Names in zip files: UTF-8 where a flag says so, else code page 437, which many a program takes for UTF-8 as well. */

const UPPER_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function decodeName(bytes: Uint8Array): string {
  try {
    // Also without the flag: nearly no text of code page 437 beyond ASCII is UTF-8 by chance.
    return utf8.decode(bytes);
  } catch {
    let text = "";
    for (const byte of bytes) text += byte < 128 ? String.fromCharCode(byte) : UPPER_437[byte - 128]!;
    return text;
  }
}
