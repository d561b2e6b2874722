// Tables of medians and ratios for people.
import { summarise } from "./measure.mjs";
import { further, targets } from "./targets.mjs";

const titles = {
  ours: "ours",
  oursOwn: "ours, our store",
  cellarr: "Python cellarr",
  oursMatrix: "ours, matrix",
  oursOwnMatrix: "ours, our store, matrix",
  tiledb: "TileDB-Py, matrix",
};
const peers = ["cellarr", "tiledb"];

const seconds = (value) =>
  value < 0.01
    ? `${(value * 1000).toFixed(1)} ms`
    : value < 1
      ? `${(value * 1000).toFixed(0)} ms`
      : `${value.toFixed(2)} s`;
const bytes = (value) =>
  value < 1e5 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
export const formats = { seconds, bytes };

/** The table of targets: ours over theirs, of the runs of the same round. `results` maps key -> contestant -> runs. */
export function targetTable(results) {
  const header = [
    "ours / theirs",
    "ours",
    "Python cellarr",
    "ratio",
    "target",
    "",
    "ours",
    "TileDB-Py",
    "ratio",
    "target",
    "",
  ];
  const rows = targets
    .filter(({ key }) => results[key] !== undefined)
    .map((target) => [target.name, ...peers.flatMap((peer) => peerCells(target, results[target.key], peer))]);
  return alignedTable([header, ...rows]);
}

function peerCells({ targets: limits, pick, ours, unit }, runs, peer) {
  if (limits[peer] === undefined || runs[peer] === undefined) return ["", "", "", "", ""];
  const own = runs[ours[peer]].map(pick);
  const theirs = runs[peer].map(pick);
  const { median, min, max } = summarise(own.map((value, round) => value / theirs[round]));
  const range = min === max ? ratio(median) : `${ratio(median)} (${ratio(min)} - ${ratio(max)})`;
  const medians = [own, theirs].map((values) => formats[unit](summarise(values).median));
  return [...medians, range, `<= ${ratio(limits[peer])}`, median <= limits[peer] ? "met" : "MISSED"];
}

const ratio = (value) => (value < 0.1 ? value.toFixed(3) : value.toFixed(2));

/** Medians of all questions by all who were asked them. */
export function furtherTables(results, queries) {
  return further.map(({ title, pick, unit }) => {
    const names = Object.keys(titles);
    const rows = Object.entries(queries).map(([key, { name }]) => [
      name,
      ...names.map((who) => {
        const runs = results[key][who];
        return runs === undefined ? "" : spread(summarise(runs.map(pick)), formats[unit]);
      }),
    ]);
    return alignedTable([[title, ...names.map((who) => titles[who])], ...rows]);
  });
}

function spread({ median, min, max }, format) {
  return min === max ? format(median) : `${format(median)} (${format(min)} - ${format(max)})`;
}

export function alignedTable(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  return [
    line(rows[0]),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.slice(1).map(line),
  ].join("\n");
}
