// Servers that speak S3, for tests: s3proxy (a jar by Maven, needs Java) and versitygw (built by Go), in .cache/servers.
//
//   node scripts/s3-servers.mjs [s3proxy|versitygw ...]     prints where each is; default all that this machine can have
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce, run } from "./install-once.mjs";

const cache = fileURLToPath(new URL("../.cache/servers", import.meta.url));

const S3PROXY = "4.1.0";
const VERSITYGW = "1.8.0";

/** Whether the machine has what each server takes; asked of the programs at the first call. */
const checks = {
  s3proxy: () => works("java", ["-version"]) && works("mvn", ["-version"]),
  versitygw: () => works("go", ["version"]),
};

const known = new Map();

export function canHaveServer(name) {
  if (!known.has(name)) known.set(name, checks[name]());
  return known.get(name);
}

/** The path of the jar. */
export async function ensureS3proxy() {
  const folder = join(cache, `s3proxy-${S3PROXY}`);
  await installOnce(folder, async () => {
    process.stderr.write(`s3proxy: installing ${S3PROXY} by Maven (once, some seconds)\n`);
    const artifact = `org.gaul:s3proxy:${S3PROXY}:jar:jar-with-dependencies`;
    await run("mvn", [
      "-q",
      "-B",
      "dependency:copy",
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${folder}`,
    ]);
  });
  return join(folder, `s3proxy-${S3PROXY}-jar-with-dependencies.jar`);
}

/** The path of the program. */
export async function ensureVersitygw() {
  const folder = join(cache, `versitygw-${VERSITYGW}`);
  await installOnce(folder, async () => {
    process.stderr.write(`versitygw: building ${VERSITYGW} by Go (once, up to five minutes)\n`);
    const module = `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW}`;
    await run("go", ["install", module], { env: { ...process.env, GOBIN: folder } });
  });
  return join(folder, "versitygw");
}

export const ensureServer = { s3proxy: ensureS3proxy, versitygw: ensureVersitygw };

function works(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks).filter(canHaveServer);
  for (const name of names) process.stdout.write(`${await ensureServer[name]()}\n`);
}
