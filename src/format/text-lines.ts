import { FormatError } from "../errors.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Lines of a text file whose every line ends in a newline. Bytes that are not UTF-8 are a FormatError. */
export function readLines(bytes: Uint8Array, structure: string, where?: string): string[] {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new FormatError(`${structure}: not UTF-8 text`, where === undefined ? { cause } : { cause, where });
  }
  const lines = text.split("\n");
  const rest = lines.pop();
  if (rest !== "") {
    throw new FormatError(
      `${structure}: the last line has no end: ${JSON.stringify(rest)}`,
      where === undefined ? {} : { where },
    );
  }
  return lines;
}

export function writeLines(lines: Iterable<string>): Uint8Array {
  let text = "";
  for (const line of lines) text += `${line}\n`;
  return new TextEncoder().encode(text);
}

/** The part of a path or URI after its last slash; a slash at the end does not count. */
export function lastPathComponent(path: string): string {
  const end = path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(path.lastIndexOf("/", end - 1) + 1, end);
}
