// Writes the support table of README.md from the code's own tables (dist/): `npm run support-table`. With --check it
// only says whether README.md is up to date. What the tables don't know is listed here; a row names what holds it.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";

buildIfStale();
const { datatypes } = await import("../dist/format/datatype.js");
const { filterSupport } = await import("../dist/format/filters/registry.js");
const { NEWEST_VERSION, OLDEST_VERSION, WRITE_VERSION } = await import("../dist/format/version.js");

const YES = "yes";
const NO = "";
/** There is nothing to write. */
const NOTHING = "–";

/** Versions of which there is no file: no library that can still be had writes them. */
const UNSEEN = new Set([1, 2, 23]);

function versionRows() {
  const rows = [];
  for (let version = 1; version <= NEWEST_VERSION; version++) {
    rows.push({
      version,
      read: version < OLDEST_VERSION ? NO : UNSEEN.has(version) ? "by the specification" : YES,
      write: version === WRITE_VERSION ? YES : NO,
    });
  }
  return runs(rows, ({ read, write }) => `${read}|${write}`).map((run) => [
    `format version ${span(run.map(({ version }) => version))}`,
    run[0].read,
    run[0].write,
  ]);
}

function runs(list, keyOf) {
  const all = [];
  for (const one of list) {
    const last = all.at(-1);
    if (last !== undefined && keyOf(last[0]) === keyOf(one)) last.push(one);
    else all.push([one]);
  }
  return all;
}

const span = (numbers) => (numbers.length === 1 ? `${numbers[0]}` : `${numbers[0]} to ${numbers.at(-1)}`);

function datatypeRows() {
  const kinds = Map.groupBy?.(datatypes, ({ kind }) => kind) ?? groupBy(datatypes);
  return [...kinds].map(([kind, rows]) => [`${kind}: ${rows.map(({ name }) => name).join(", ")}`, YES, YES]);
}

function groupBy(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.kind, [...(groups.get(row.kind) ?? []), row]);
  return groups;
}

const filterRows = () =>
  filterSupport().map(({ type, read, write, note }) => [
    note === "" ? type : `${type} (${note})`,
    read ? YES : NO,
    write ? YES : NO,
  ]);

const features = [
  ["dense arrays; row- and col-major cells and tiles", YES, YES],
  ["sparse arrays; row- and col-major cells, space tiles", YES, YES],
  ["sparse arrays in Hilbert order", YES, YES],
  ["dimensions: integers, datetimes, times, without tile extent, negative", YES, YES],
  ["sparse dimensions: float32, float64, string_ascii", YES, YES],
  ["duplicate cells", YES, YES],
  ["variable-length, multi-value and nullable attributes, fill values", YES, YES],
  ["enumerations, ordered ones too", YES, YES],
  ["current domain", YES, NO],
  ["several fragments, newest wins", YES, YES],
  ["open at a timestamp or over a range of them", YES, YES],
  [
    "consolidated fragments with and without timestamps, consolidated commits, vacuumed",
    YES,
    "fragments and array metadata",
  ],
  ["array metadata", YES, YES],
  ["groups and their metadata", YES, YES],
  ["listing and walking of objects, by folders and by members of groups", YES, NOTHING],
  ["dataframes of TileDB-Py, as Arrow tables", YES, NO],
  ["schema evolution: each fragment by its own schema", YES, NO],
  ["query conditions, as text or tree; tiles skipped by their statistics", YES, NOTHING],
  ["reads in batches under a memory budget", YES, NOTHING],
  ["aggregates: count, sum, min, max, mean, nulls", YES, NOTHING],
  ["ranges, several per dimension; row-major, col-major, global order, unordered", YES, NOTHING],
  ["delete conditions, consolidated ones too", YES, NO],
  ["dimension labels: their values, ranges of ordered ones", YES, NO],
  ["encryption: AES-256-GCM", YES, NO],
];

const table = (heading, rows) =>
  [`| ${heading} | read | write |`, "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
    "\n",
  );

const text = [
  table("format", versionRows()),
  table("datatypes", datatypeRows()),
  table("filters", filterRows()),
  table("arrays", features),
].join("\n\n");

const readme = fileURLToPath(new URL("../README.md", import.meta.url));
const before = readFileSync(readme, "utf8");
const block = /(<!-- support table[^>]*-->\n)[\s\S]*?(<!-- \/support table -->)/;
const after = before.replace(block, (_, start, end) => `${start}${text}\n${end}`);
if (!process.argv.includes("--check")) writeFileSync(readme, after);
else if (before !== after) {
  console.error("the support table of README.md is out of date: npm run support-table");
  process.exit(1);
}
