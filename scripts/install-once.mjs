// What tests need beside npm is installed once into .cache/. Several processes may ask at the same time: a lock file lets
// one of them install, the others wait for its stamp.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Runs `install` unless it has been done for `folder` before; a folder half installed is removed first. */
export async function installOnce(folder, install) {
  const stamp = join(folder, ".installed");
  const lock = `${folder}.lock`;
  mkdirSync(dirname(folder), { recursive: true });
  while (!existsSync(stamp)) {
    if (takeLock(lock)) {
      try {
        if (!existsSync(stamp)) {
          rmSync(folder, { recursive: true, force: true });
          await install();
          mkdirSync(folder, { recursive: true });
          writeFileSync(stamp, "");
        }
      } finally {
        rmSync(lock, { force: true });
      }
    } else {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Runs a command, its output on stderr; rejects unless it ends with 0. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", 2, 2], ...options });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? code}`));
    });
  });
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
