import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { importGraph, reachable } from "../support/imports.js";

/** docs/architecture.md: imports point one way, and the entries for browsers are free of Node. */

const graph = importGraph();

/** What the modules of a folder may import: types too. Files directly in src/ are entries and import anything. */
const ALLOWED: Record<string, readonly string[]> = {
  "errors.ts": [],
  util: ["errors.ts"],
  format: ["errors.ts", "util"],
  storage: ["errors.ts", "util"],
  array: ["errors.ts", "util", "format", "storage"],
  h5ad: ["errors.ts", "util"],
  cellarr: ["errors.ts", "util", "format", "storage", "array", "h5ad"],
  ml: ["errors.ts", "util", "format", "storage", "array", "h5ad", "cellarr"],
  server: ["errors.ts", "util", "storage", "array", "h5ad", "cellarr"],
};
const ENTRIES = [
  "index.ts",
  "tiledb.ts",
  "h5ad.ts",
  "server.ts",
  "ml.ts",
  "autoencoder.ts",
  "node.ts",
  "tiledb-node.ts",
  "h5ad-node.ts",
  "server-node.ts",
  "ml-node.ts",
  "autoencoder-node.ts",
  "node-platform.ts",
];
const BROWSER_ENTRIES = ["index.ts", "tiledb.ts", "h5ad.ts", "server.ts", "ml.ts", "autoencoder.ts"];

const layerOf = (path: string) => path.split("/")[0]!;

describe("layers", () => {
  it("are those that are known", () => {
    const layers = new Set([...graph.keys()].map(layerOf));
    expect([...layers].sort()).toEqual([...Object.keys(ALLOWED), "cli", ...ENTRIES].sort());
  });

  it("every import of ours leads to a module", () => {
    const broken = [...graph].flatMap(([path, imports]) =>
      imports
        .filter(({ ours, target }) => ours && !graph.has(target))
        .map(({ target }) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("imports point one way", () => {
    const wrong = [...graph].flatMap(([path, imports]) => {
      const allowed = ALLOWED[layerOf(path)];
      if (allowed === undefined) return [];
      return imports
        .filter(({ ours, target }) => ours && layerOf(target) !== layerOf(path))
        .filter(({ target }) => !allowed.includes(layerOf(target)))
        .map(({ target }) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("nothing but the command line imports the command line", () => {
    const wrong = [...graph]
      .filter(([path]) => layerOf(path) !== "cli")
      .flatMap(([path, imports]) =>
        imports.filter(({ target }) => layerOf(target) === "cli").map(() => path),
      );
    expect(wrong).toEqual([]);
  });

  it("no module loads itself by a detour", () => {
    const cycles = [...graph.keys()].filter((path) => {
      const loaded = (graph.get(path) ?? []).filter(({ ours, typeOnly }) => ours && !typeOnly);
      return loaded.some(({ target }) => reachable(graph, target).has(path));
    });
    expect(cycles).toEqual([]);
  });
});

describe("Node", () => {
  const mayUseNode = (path: string) =>
    path === "storage/node-fs.ts" ||
    layerOf(path) === "cli" ||
    /(^|\/|-)node\.ts$/.test(path) ||
    /^node/.test(path);

  it("is imported only by modules whose names say so", () => {
    const wrong = [...graph]
      .filter(([path]) => !mayUseNode(path))
      .flatMap(([path, imports]) =>
        imports.filter(({ target }) => target.startsWith("node:")).map(({ target }) => `${path}: ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it.each(BROWSER_ENTRIES)("is not reachable from %s", (entry) => {
    const loaded = [...reachable(graph, entry)];
    expect(loaded.length).toBeGreaterThan(10);
    expect(loaded.filter((path) => path.startsWith("node:") || mayUseNode(path))).toEqual([]);
  });
});

describe("packages", () => {
  it("h5wasm is imported by the modules of HDF5 files only", () => {
    const importers = [...graph]
      .filter(([, imports]) =>
        imports.some(({ target, typeOnly }) => target.startsWith("h5wasm") && !typeOnly),
      )
      .map(([path]) => path);
    expect(importers.length).toBeGreaterThan(0);
    for (const path of importers) expect(path).toMatch(/^h5ad\/h5-/);
  });

  it("every imported package is a dependency, and every dependency is imported", () => {
    const text = readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8");
    const { dependencies, peerDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
    const names = [...graph.values()]
      .flat()
      .filter(({ ours, target }) => !ours && !target.startsWith("node:"))
      .map(({ target }) => /^(@[^/]+\/)?[^/]+/.exec(target)![0]);
    expect([...new Set(names)].sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort());
  });
});

describe("printing", () => {
  it("is done by the command line only, and there not by console", () => {
    const source = fileURLToPath(new URL("../../src", import.meta.url));
    const printing = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .filter((path) =>
        /\bconsole\.\w+\(/.test(readFileSync(join(source, path), "utf8").replace(/^\s*\*.*$/gm, "")),
      );
    expect(printing).toEqual([]);
  });
});
