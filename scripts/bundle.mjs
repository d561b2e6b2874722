// Bundles src/ into the few files of dist/ that are published: a program that reads a store loads its entry and two
// chunks. What a reader does not need (writing, H5AD, Arrow, encoders, commands) stays in chunks loaded when asked for.
import { join } from "node:path";
import { rolldown } from "rolldown";

/** What users import, by the names of package.json, and what a thread runs. */
const published = [
  "index",
  "tiledb",
  "h5ad",
  "server",
  "ml",
  "node",
  "tiledb-node",
  "h5ad-node",
  "server-node",
  "ml-node",
  "cli/main",
  "format/tile-worker-node",
];

/** Modules that scripts and the benchmark import from dist/: next to nothing, their code lies in chunks as well. */
const internal = [
  "array/column-ops",
  "array/read/compressed/pick-cells",
  "array/read/compressed/row-runs",
  "array/read/selection",
  "cli/random",
  "cli/simulate",
  "format/datatype",
  "format/filters/registry",
  "format/tile",
  "format/version",
  "util/frame",
];

/** Modules that do something when they are loaded; package.json says the same of the bundles. */
const withEffects = /[\\/](node-platform|[\w-]+-node|node)\.ts$/;

const isOurs = (id) => /[\\/]src[\\/][\w\\/.-]+\.ts$/.test(id);

/** The ids of all our modules that are loaded with `entries`: at once, or with `late` ever. */
async function loadedWith(root, entries, late = false) {
  const modules = new Map();
  const collect = {
    name: "collect",
    moduleParsed: ({ id, importedIds, dynamicallyImportedIds }) => {
      modules.set(id, late ? [...importedIds, ...dynamicallyImportedIds] : importedIds);
    },
  };
  const bundle = await rolldown({ ...inputOptions(root, entries), plugins: [collect] });
  await bundle.generate({ format: "esm" });
  await bundle.close();
  const seen = new Set();
  const waiting = entries.map((name) => join(root, "src", `${name}.ts`));
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.has(id) || !isOurs(id)) continue;
    seen.add(id);
    waiting.push(...(modules.get(id) ?? []));
  }
  return seen;
}

function inputOptions(root, names) {
  return {
    cwd: root,
    input: Object.fromEntries(names.map((name) => [name, join(root, "src", `${name}.ts`)])),
    // Packages stay what they are: dependencies, each with its own licence and version.
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(id),
    platform: "neutral",
    treeshake: { moduleSideEffects: (id) => withEffects.test(id) },
    // A module that is always there may be asked for late all the same, where the caller need not know.
    checks: { ineffectiveDynamicImport: false },
  };
}

/** Writes dist/**.js with source maps. */
export async function bundleSources(root) {
  const anywhere = await loadedWith(root, ["index", "tiledb", "h5ad", "server", "ml"], true);
  const atOnce = new Set([...(await loadedWith(root, ["index"])), ...(await loadedWith(root, ["node"]))]);
  const isEntry = (id) => published.some((name) => id === join(root, "src", `${name}.ts`));
  const bundle = await rolldown(inputOptions(root, [...published, ...internal]));
  await bundle.write({
    dir: join(root, "dist"),
    format: "esm",
    sourcemap: true,
    // Local names and spaces only: stack traces and the names of errors stay what they are.
    minify: { compress: true, mangle: { keepNames: true }, codegen: true },
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    codeSplitting: {
      groups: [
        { name: "core", test: (id) => atOnce.has(id) && anywhere.has(id) && !isEntry(id) },
        { name: "node-core", test: (id) => atOnce.has(id) && !anywhere.has(id) && !isEntry(id) },
      ],
    },
  });
  await bundle.close();
}
