// Installs the runtimes in which the tests run the package into .cache/runtimes, and says where they are.
//
//   node scripts/runtimes.mjs [NAME ...]     prints one path a line; without names all that CI needs
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce, run } from "./install-once.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache", "runtimes");

/** What they print in passing is of no use. */
const stdio = ["ignore", "ignore", 2];

/** npm's package of each, and what of it is used: a program of node_modules/.bin, or the package itself. */
const packages = {
  "node-20": { from: "node@20.20.2", program: "node" },
  "node-22": { from: "node@22.23.3", program: "node" },
  "node-24": { from: "node@24.21.0", program: "node" },
  "node-26": { from: "node@26.10.0", program: "node" },
  bun: { from: "bun@1.4.5", program: "bun" },
  deno: { from: "deno@2.9.6", program: "deno" },
  // The last one for Node 20.
  miniflare: { from: "miniflare@4.20260426.0" },
  "playwright-core": { from: "playwright-core@1.65.1" },
  esbuild: { from: "esbuild@0.28.2" },
};

/** Where a runtime is, which is installed first where it is missing: its program, the package's folder, or Chromium. */
export async function ensureRuntime(name) {
  if (name === "chromium") return ensureChromium();
  const { from, program } = packages[name];
  const folder = join(cache, from.replace("@", "-"));
  await installOnce(folder, async () => {
    process.stderr.write(`runtimes: installing ${from} (once)\n`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    await run("npm", ["install", ...quiet, from], { cwd: folder, stdio });
  });
  const modules = join(folder, "node_modules");
  return program === undefined ? join(modules, name) : join(modules, ".bin", program);
}

/** Versions of Node beside the one that runs the tests. */
export const otherNodes = ["node-20", "node-22", "node-24", "node-26"].filter(
  (name) => name !== `node-${process.versions.node.split(".")[0]}`,
);

export const allRuntimes = [
  ...otherNodes,
  "bun",
  "deno",
  "miniflare",
  "esbuild",
  "playwright-core",
  "chromium",
];

/** A Chromium that is there, or Debian's. */
async function ensureChromium() {
  const found = findChromium();
  if (found !== null) return found;
  const mayInstall = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (!mayInstall) throw new Error("no Chromium found; CELLARR_CHROMIUM may name one");
  await installOnce(join(cache, "chromium-by-apt"), async () => {
    process.stderr.write("runtimes: installing chromium (once)\n");
    const wait = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
    const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, stdio };
    await run("apt-get", [...wait, "update"], options);
    await run("apt-get", [...wait, "install", "-y", "--no-install-recommends", "chromium"], options);
  });
  const installed = findChromium();
  if (installed === null) throw new Error("apt-get installed no chromium");
  return installed;
}

/** The full path, or null. */
function findChromium() {
  const named = process.env.CELLARR_CHROMIUM;
  if (named) return named;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return paths.find((path) => existsSync(path)) ?? null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : allRuntimes;
  for (const name of names) process.stdout.write(`${await ensureRuntime(name)}\n`);
}
