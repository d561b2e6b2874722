import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  isCellarrError,
  MemoryStore,
  openArray,
  type QueryCondition,
  readGroup,
} from "../../src/tiledb-node.js";
import { bytesOf } from "../../src/util/typed-arrays.js";
import { isLongRun, patience } from "../support/property.js";

/**
 * Official arrays and groups, one byte changed or one file cut: the same cells or an error of this package's family;
 * never another error, a hang, or memory far beyond what the files account for. A normal run samples positions, a long
 * one tries them all.
 *
 * Other content than before is accepted in two cases only. Bytes of tile data that no checksum protects may decode to
 * other values. And lists of file names in plain text (vacuum and ignore files) may name another file. Everything else
 * has a 32-bit checksum at most, Adler-32, which on short texts does collide ("gone" and "t_go"): one in a thousand
 * is let pass, and one more; a hundred thousand tries found one. What has
 * changed must still be whole: as many cells in each column as the result says.
 */

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));

/** Bytes at most of a fixture that is tried: a few milliseconds a read. */
const MAX_BYTES = isLongRun ? 100_000 : 12_000;
const FLIPS = isLongRun ? Number.POSITIVE_INFINITY : 2;
const CUTS = isLongRun ? Number.POSITIVE_INFINITY : 1;
/** Milliseconds for one read; the undamaged ones take about five. */
const TIME_LIMIT = 2000;
/** Bytes for one read. A tile of a fixture is below 1 MB. */
const MEMORY_LIMIT = 64 << 20;

/** Of the encrypted fixtures. */
const KEY = "0123456789abcdef0123456789abcdef";

type Files = ReadonlyMap<string, Uint8Array>;

function filesOf(folder: string): Files {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const paths = names.map((one) => join(one.parentPath, one.name)).sort();
  return new Map(
    paths.map((path) => [relative(folder, path).replaceAll("\\", "/"), new Uint8Array(readFileSync(path))]),
  );
}

const sizeOf = (files: Files) => [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);

interface Fixture {
  readonly name: string;
  readonly kind: "array" | "group";
  readonly files: Files;
}

function fixtures(): Fixture[] {
  const found: Fixture[] = [];
  for (const version of readdirSync(root).filter((name) => /^v\d+$/.test(name))) {
    for (const name of readdirSync(join(root, version))) {
      for (const kind of ["array", "group"] as const) {
        const folder = join(root, version, name, kind);
        if (!existsSync(folder)) continue;
        const files = filesOf(folder);
        if (sizeOf(files) <= MAX_BYTES) found.push({ name: `${version}/${name}`, kind, files });
      }
    }
  }
  return found;
}

/** The whole content; throws what the package throws. */
async function content({ kind, name: fixture }: Fixture, files: Files): Promise<string> {
  const store = new MemoryStore();
  for (const [key, bytes] of files) await store.put(`x/${key}`, bytes);
  const place = { store, path: "x" };
  const hash = createHash("md5");
  if (kind === "group") {
    const { members, metadata } = await readGroup(place);
    for (const one of [members, [...metadata]]) hash.update(inspect(one, { depth: null }));
    return hash.digest("hex");
  }
  const array = await openArray(place, fixture.includes("/encrypted.") ? { encryptionKey: KEY } : {});
  hash.update(inspect(await array.metadata(), { maxArrayLength: null }));
  const dimensions = array.schema.dimensions.map((dimension) => dimension.name);
  const result = await array.read({ dimensions, order: "row-major" });
  for (const [field, column] of Object.entries(result.columns)) {
    const cells =
      column.kind === "var" ? column.offsets.length - 1 : column.values.length / column.cellValNum;
    expect([field, cells]).toEqual([field, result.cellCount]);
    expect(column.validity?.length ?? cells).toBe(cells);
    hash.update(field);
    hash.update(column.kind === "var" ? column.data : bytesOf(column.values));
    if (column.kind === "var") hash.update(column.offsets);
    hash.update(column.validity ?? "");
    if (column.kind === "var") expect(column.offsets.at(-1)).toBeLessThanOrEqual(column.data.byteLength);
  }
  // Statistics of tiles and fragments are read by queries with conditions alone.
  const compared = array.schema.attributes.find(
    ({ datatype, cellValNum, enumeration }) =>
      enumeration === null && cellValNum === 1 && /^u?int/.test(datatype),
  );
  if (compared !== undefined) {
    const { name } = compared;
    const condition: QueryCondition = { kind: "compare", field: name, op: ">=", value: 1 };
    hash.update(String((await array.read({ condition, attributes: [name] })).cellCount));
  }
  for (const enumeration of array.schema.enumerations) {
    hash.update(inspect((await array.enumeration(enumeration.name)).data, { maxArrayLength: null }));
  }
  return hash.digest("hex");
}

