// A store in a bucket, 30 ms away: requests, bytes and time of one slice, beside TileDB-Py and Python cellarr in one run.
// The bucket is s3proxy's on this machine, behind the proxy of the tests that delays each request and counts. `--help`
// lists the options.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { publishStore } from "cellarr";
import { openArray } from "cellarr/tiledb";
import { rolldown } from "rolldown";
import { ensurePython } from "../scripts/python-env.mjs";
import { ensureServer } from "../scripts/s3-servers.mjs";
import { machineFacts } from "./machine.mjs";
import { runWorker, summarise } from "./measure.mjs";
import { ask, note, rotated } from "./peers.mjs";

const usage = `npm run bench:remote -- [--cells N] [--genes N] [--delay MS] [--repeat N]
  --cells   cells of the store; 2,400 of 15,000 genes have about 2 million values    --delay   of each request, 30 by default`;
const number = { type: "string" };
const { values } = parseArgs({
  options: { cells: number, genes: number, delay: number, repeat: number, help: { type: "boolean" } },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const options = {
  cells: Number(values.cells ?? 2400),
  genes: Number(values.genes ?? 15_000),
  delay: Number(values.delay ?? 30),
  repeat: Number(values.repeat ?? 5),
};

const here = fileURLToPath(new URL(".", import.meta.url));
const python = await ensurePython("reference");
const workers = {
  ours: [process.execPath, join(here, "workers", "remote-slice.mjs")],
  python: [python, join(here, "workers", "remote_slice.py")],
};
const worker = (name, request) => runWorker(workers[name][0], [workers[name][1]], request);

const contestants = [
  { name: "TileDB-Py", worker: "python", what: "matrix", place: "plain" },
  { name: "ours", worker: "ours", what: "matrix", place: "plain" },
  { name: "ours, index file", worker: "ours", what: "matrix", place: "published" },
  { name: "ours, index file trusted", worker: "ours", what: "matrix", place: "published", index: "trust" },
  { name: "Python cellarr", worker: "python", what: "dataset", place: "plain" },
  { name: "ours", worker: "ours", what: "dataset", place: "plain" },
  { name: "ours, index file", worker: "ours", what: "dataset", place: "published" },
  { name: "ours, index file trusted", worker: "ours", what: "dataset", place: "published", index: "trust" },
];

/** The proxy is TypeScript of the tests. */
async function loadProxy(folder) {
  const bundle = await rolldown({ input: join(here, "../test/support/remote-proxy.ts"), platform: "node" });
  const file = join(folder, "proxy.mjs");
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  return import(pathToFileURL(file).href);
}

async function startS3proxy(folder) {
  const jar = await ensureServer.s3proxy();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const settings = {
    "s3proxy.endpoint": endpoint,
    "s3proxy.authorization": "aws-v2-or-v4",
    "s3proxy.identity": "key",
    "s3proxy.credential": "secret",
    "jclouds.provider": "transient",
    "jclouds.identity": "local",
    "jclouds.credential": "local",
  };
  const file = join(folder, "s3proxy.conf");
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const child = spawn("java", ["-Xmx512m", "-jar", jar, "--properties", file], { stdio: "ignore" });
  const isThere = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`s3proxy ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { endpoint, stop: () => child.kill("SIGKILL") };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Python's settings; ours are named alike. */
function configAt(endpoint) {
  return {
    "vfs.s3.endpoint_override": endpoint.slice("http://".length),
    "vfs.s3.scheme": "http",
    "vfs.s3.use_virtual_addressing": "false",
    "vfs.s3.region": "us-east-1",
    "vfs.s3.aws_access_key_id": "key",
    "vfs.s3.aws_secret_access_key": "secret",
  };
}

async function prepare(folder, endpoint) {
  note(`simulating ${options.cells} cells, built by Python cellarr`);
  const simulated = await ask("ours", {
    task: "simulate",
    folder,
    files: 1,
    cells: options.cells,
    genes: options.genes,
    seed: 1,
  });
  const store = join(folder, "store");
  const cellColumns = ["cellids", "tissue", "cell_type"];
  await ask("cellarr", { task: "build", files: simulated.paths, store, cellColumns, threads: 1 });
  const config = configAt(endpoint);
  await worker("python", { what: "bucket", config, uri: "s3://bench" });
  for (const place of ["plain", "published"]) {
    await worker("python", { what: "upload", config, store, uri: `s3://bench/${place}` });
  }
  await publishStore("s3://bench/published", { storage: { config } });
  // The matrix is asked for by itself as well.
  await publishStore("s3://bench/published/assays/counts", { storage: { config } });
  await publishStore("s3://bench/published", { storage: { config } });
  return { store, nonZeros: simulated.nonZeros };
}

async function queryOf(store) {
  const array = await openArray(join(store, "gene_annotation"));
  const { columns } = await array.read({ attributes: ["cellarr_gene_index"] });
  const { offsets, data } = columns.cellarr_gene_index;
  const names = Array.from({ length: offsets.length - 1 }, (_, at) =>
    new TextDecoder().decode(data.subarray(offsets[at], offsets[at + 1])),
  );
  const step = Math.floor(names.length / 20);
  const chosen = Array.from({ length: 20 }, (_, at) => at * step);
  const first = Math.floor(options.cells / 2);
  return {
    cells: [first, first + 9],
    columns: chosen,
    genes: chosen.map((at) => names[at]),
    geneCount: names.length,
  };
}

async function measure(proxy, query) {
  const runs = contestants.map(() => []);
  const config = configAt(proxy.url);
  for (let round = 0; round < options.repeat; round++) {
    note(`round ${round + 1} of ${options.repeat}`);
    for (const [at, one] of rotated([...contestants.entries()], round)) {
      proxy.reset();
      const { ms, cpu, text } = await worker(one.worker, {
        ...query,
        config,
        what: one.what,
        index: one.index,
        uri: `s3://bench/${one.place}`,
      });
      const { requests, bytes, byMethod } = proxy.stats();
      runs[at].push({ ms, cpu, text, requests, bytes, byMethod });
    }
  }
  return runs;
}

function table(runs) {
  const lines = ["| | | requests | bytes | ms | CPU, ms |", "|---|---|---|---|---|---|"];
  for (const [at, { name, what }] of contestants.entries()) {
    const [{ requests, bytes, byMethod }] = runs[at];
    const kinds = Object.entries(byMethod)
      .map(([method, count]) => `${count} ${method}`)
      .join(", ");
    const { median, min, max } = summarise(runs[at].map(({ ms }) => ms));
    const time = `${Math.round(median)} (${Math.round(min)} - ${Math.round(max)})`;
    lines.push(
      `| ${what} | ${name} | ${requests} (${kinds}) | ${bytes} | ${time} | ${Math.round(summarise(runs[at].map(({ cpu }) => cpu)).median)} |`,
    );
  }
  return lines.join("\n");
}

function wrongAnswers(runs) {
  return contestants.filter((_, at) => runs[at].some(({ text }) => text !== runs[0][0].text));
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "cellarr-bench-"));
  const stops = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const { startProxy } = await loadProxy(folder);
    const server = await startS3proxy(folder);
    stops.push(server.stop);
    const { store, nonZeros } = await prepare(folder, server.endpoint);
    const proxy = await startProxy({ target: server.endpoint, delayMs: options.delay });
    stops.push(() => proxy.close());
    const runs = await measure(proxy, await queryOf(store));
    const wrong = wrongAnswers(runs);
    for (const { name, what } of wrong) note(`WRONG ANSWER: ${what}, ${name}`);
    if (wrong.length > 0) process.exitCode = 1;
    process.stdout.write(`${Object.values(machineFacts()).join(", ")}\n\n`);
    process.stdout.write(
      `${options.cells} cells x ${options.genes} genes, ${nonZeros} values, written by Python cellarr; 10 cells x 20 genes, cold, ` +
        `${options.delay} ms a request; median (smallest - largest) of ${options.repeat} processes, without loading their code\n\n${table(runs)}\n`,
    );
    mkdirSync(join(here, "results"), { recursive: true });
    const file = join(here, "results", `remote-${new Date().toISOString().replaceAll(":", "-")}.json`);
    writeFileSync(file, `${JSON.stringify({ options, contestants, runs }, null, 2)}\n`);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

await main();
