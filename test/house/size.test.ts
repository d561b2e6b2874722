import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/build.mjs";
import { type BundledFile, bundle } from "../runtimes/bundle.js";
import { makeSetting, type Setting } from "../runtimes/setting.js";

/**
 * What a page loads, after a bundler (rolldown) has split and minified a program and a server compressed each file with
 * gzip: at once, with the program, and then while it opens and reads arrays over HTTP, sparse and dense, which is what
 * the place needs and codecs. docs/runtimes.md has the limits and what they mean.
 */

const KB = 1024;

const run = promisify(execFile);
let setting: Setting;

beforeAll(async () => {
  await buildIfStale();
  setting = await makeSetting();
});
afterAll(() => setting.close());

interface Sizes {
  /** With the program. */
  readonly core: number;
  /** What belongs to HTTP, and to what else is asked for while reading. */
  readonly late: number;
  /** Filters, zstd and inflate. */
  readonly codecs: number;
  readonly files: number;
}

/** Chunks of the package and a library in which there is nothing but filters. */
const CODEC =
  /[\\/](web[\\/]chunks[\\/](filters|zstd|gzip|plain-decoder)\d*\.js|node_modules[\\/]fflate[\\/].*)$/;
/** The programs, and what the bundler adds. */
const NEUTRAL = /[\\/]installed[\\/][\w-]+\.mjs$|^\0/;

const isCodec = ({ modules }: BundledFile) =>
  modules.some((id) => CODEC.test(id)) && modules.every((id) => CODEC.test(id) || NEUTRAL.test(id));

async function measure(program: string, args: readonly string[]): Promise<Sizes> {
  const files = await bundle(join(setting.installed, `${program}.mjs`), { minify: true });
  const folder = join(setting.installed, `bundled-${program}`);
  await mkdir(folder);
  for (const { name, code } of files) await writeFile(join(folder, name), code);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const preload = ["--import", join(setting.installed, "print-loaded.mjs")];
  const main = join(folder, "main.js");
  const { stdout } = await run(process.execPath, [...preload, main, setting.url, ...args]);
  for (const cells of stdout.matchAll(/^cells (\d+)$/gm)) expect(Number(cells[1])).toBeGreaterThan(0);
  const names = new Set([...stdout.matchAll(/^loaded file:(.*)$/gm)].map((line) => basename(line[1]!)));
  const loaded = files.filter((file) => names.has(file.name) && file.modules.some((id) => !NEUTRAL.test(id)));
  const first = importedBy("main.js", files);
  let core = 0;
  let late = 0;
  let codecs = 0;
  for (const file of loaded) {
    const bytes = gzipSync(await readFile(join(folder, file.name)), { level: 9 }).byteLength;
    if (isCodec(file)) codecs += bytes;
    else if (first.has(file.name)) core += bytes;
    else late += bytes;
  }
  return { core, late, codecs, files: loaded.length };
}

/** Files that are loaded with one, itself among them. */
function importedBy(name: string, files: readonly BundledFile[], seen = new Set<string>()): Set<string> {
  seen.add(name);
  for (const next of files.find((file) => file.name === name)?.imports ?? []) {
    if (!seen.has(next)) importedBy(next, files, seen);
  }
  return seen;
}

const told = (bytes: number) => `${(bytes / KB).toFixed(1)} KB`;

function print(what: string, { core, late, codecs, files }: Sizes): void {
  const parts = `${told(core)} at once, ${told(late)} late, ${told(codecs)} of codecs`;
  process.stdout.write(`${what}: ${parts}; ${files} files\n`);
}

const total = ({ core, late, codecs }: Sizes) => core + late + codecs;

describe("a bundle, minified and gzipped", () => {
  it("that reads arrays loads at most 40 KB at once, with HTTP, zstd and inflate 80 KB, and nothing of the writer", async () => {
    const sizes = await measure("read-arrays", ["filters.zstd", "filters.gzip", "dense-2d.partial"]);
    print("reading arrays over HTTP", sizes);
    expect(sizes.core).toBeLessThanOrEqual(40 * KB);
    expect(sizes.codecs).toBeGreaterThan(8 * KB);
    expect(total(sizes)).toBeLessThanOrEqual(80 * KB);
    const files = await bundle(join(setting.installed, "read-arrays.mjs"));
    const all = files.map(({ code }) => code).join("\n");
    expect(all).toContain("openArray");
    for (const name of [
      "createArray",
      "writeSparse",
      "writeFragmentMetadata",
      "openFragmentWriter",
      "consolidate(",
    ]) {
      expect(all.includes(`function ${name}`), name).toBe(false);
    }
  }, 120_000);

  it("that queries a dataset loads at most 52 KB at once, and 88 KB in all", async () => {
    const sizes = await measure("read-dataset", ["built"]);
    print("querying a dataset over HTTP", sizes);
    expect(sizes.codecs).toBeGreaterThan(8 * KB);
    expect(sizes.core).toBeLessThanOrEqual(52 * KB);
    expect(total(sizes)).toBeLessThanOrEqual(88 * KB);
  }, 120_000);
});
