import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The import graph of src/, read from its import and export statements (also dynamic and type-only ones). */

const source = fileURLToPath(new URL("../../src", import.meta.url));

export interface Import {
  /** Path below src/ of a module of ours, else the package or `node:` module. */
  readonly target: string;
  readonly ours: boolean;
  /** Erased by the compiler: `import type`, `export type ... from`, or nothing but `type` names. */
  readonly typeOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?([\w*{}\s,$]*?)\s*(?:from\s+)?"([^"]+)";/gm;
/** A package's file by its address, as bundlers know it. */
const ASSET = /\bnew URL\(\s*"(@?\w[^":]*)",\s*import\.meta\.url\s*\)/g;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)(\.\w+)?/g;

/** Imports by module, paths below src/ with `/`. */
export function importGraph(): ReadonlyMap<string, readonly Import[]> {
  const modules = readdirSync(source, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"));
  return new Map(modules.map((path) => [path, importsOf(path)]));
}

function importsOf(path: string): Import[] {
  const text = withoutComments(readFileSync(join(source, path), "utf8"));
  const found: Import[] = [];
  for (const [, type, names, target] of text.matchAll(STATEMENT)) {
    found.push(resolve(path, target!, type !== undefined || namesOnlyTypes(names!)));
  }
  for (const [, target] of text.matchAll(DYNAMIC)) found.push(resolve(path, target!, false));
  for (const [, target] of text.matchAll(ASSET)) found.push(resolve(path, target!, false));
  return found;
}

function namesOnlyTypes(names: string): boolean {
  const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  if (listed === undefined || listed.trim() === "") return false;
  const each = listed.split(",").map((name) => name.trim());
  return each.filter((name) => name !== "").every((name) => name.startsWith("type "));
}

function resolve(from: string, target: string, typeOnly: boolean): Import {
  if (!target.startsWith(".")) return { target, ours: false, typeOnly };
  const path = relative(source, join(source, dirname(from), target)).replaceAll("\\", "/");
  return { target: path.replace(/\.js$/, ".ts"), ours: true, typeOnly };
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Everything that a module loads, at once or lazily, itself included; type-only imports load nothing. */
export function reachable(graph: ReadonlyMap<string, readonly Import[]>, entry: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [entry];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const { target, typeOnly } of graph.get(next) ?? []) if (!typeOnly) waiting.push(target);
  }
  return seen;
}
