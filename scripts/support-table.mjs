// Writes the support table of README.md from the code's own tables (dist/): `npm run support-table`. With --check it
// only says whether README.md is up to date. What the tables don't know is listed here; a row names what holds it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";

await buildIfStale();
const { datatypes } = await import("../dist/format/datatype.js");
const { filterSupport } = await import("../dist/format/filters/registry.js");
const { NEWEST_VERSION, OLDEST_VERSION, WRITE_VERSION } = await import("../dist/format/version.js");

const YES = "yes";
const NO = "";
/** There is nothing to write. */
const NOTHING = "–";

/** Versions of which there is no file: no library that can still be had writes them. */
const UNSEEN = new Set([1, 2, 23]);

const fixtures = new URL("../spec-fixtures/", import.meta.url);
const filterFixtures = readdirSync(new URL("v22/", fixtures))
  .sort()
  .map((name) => `v22/${name}`);

/** The first and the last of them; all must be there. */
function fixture(names) {
  const missing = names.filter((name) => !existsSync(new URL(`${name}/`, fixtures)));
  if (missing.length > 0) throw new Error(`no fixture ${missing.join(", ")}`);
  return names.length === 1 ? `\`${names[0]}\`` : `\`${names[0]}\` to \`${names.at(-1)}\``;
}

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
    UNSEEN.has(run[0].version) ? NOTHING : fixture(run.map(({ version }) => `v${version}`)),
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
  return [...kinds].map(([kind, rows]) => [
    `${kind}: ${rows.map(({ name }) => name).join(", ")}`,
    YES,
    YES,
    fixture([attributesOf(kind)]),
  ]);
}

function attributesOf(kind) {
  if (["int", "uint", "float"].includes(kind)) return "v22/attributes.numbers";
  return ["datetime", "time"].includes(kind) ? "v22/attributes.times" : "v22/attributes.text-and-bytes";
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
    fixture([filterFixtures.find((name) => `${name}.`.startsWith(`v22/filters.${type}.`)) ?? type]),
  ]);

const features = [
  [
    "dense arrays; row- and col-major cells and tiles",
    YES,
    YES,
    fixture(["v22/dense-2d.cells-col-major.tiles-row-major"]),
  ],
  [
    "sparse arrays; row- and col-major cells, space tiles",
    YES,
    YES,
    fixture(["v22/sparse-2d.cells-col-major.tiles-row-major"]),
  ],
  ["sparse arrays in Hilbert order", YES, YES, fixture(["v22/fragments.hilbert"])],
  [
    "dimensions: integers, datetimes, times, without tile extent, negative",
    YES,
    YES,
    fixture(["v22/sparse-2d.no-extent"]),
  ],
  ["sparse dimensions: float32, float64, string_ascii", YES, YES, fixture(["v22/sparse-5d"])],
  ["duplicate cells", YES, YES, fixture(["v22/fragments.duplicates"])],
  [
    "variable-length, multi-value and nullable attributes, fill values",
    YES,
    YES,
    fixture(["v22/attributes.fill"]),
  ],
  ["enumerations, ordered ones too", YES, YES, fixture(["v22/attributes.enumerations-extended"])],
  ["current domain", YES, NO, fixture(["v22/current-domain.expanded"])],
  ["several fragments, newest wins", YES, YES, fixture(["v22/fragments.overlapping"])],
  ["open at a timestamp or over a range of them", YES, YES, fixture(["v22/dense-2d.overlapping"])],
  [
    "consolidated fragments with and without timestamps, consolidated commits, vacuumed",
    YES,
    "fragments and array metadata",
    fixture(["v22/fragments.commits-consolidated-ignored"]),
  ],
  ["array metadata", YES, YES, fixture(["v22/metadata.types"])],
  ["groups and their metadata", YES, YES, fixture(["v22/group.nested"])],
  [
    "listing and walking of objects, by folders and by members of groups",
    YES,
    NOTHING,
    fixture(["v22/group.nested"]),
  ],
  ["dataframes of TileDB-Py, as Arrow tables", YES, NO, fixture(["v22/dataframe.indexed"])],
  ["schema evolution: each fragment by its own schema", YES, NO, fixture(["v22/fragments.evolved"])],
  [
    "query conditions, as text or tree; tiles skipped by their statistics",
    YES,
    NOTHING,
    fixture(["read/conditions"]),
  ],
  ["reads in batches under a memory budget", YES, NOTHING, fixture(["v22/fragments.overlapping"])],
  ["aggregates: count, sum, min, max, mean, nulls", YES, NOTHING, fixture(["v22/attributes.numbers"])],
  [
    "ranges, several per dimension; row-major, col-major, global order, unordered",
    YES,
    NOTHING,
    fixture(["v22/sparse-5d.col-major"]),
  ],
  ["delete conditions, consolidated ones too", YES, NO, fixture(["v22/deletes.history-consolidated"])],
  ["dimension labels: their values, ranges of ordered ones", YES, NO, fixture(["v22/dimension-labels"])],
  ["encryption: AES-256-GCM", YES, NO, fixture(["v22/encrypted.consolidated"])],
];

const table = (heading, rows) =>
  [
    `| ${heading} | read | write | fixture in spec-fixtures |`,
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");

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
