/** Plain text tables and numbers for people. */

export interface TableOptions {
  /** Columns, by number, that align to the right. */
  readonly right?: readonly number[];
  /** Put before each line. */
  readonly indent?: string;
}

/** Rows of cells as aligned lines; the first row is the header, underlined with dashes. */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
  }
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, i) => pad(cell, widths[i]!, options.right?.includes(i) ?? false));
    return `${options.indent ?? ""}${cells.join("  ")}`.trimEnd();
  };
  const [header, ...body] = rows;
  if (header === undefined) return "";
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function displayWidth(text: string): number {
  return [...text].length;
}

function pad(text: string, width: number, right: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return right ? blanks + text : text + blanks;
}

/** Shortens to `length` characters, marking the cut. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** 1234567 as 1,234,567. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Bytes with a unit of powers of 1,000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toPrecision(3)} ${units[unit]}`;
}

/** Milliseconds as 12 ms, 3.4 s or 2 min 5 s. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** "1 cell", "2 cells". */
export function plural(count: number, noun: string, several = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : several}`;
}

/** Text in bold or dimmed where the stream is a terminal that shows it, plain elsewhere. */
export function styled(stream: NodeJS.WriteStream, style: "bold" | "dim", text: string): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  const [on, off] = style === "bold" ? [1, 22] : [2, 22];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
