// `npm test [-- FILTER ...]`: the Python counterparts, a fresh build, all tests; the totals on the last line.
//
// Exits non-zero when a test failed, when none ran, and under CI=true also when one was skipped for something that the
// machine could have installed; data that can't be fetched (reason "optional data: ...") are only counted.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";
import { prepareEmulators } from "./cloud-servers.mjs";
import { prepareNginx } from "./nginx.mjs";
import { ensurePython, findPython, standardEnvironments } from "./python-env.mjs";
import { allRuntimes, ensureRuntime } from "./runtimes.mjs";
import { canHaveServer } from "./s3-servers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const inCi = process.env.CI === "true";

async function preparePython() {
  if (findPython() === null) {
    console.error(
      "\n*** python3 (with venv) is missing: the exchange tests with TileDB-Py, cellarr and anndata",
    );
    console.error("*** do not run and are counted as skipped.\n");
    if (inCi) process.exit(1);
    return;
  }
  for (const name of standardEnvironments) await ensurePython(name);
}

/** Installs what tests of S3 need while others run: a first time takes minutes. The first test that needs it waits. */
function prepareServers() {
  const missing = ["s3proxy", "versitygw"].filter((name) => !canHaveServer(name));
  if (missing.length > 0) {
    console.error(
      `\n*** ${missing.join(", ")}: java and mvn, or go, are missing: tests with real servers of S3`,
    );
    console.error("*** do not run and are counted as skipped.\n");
  }
  const child = spawn(process.execPath, [join(root, "scripts", "s3-servers.mjs")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  child.unref();
}

/** Those that are missing are told by the tests that need them. Most of the time is the network's, so all at once. */
async function prepareRuntimes(filters) {
  const wanted = filters.length === 0 || filters.some((filter) => filter.includes("runtimes"));
  if (!wanted) return;
  const results = await Promise.allSettled(allRuntimes.map((name) => ensureRuntime(name)));
  for (const [index, { reason }] of results.entries()) {
    if (reason !== undefined) console.error(`\n*** ${allRuntimes[index]} is missing: ${reason.message}\n`);
  }
}

function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), "cellarr-test-"));
  const summary = join(folder, "summary.json");
  try {
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", `--reporter=${join(root, "test", "support", "reporter.ts")}`];
    const { status } = spawnSync(process.execPath, [vitest, "run", ...reporters, ...args], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, CELLARR_TEST_SUMMARY: summary },
    });
    return { status: status ?? 1, ...readSummary(summary) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that ended before its totals were written is a failure. */
function readSummary(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function printSkipped(skipped) {
  if (skipped.length === 0) return;
  console.log("Skipped:");
  const reasons = new Map();
  for (const { name, reason } of skipped) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  for (const [reason, names] of reasons) {
    console.log(`  ${reason}`);
    for (const name of names) console.log(`    ${name}`);
  }
}

if (process.argv.length === 2) prepareServers();
if (process.argv.length === 2) prepareEmulators();
await Promise.all([preparePython(), prepareRuntimes(process.argv.slice(2))]);
prepareNginx(inCi);
await buildIfStale();
const { status, passed, failed, skipped } = runVitest(process.argv.slice(2));
printSkipped(skipped);
const failures = failed === 0 && status !== 0 ? 1 : failed;
const unforgiven = skipped.filter(({ reason }) => !reason.startsWith("optional data:"));
const ok = failures === 0 && passed > 0 && !(inCi && unforgiven.length > 0);
console.log(`${passed} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
process.exitCode = ok ? 0 : 1;