/** Positions spread over the file, another set for each file. */
function positions(length: number, count: number, seed: number): number[] {
  if (count >= length) return Array.from({ length }, (_, i) => i);
  const step = length / count;
  return Array.from({ length: count }, (_, i) =>
    Math.floor(i * step + ((seed * 0.618 + i * 0.37) % 1) * step),
  );
}

interface Damage {
  readonly what: string;
  readonly bytes: Uint8Array;
}

function* damages(bytes: Uint8Array, seed: number): Generator<Damage> {
  for (const at of positions(bytes.byteLength, FLIPS, seed)) {
    const changed = bytes.slice();
    // Large, small and neighbouring values in turn.
    changed[at] = [bytes[at]! ^ 0x80, bytes[at]! ^ 1, 0xff - bytes[at]!, bytes[at]! + 1][(at + seed) % 4]!;
    yield { what: `byte ${at} is ${changed[at]}, was ${bytes[at]}`, bytes: changed };
  }
  for (const length of positions(bytes.byteLength, CUTS, seed + 1)) {
    yield { what: `cut at ${length} of ${bytes.byteLength}`, bytes: bytes.slice(0, length) };
  }
}

interface Tally {
  same: number;
  others: number;
  errors: number;
  worst: number;
}

class OtherContent extends Error {}

/** A field's file: its bytes are tile data. */
const isTileData = (key: string) =>
  key.endsWith(".tdb") && !/(^|\/)(__fragment_metadata|__array_schema|__tiledb_group)\.tdb$/.test(key);

const isNameList = (key: string) => /\.(vac|ign)$/.test(key);

async function attempt(fixture: Fixture, key: string, damage: Damage, expected: string, tally: Tally) {
  const files = new Map(fixture.files).set(key, damage.bytes);
  const what = `${fixture.name}: ${key}: ${damage.what}`;
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  try {
    const found = await content(fixture, files);
    if (found === expected) tally.same++;
    else if (isTileData(key) || isNameList(key)) tally.others++;
    else throw new OtherContent(what);
  } catch (error) {
    if (!isCellarrError(error))
      throw error instanceof OtherContent ? error : new Error(what, { cause: error });
    tally.errors++;
  }
  const took = performance.now() - start;
  const grown = process.memoryUsage().arrayBuffers - before;
  tally.worst = Math.max(tally.worst, took);
  if (took > TIME_LIMIT) throw new Error(`${what}: took ${Math.round(took)} ms`);
  if (grown > MEMORY_LIMIT) throw new Error(`${what}: took ${grown} bytes`);
}

const all = fixtures();
const versions = [...new Set(all.map(({ name }) => name.split("/")[0]!))];

describe("damaged files", () => {
  test.each(versions)(
    "%s",
    async (version) => {
      const tally: Tally = { same: 0, others: 0, errors: 0, worst: 0 };
      const wrong: string[] = [];
      const collisions: string[] = [];
      for (const [index, fixture] of all.filter(({ name }) => name.startsWith(`${version}/`)).entries()) {
        const expected = await content(fixture, fixture.files);
        let seed = index;
        for (const [key, bytes] of fixture.files) {
          for (const damage of damages(bytes, seed++)) {
            await attempt(fixture, key, damage, expected, tally).catch((error: unknown) => {
              (error instanceof OtherContent ? collisions : wrong).push(inspect(error, { depth: 2 }));
            });
          }
        }
      }
      expect(wrong).toEqual([]);
      const tries = tally.same + tally.others + tally.errors;
      if (isLongRun) console.info(version, { tries, ...tally });
      if (collisions.length > 1 + tries / 1000) expect(collisions).toEqual([]);
      expect(tally.errors).toBeGreaterThan(tally.others);
    },
    patience(60_000, 3_600_000),
  );

  test("a dense fragment beyond its array's domain takes no memory", async () => {
    const fixture = all.find(({ name }) => name === "v3/dense-2d.sparse-fragments")!;
    const [key, bytes] = [...fixture.files].find(([name]) => /660_d51a20.*metadata.tdb$/.test(name))!;
    const changed = bytes.slice();
    changed[860] = 128;
    const damaged = content(fixture, new Map(fixture.files).set(key, changed));
    await expect(damaged).rejects.toThrow(/non-empty domain of '\w+' is .* expected inside 0 to 9/);
  });
});
