// Tables of medians and ratios for people.
import { summarise } from "./measure.mjs";

const tools = ["ours", "cellarr", "tiledb"];
const titles = { ours: "ours", cellarr: "Python cellarr", tiledb: "TileDB-Py" };

/** `runs` maps a tool to its figures, each { seconds, cpu, peak, ... }. */
export function timeTable(title, rows, pick, format) {
  const header = [title, ...tools.map((tool) => titles[tool]), "cellarr / ours", "TileDB-Py / ours"];
  const body = rows.map(({ name, runs }) => {
    const summaries = tools.map((tool) => summarise(runs[tool].map(pick)));
    const ratios = summaries.slice(1).map((other) => `${(other.median / summaries[0].median).toFixed(2)}x`);
    return [name, ...summaries.map((summary) => spread(summary, format)), ...ratios];
  });
  return alignedTable([header, ...body]);
}

function spread({ median, min, max }, format) {
  return min === max ? format(median) : `${format(median)} (${format(min)} - ${format(max)})`;
}

export function alignedTable(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return [
    line(rows[0]),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.slice(1).map(line),
  ].join("\n");
}

export const seconds = (value) => (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`);
export const megabytes = (value) => `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
