// Makes the Python environments of test/python/requirements-*.txt in .cache/python and says where they are.
//
//   node scripts/python-env.mjs [reference|newest|exports|models|torch ...]     prints one interpreter's path a line
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce, run } from "./install-once.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache", "python");
const binaries = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
const probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";

/** Those that every run of the tests has. "torch" takes 4.5 GB: see hasTorch. */
export const standardEnvironments = ["reference", "newest", "exports", "models"];

/** Whether tests beside PyTorch run: it is installed already, or CELLARR_TORCH=install says that it may be. */
export function hasTorch() {
  const python = findPython();
  if (python === null) return false;
  return process.env.CELLARR_TORCH === "install" || existsSync(join(folderOf("torch", python), ".installed"));
}

/** The system's Python 3 with its version, or null where it or its venv module is missing. */
export function findPython() {
  for (const command of [process.env.CELLARR_PYTHON, "python3"]) {
    if (!command) continue;
    const result = spawnSync(command, ["-c", probe], { encoding: "utf8" });
    if (result.status === 0) return { command, version: result.stdout.trim() };
  }
  return null;
}

/**
 * The interpreter of an environment, which is installed first where it is missing.
 * The folder's name has a hash of the pins: changing them makes a new environment.
 */
export async function ensurePython(name = "reference") {
  const python = findPython();
  if (python === null) throw new Error("python3 with its venv module is not installed");
  const folder = folderOf(name, python);
  await installOnce(folder, () => install(python.command, folder, requirementsOf(name)));
  return join(folder, ...binaries);
}

function requirementsOf(name) {
  return join(root, "test", "python", `requirements-${name}.txt`);
}

function folderOf(name, python) {
  const hash = createHash("sha256")
    .update(python.version)
    .update(readFileSync(requirementsOf(name)));
  return join(cache, `${name}-${hash.digest("hex").slice(0, 12)}`);
}

async function install(command, folder, requirements) {
  process.stderr.write(`python: installing ${requirements.slice(root.length)} (once, about a minute)\n`);
  await run(command, ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"];
  await run(join(folder, ...binaries), [...pip, "--only-binary=:all:", "-r", requirements]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : standardEnvironments;
  for (const name of names) process.stdout.write(`${await ensurePython(name)}\n`);
}
