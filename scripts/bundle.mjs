// Bundles src/ into the files of dist/ that are published, once for Node and once for everything else.
//
// In Node a program that reads a store loads its entry and two chunks: a file costs more than what is in it. What a reader
// does not need (writing, H5AD, Arrow, encoders, commands) stays in chunks loaded when asked for. Elsewhere bytes cost
// more: dist/web has one chunk with what opening and reading an array takes, another with what datasets add, and all
// else late, so that bundlers leave it where it is.
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

/** What users import outside Node, by the names of package.json. */
const web = ["index", "tiledb", "h5ad", "server", "ml", "autoencoder"];

/** What users import in Node, and what a thread runs. */
const published = [
  "node",
  "tiledb-node",
  "h5ad-node",
  "server-node",
  "ml-node",
  "autoencoder-node",
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

/** What reading loads late, but most programs in Node need: there it is in the core, imported at once. */
const soon = [
  "array/condition/answer",
  "array/directory/array-metadata",
  "array/directory/delete-commits",
  "array/read/aggregate/aggregate",
  "array/read/as-listed",
  "array/read/batches",
  "array/read/compressed/compressed",
  "array/read/decode-tiles",
  "array/read/deletes",
  "array/read/dense-overlay",
  "array/read/label-ranges",
  "array/read/plan",
  "array/read/prune",
  "format/enumeration",
  "format/filters/load-pipeline",
  "format/filters/registry",
  "format/fragment/fragment-metadata-legacy",
];

/** What comes with those that ask for it outside Node, where requests to S3 are signed so. */
const soonInWeb = ["storage/s3/sign-subtle"];

/** What remote stores take, beside what its own scheme does: in one file, since each costs milliseconds to load. */
const remote = [
  "storage/http/http-store",
  "storage/listed/open-listed",
  "storage/remote/part-writer",
  "storage/remote/text-file-node",
  "storage/remote/transport-node",
  "storage/remote/xml",
  "storage/s3/sign-node",
  "array/directory/open-remote",
  "array/read/tiles-ahead",
];

/** Modules that do something when they are loaded; package.json says the same of the bundles. */
const withEffects = /[\\/](node-platform|[\w-]+-node|node)\.ts$/;

const isOurs = (id) => /[\\/]src[\\/][\w\\/.-]+\.ts$/.test(id);

/** Makes imports of such modules static: a chunk that hands on what lies in another one would still be a file to load. */
function importSoon(root, names) {
  const paths = new Set(names.map((name) => join(root, "src", `${name}.ts`)));
  return {
    name: "import-soon",
    transform(code, id) {
      if (!isOurs(id)) return null;
      const found = new Map();
      const changed = code.replace(/(?<!typeof )\bimport\("(\.[^"]+)\.js"\)/g, (text, path) => {
        if (!paths.has(join(dirname(id), `${path}.ts`))) return text;
        if (!found.has(path)) found.set(path, `soon${found.size}`);
        return `Promise.resolve(${found.get(path)})`;
      });
      if (found.size === 0) return null;
      const imports = [...found].map(([path, name]) => `import * as ${name} from "${path}.js";`);
      // On the last line, so that lines of source maps stay what they are.
      return { code: `${changed}\n${imports.join(" ")}\n`, map: null };
    },
  };
}

/** A module that hands on all of `remote`: dynamic imports go to it, since each of its parts alone would be a file more. */
const ALL_REMOTE = "cellarr:remote";

function importTogether(root) {
  const paths = remote.map((name) => join(root, "src", `${name}.ts`));
  return {
    name: "import-together",
    resolveId: (id) => (id === ALL_REMOTE ? id : null),
    load: (id) =>
      id === ALL_REMOTE ? paths.map((path) => `export * from ${JSON.stringify(path)};`).join("\n") : null,
    transform(code, id) {
      if (!isOurs(id)) return null;
      const changed = code.replace(/(?<!typeof )\bimport\("(\.[^"]+)\.js"\)/g, (text, path) => {
        return paths.includes(join(dirname(id), `${path}.ts`)) ? `import("${ALL_REMOTE}")` : text;
      });
      return changed === code ? null : { code: changed, map: null };
    },
  };
}

/** The ids of all our modules that are loaded with `entries`: at once, or with `late` ever. */
async function loadedWith(root, entries, late = false, plugins = []) {
  const modules = new Map();
  const collect = {
    name: "collect",
    moduleParsed: ({ id, importedIds, dynamicallyImportedIds }) => {
      modules.set(id, late ? [...importedIds, ...dynamicallyImportedIds] : importedIds);
    },
  };
  const bundle = await rolldown({ ...inputOptions(root, entries), plugins: [...plugins, collect] });
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
    external: (id) =>
      id !== ALL_REMOTE && !id.startsWith(".") && !id.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(id),
    platform: "neutral",
    treeshake: { moduleSideEffects: (id) => withEffects.test(id) },
    // A module that is always there may be asked for late all the same, where the caller need not know.
    checks: { ineffectiveDynamicImport: false },
  };
}

/** Writes dist/**.js with source maps. */
export async function bundleSources(root) {
  await bundleForNode(root);
  await bundleForWeb(root);
}

async function bundleForNode(root) {
  const anywhere = await loadedWith(root, web, true);
  const plugins = [importSoon(root, soon)];
  const atOnce = new Set([
    ...(await loadedWith(root, ["index"], false, plugins)),
    ...(await loadedWith(root, ["node"], false, plugins)),
  ]);
  const remotely = await loadedWith(root, remote, false, plugins);
  const isEntry = entriesOf(root, published);
  await write(
    root,
    [...published, ...internal],
    "dist",
    [
      { name: "core", test: (id) => atOnce.has(id) && anywhere.has(id) && !isEntry(id) },
      { name: "node-core", test: (id) => atOnce.has(id) && !anywhere.has(id) && !isEntry(id) },
      {
        name: "remote",
        test: (id) => id === ALL_REMOTE || (remotely.has(id) && !atOnce.has(id) && !isEntry(id)),
      },
    ],
    [...plugins, importTogether(root)],
  );
}

async function bundleForWeb(root) {
  // What reads remote arrays has the others too, and would load all of datasets with them.
  const arrays = await loadedWith(root, ["array/open", "storage/remote/while-waiting", "util/pause"]);
  const datasets = await loadedWith(root, ["cellarr/dataset"]);
  const filters = await loadedWith(root, ["format/filters/load-pipeline"]);
  const isEntry = entriesOf(root, web);
  const groups = [
    { name: "arrays", test: (id) => arrays.has(id) && !isEntry(id) },
    { name: "filters", test: (id) => filters.has(id) && !arrays.has(id) && !datasets.has(id) },
    { name: "datasets", test: (id) => datasets.has(id) && !arrays.has(id) && !isEntry(id) },
  ];
  await write(root, web, join("dist", "web"), groups, [importSoon(root, soonInWeb)]);
}

function entriesOf(root, names) {
  const paths = new Set(names.map((name) => join(root, "src", `${name}.ts`)));
  return (id) => paths.has(id);
}

async function write(root, names, folder, groups, plugins = []) {
  const bundle = await rolldown({ ...inputOptions(root, names), plugins });
  await bundle.write({
    dir: join(root, folder),
    format: "esm",
    sourcemap: true,
    // Local names and spaces only: stack traces and the names of errors stay what they are.
    minify: { compress: true, mangle: { keepNames: true }, codegen: true },
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    codeSplitting: { groups },
  });
  await bundle.close();
}
