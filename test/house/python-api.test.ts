import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as cellarr from "../../src/node.js";
import * as tiledb from "../../src/tiledb-node.js";
import { hasPython, runPython } from "../support/python.js";

/** docs/python-api.md lists all of Python cellarr, and the tests and names that it gives exist. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/python-api.md"), "utf8");

interface Row {
  readonly python: string;
  readonly here: string;
  readonly test: string;
}

const rows: Row[] = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Python |"))
  .map((line) => {
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    expect(cells, line).toHaveLength(3);
    const [python, here, test] = cells as [string, string, string];
    return { python, here, test };
  });

describe("the table", () => {
  it("has no empty cell, and a test wherever there is something to test", () => {
    expect(rows.length).toBeGreaterThan(60);
    for (const { python, here, test } of rows) {
      expect(
        [python, here, test].every((cell) => cell !== ""),
        python,
      ).toBe(true);
      if (test === "—") expect(here, python).toMatch(/^none( yet)?: /);
    }
  });

  it("names tests that exist", () => {
    for (const { python, test } of rows) {
      if (test === "—") continue;
      const named = /^`([\w./-]+\.test\.ts)`: (.+)$/.exec(test);
      expect(named, python).not.toBeNull();
      const [, file, title] = named!;
      const path = join(root, "test", file!);
      expect(existsSync(path), `${file} of ${python}`).toBe(true);
      const text = readFileSync(path, "utf8");
      const begins = [`"${title}`, `'${title}`, `\`${title}`].some((start) => text.includes(start));
      expect(begins, `${file}: ${title}`).toBe(true);
    }
  });

  it("names functions that exist", () => {
    const names = new Set([
      ...Object.keys(cellarr),
      ...Object.keys(tiledb),
      ...membersOf(cellarr.CellArrDataset.prototype),
      ...membersOf(cellarr.CellArrDatasetSlice.prototype),
      ...membersOf(tiledb.TileDBArray.prototype),
    ]);
    const called = rows.flatMap(({ here }) => [...here.matchAll(/`(?:CellArrDataset\.)?([a-z]\w*)\(/g)]);
    expect(called.length).toBeGreaterThan(20);
    // Also without arguments, as in text.
    called.push(...rows.flatMap(({ here }) => [...here.matchAll(/`((?:get|to|iter)[A-Z]\w+)`/g)]));
    const statics = Object.getOwnPropertyNames(cellarr.CellArrDataset);
    for (const [, name] of called) expect(names.has(name!) || statics.includes(name!), name).toBe(true);
  });
});

function membersOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype);
}

describe.skipIf(!hasPython)("Python cellarr", () => {
  it.each(["reference", "newest"] as const)(
    "of the %s has no name that the table lacks",
    async (environment) => {
      const found = (await runPython("public_api.py", undefined, environment)) as {
        name: string;
        parameters: string[];
      }[];
      expect(found.length).toBeGreaterThan(60);
      const python = rows.map((row) => row.python);
      const missing: string[] = [];
      for (const { name, parameters } of found) {
        // Listed as a whole.
        if (/^(Encoder|Decoder|AutoEncoder)\b/.test(name)) continue;
        const named = python.filter((cell) =>
          new RegExp(`\`${name.replaceAll(".", "\\.")}(?![\\w.])`).test(cell),
        );
        if (named.length === 0) missing.push(name);
        for (const parameter of parameters) {
          const lists = (cell: string) => new RegExp(`\\b${parameter}\\b`).test(cell);
          const inRows = named.some(lists) || (name === "CellArrDatasetSlice" && page.includes(parameter));
          if (!inRows) missing.push(`${name}(${parameter})`);
        }
      }
      expect(missing).toEqual([]);
    },
  );
});
