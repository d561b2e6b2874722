// Emulators for tests, in .cache/servers: Azurite (npm), Microsoft's own of Azure Blob Storage, and fake-gcs-server (built
// by Go) of Google Cloud Storage.
//
//   node scripts/cloud-servers.mjs [azurite|fake-gcs ...]     prints where each is; default all that this machine can have
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce, run } from "./install-once.mjs";

const cache = fileURLToPath(new URL("../.cache/servers", import.meta.url));

// 3.36 and later need Node 22.
const AZURITE = "3.35.0";
const FAKE_GCS = "1.56.1";

const works = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

/** Whether the machine has what each takes; asked of the programs at the first call. */
const checks = {
  azurite: () => works(npm, ["--version"]),
  "fake-gcs": () => works("go", ["version"]),
};

const known = new Map();

export function canHaveEmulator(name) {
  if (!known.has(name)) known.set(name, checks[name]());
  return known.get(name);
}

/** The path of the module that Node runs. */
async function ensureAzurite() {
  const folder = join(cache, `azurite-${AZURITE}`);
  await installOnce(folder, async () => {
    process.stderr.write(`azurite: installing ${AZURITE} (once, about a minute)\n`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run(npm, ["install", ...quiet, `azurite@${AZURITE}`], { cwd: folder });
  });
  return join(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
}

/** The path of the program. */
async function ensureFakeGcs() {
  const folder = join(cache, `fake-gcs-server-${FAKE_GCS}`);
  await installOnce(folder, async () => {
    process.stderr.write(`fake-gcs-server: building ${FAKE_GCS} by Go (once, some minutes)\n`);
    const module = `github.com/fsouza/fake-gcs-server@v${FAKE_GCS}`;
    await run("go", ["install", module], { env: { ...process.env, GOBIN: folder } });
  });
  return join(folder, "fake-gcs-server");
}

export const ensureEmulator = { azurite: ensureAzurite, "fake-gcs": ensureFakeGcs };

/** Installs what is missing while other tests run; the first test that needs it waits. Says loudly what it cannot. */
export function prepareEmulators() {
  const missing = Object.keys(checks).filter((name) => !canHaveEmulator(name));
  if (missing.length > 0) {
    console.error(
      `\n*** ${missing.join(", ")}: npm or go is missing: the tests with emulators of Azure and Google Cloud`,
    );
    console.error("*** do not run and are counted as skipped.\n");
  }
  const script = fileURLToPath(import.meta.url);
  spawn(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] }).unref();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks).filter(canHaveEmulator);
  for (const name of names) process.stdout.write(`${await ensureEmulator[name]()}\n`);
}
