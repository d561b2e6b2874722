// The web server that tests of static hosting run against: nginx of the system. In CI, as root, it is installed.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where nginx is, or null. */
export function findNginx() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "nginx")).find(isProgram) ?? null;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Says loudly what does not run without it. */
export function prepareNginx(inCi) {
  if (findNginx() === null && inCi && process.getuid?.() === 0) install();
  if (findNginx() !== null) return;
  console.error("\n*** nginx is missing (Debian: apt-get install nginx-light): the tests of static hosting");
  console.error("*** do not run and are counted as skipped.\n");
}

function install() {
  const aptGet = (...args) =>
    spawnSync("apt-get", ["-qq", ...args], {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  const nginx = ["install", "-y", "--no-install-recommends", "nginx-light"];
  if (!aptGet(...nginx)) aptGet("update") && aptGet(...nginx);
}
