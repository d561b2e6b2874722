// Makes the Python environments of test/python/requirements-*.txt in .cache/python and says where they are.
//
//   node scripts/python-env.mjs [reference|newest|exports ...]     prints one interpreter's path a line
//
// Several processes may ask at the same time: a lock file lets one of them install, the others wait for its stamp.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache", "python");
const binaries = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
const probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";

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
  const requirements = join(root, "test", "python", `requirements-${name}.txt`);
  const hash = createHash("sha256").update(python.version).update(readFileSync(requirements));
  const folder = join(cache, `${name}-${hash.digest("hex").slice(0, 12)}`);
  const stamp = join(folder, ".installed");
  mkdirSync(cache, { recursive: true });
  while (!existsSync(stamp)) {
    if (takeLock(`${folder}.lock`)) {
      try {
        if (!existsSync(stamp)) await install(python.command, folder, requirements, stamp);
      } finally {
        rmSync(`${folder}.lock`, { force: true });
      }
    } else {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  return join(folder, ...binaries);
}

/** True if this process now holds the lock; a lock whose holder has died is removed. */
function takeLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  if (!holderIsAlive(path)) rmSync(path, { force: true });
  return false;
}

function holderIsAlive(path) {
  try {
    const holder = Number(readFileSync(path, "utf8"));
    // Written a moment after its creation: an empty file has a holder.
    if (holder === 0) return true;
    process.kill(holder, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function install(command, folder, requirements, stamp) {
  process.stderr.write(`python: installing ${requirements.slice(root.length)} (once, about a minute)\n`);
  rmSync(folder, { recursive: true, force: true });
  await run(command, ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"];
  await run(join(folder, ...binaries), [...pip, "--only-binary=:all:", "-r", requirements]);
  writeFileSync(stamp, "");
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? code}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ["reference", "newest", "exports"];
  for (const name of names) process.stdout.write(`${await ensurePython(name)}\n`);
}
