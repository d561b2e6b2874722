import { describe, expect, it } from "vitest";
import type {
  ArrayDirectory,
  FragmentFiles,
  VacuumEntry,
} from "../../src/array/directory/array-directory.js";
import {
  ALL_TIME,
  schemaAt,
  visibleDeletes,
  visibleFragments,
  visibleMetadata,
} from "../../src/array/directory/visible-at.js";
import { MemoryStore } from "../../src/storage/memory.js";

const entry = (name: string, start: number, end: number) => ({
  name,
  key: name,
  start,
  end,
  version: 22,
  size: 1,
});
const fragment = (name: string, start: number, end = start): FragmentFiles => ({
  ...entry(name, start, end),
  files: new Map(),
});
const vacuum = (start: number, end: number, ...replaced: string[]): VacuumEntry => ({
  ...entry("vac", start, end),
  replaced,
});

function directory(parts: Partial<ArrayDirectory>): ArrayDirectory {
  return {
    location: { store: new MemoryStore(), path: "" },
    uri: "mem://a",
    schemas: [],
    fragments: [],
    vacuums: [],
    deletes: [],
    fragmentMetadata: [],
    metadata: [],
    metadataVacuums: [],
    commits: { writes: [], consolidated: [], ignores: [], consolidatedNames: new Set() },
    ...parts,
  };
}

describe("fragments that count", () => {
  const consolidated = directory({
    fragments: [fragment("a", 1), fragment("ab", 1, 5), fragment("b", 5), fragment("c", 9)],
    vacuums: [vacuum(1, 5, "a", "b")],
  });
  const names = (start: number, end: number, dense: boolean, of = consolidated) =>
    visibleFragments(of, { start, end }, dense).map(({ name }) => name);

  it("are the consolidated one instead of those that it replaces", () => {
    expect(visibleFragments(consolidated, ALL_TIME, true).map(({ name }) => name)).toEqual(["ab", "c"]);
    expect(visibleFragments(consolidated, ALL_TIME, false).map(({ name }) => name)).toEqual(["ab", "c"]);
  });

  it("of a dense array are the replaced ones at a time inside the consolidated one", () => {
    expect(names(0, 4, true)).toEqual(["a"]);
    expect(names(2, 9, true)).toEqual(["b", "c"]);
  });

  it("of a sparse array are the consolidated one as soon as it is touched: its cells know their times", () => {
    expect(names(0, 4, false)).toEqual(["ab"]);
    expect(names(2, 9, false)).toEqual(["ab", "c"]);
    expect(names(6, 8, false)).toEqual([]);
  });

  it("before cells knew their times had to be inside wholly", () => {
    const old = { ...fragment("old", 1, 5), version: 14 };
    expect(names(0, 4, false, directory({ fragments: [old] }))).toEqual([]);
    expect(names(0, 5, false, directory({ fragments: [old] }))).toEqual(["old"]);
  });
});

describe("other files that count", () => {
  it("metadata inside the window, less what was consolidated", () => {
    const all = directory({
      metadata: [entry("m1", 1, 1), entry("m12", 1, 2), entry("m2", 2, 2), entry("m3", 3, 3)],
      metadataVacuums: [vacuum(1, 2, "m1", "m2")],
    });
    const names = (start: number, end: number) =>
      visibleMetadata(all, { start, end }).map(({ name }) => name);
    expect(names(0, 9)).toEqual(["m12", "m3"]);
    expect(names(0, 1)).toEqual(["m1"]);
    expect(names(2, 9)).toEqual(["m2", "m3"]);
  });

  it("the newest schema until the window's end, the oldest before all", () => {
    const all = directory({ schemas: [entry("s5", 5, 5), entry("s7", 7, 7)] });
    const name = (end: number) => schemaAt(all, { start: 0, end })?.name;
    expect([name(4), name(5), name(6), name(7), name(99)]).toEqual(["s5", "s5", "s5", "s7", "s7"]);
    expect(schemaAt(directory({}), ALL_TIME)).toBeUndefined();
  });

  it("deletes inside the window", () => {
    const all = directory({ deletes: [{ ...entry("x", 3, 3), content: null }] });
    expect(visibleDeletes(all, { start: 0, end: 2 })).toEqual([]);
    expect(visibleDeletes(all, { start: 0, end: 3 }).length).toBe(1);
  });
});
