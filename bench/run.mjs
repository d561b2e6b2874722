// Builds the same store and asks the same questions with this package, Python cellarr 0.3.2 and bare TileDB-Py,
// alternately in one run and each in processes of its own; checks that the answers are equal before any time is
// believed; prints medians and ratios and writes all figures to bench/results/.
//
//   npm run bench -- [--quick] [--cells N] [--files N] [--genes N] [--repeat N] [--threads N] [--seed N] [--keep]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensurePython } from "../scripts/python-env.mjs";
import { runWorker } from "./measure.mjs";
import { makeQueries } from "./queries.mjs";
import { megabytes, seconds, timeTable } from "./report.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cellColumns = ["cellids", "tissue", "cell_type"];
const options = readOptions();
const python = await ensurePython("reference");
const workers = {
  ours: [process.execPath, [join(here, "workers", "ours.mjs")]],
  cellarr: [python, [join(here, "workers", "python_cellarr.py")]],
  tiledb: [python, [join(here, "workers", "python_tiledb.py")]],
};
const tools = Object.keys(workers);

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      cells: { type: "string" },
      files: { type: "string" },
      genes: { type: "string" },
      repeat: { type: "string" },
      threads: { type: "string" },
      seed: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const number = (name, usual, quick) => {
    const value = values[name] === undefined ? (values.quick ? quick : usual) : Number(values[name]);
    if (Number.isInteger(value) && value > 0) return value;
    process.stderr.write(`bench: --${name} ${values[name]}: expected a whole number from 1 on\n`);
    process.exit(2);
  };
  return {
    cells: number("cells", 1500, 300),
    files: number("files", 2, 2),
    genes: number("genes", 15_000, 15_000),
    repeat: number("repeat", 3, 1),
    threads: number("threads", 1, 1),
    seed: number("seed", 1, 1),
    keep: values.keep,
  };
}

const note = (text) => process.stderr.write(`bench: ${text}\n`);
const ask = (tool, request) => runWorker(...workers[tool], request);

/** Order of the tools in round number `round`: each goes first in turn. */
const rotated = (round) => tools.map((_, i) => tools[(i + round) % tools.length]);

function emptyRuns() {
  return Object.fromEntries(tools.map((tool) => [tool, []]));
}

async function buildStores(files, folder) {
  const runs = emptyRuns();
  for (let round = 0; round < options.repeat; round++) {
    for (const tool of rotated(round)) {
      note(`building with ${tool} (${round + 1} of ${options.repeat})`);
      const store = join(folder, `store-${tool}`);
      runs[tool].push(
        await ask(tool, { task: "build", files, store, cellColumns, threads: options.threads }),
      );
    }
  }
  return runs;
}

/** All tools read the store that Python cellarr built: same bytes, so the difference is the reader. */
async function runQueries(queries, folder) {
  const results = [];
  const store = join(folder, "store-cellarr");
  for (const query of queries) {
    note(`asking: ${query.name}`);
    const runs = emptyRuns();
    const answers = {};
    for (let round = 0; round < options.repeat; round++) {
      for (const tool of rotated(round)) {
        const answer = await ask(tool, { task: "query", store, query, repeats: query.fromStart ? 1 : 3 });
        runs[tool].push(answer);
        answers[tool] = answer.answer;
      }
    }
    results.push({ name: query.name, fromStart: query.fromStart ?? false, runs, answers });
  }
  return results;
}

/** Adds what Python cellarr and we answer from the store that we built. */
async function addOwnStoreAnswers(queries, results, folder) {
  const store = join(folder, "store-ours");
  for (const tool of ["ours", "cellarr"]) {
    note(`asking ${tool} about our own store`);
    const answers = await ask(tool, { task: "answers", store, queries });
    for (const [i, result] of results.entries()) result.answers[`${tool} on our own store`] = answers[i];
  }
}

/** Messages about answers that differ from TileDB-Py's. Python cellarr gives no places, see python_cellarr.py. */
function differences(results) {
  const wrong = [];
  for (const { name, answers } of results) {
    for (const [who, answer] of Object.entries(answers)) {
      for (const part of ["shape", "stored", "values", "places", "metadata", "genes"]) {
        if (part === "places" && answer.places === undefined) continue;
        if (JSON.stringify(answer[part]) === JSON.stringify(answers.tiledb[part])) continue;
        wrong.push(
          `${name}: ${who} differs from TileDB-Py in ${part}: ${answer[part]}, ${answers.tiledb[part]}`,
        );
      }
    }
  }
  return wrong;
}

function printReport({ machine, data, builds, queries }) {
  const print = (text) => process.stdout.write(`${text}\n\n`);
  print(Object.values(machine).join(", "));
  print(
    `${data.files} files x ${data.cells} cells x ${data.genes} genes, ${data.nonZeros} non-zeros, ` +
      `${options.repeat} rounds: median (smallest - largest)`,
  );
  const build = [{ name: "build", runs: builds }];
  print(timeTable("build, time", build, (run) => run.seconds, seconds));
  print(timeTable("build, CPU", build, (run) => run.cpu, seconds));
  print(timeTable("build, peak memory", build, (run) => run.peak, megabytes));
  print(timeTable("store on disk", build, (run) => run.bytes, megabytes));
  const first = queries.filter((query) => query.fromStart);
  print(timeTable("from process start to end", first, (run) => run.wall, seconds));
  print(timeTable("open", first, (run) => run.open.seconds, seconds));
  const asked = queries.filter((query) => !query.fromStart);
  print(timeTable("query, first in a process", asked, (run) => run.runs[0].seconds, seconds));
  print(timeTable("query, third in a process", asked, (run) => run.runs[2].seconds, seconds));
  print(timeTable("query, CPU of the first", asked, (run) => run.runs[0].cpu, seconds));
  print(timeTable("query, peak memory", asked, (run) => run.runs[0].peak, megabytes));
}

function machineFacts() {
  return {
    cpu: `${cpus()[0]?.model ?? "unknown CPU"} x ${cpus().length}`,
    memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    system: `${type()} ${release()}`,
    node: `Node ${process.version}`,
    peers: "tiledb 0.36.1, cellarr 0.3.2 on Python",
  };
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "cellarr-bench-"));
  try {
    note(`simulating ${options.files} x ${options.cells} cells`);
    const { cells, genes, seed } = options;
    const simulated = await ask("ours", {
      task: "simulate",
      folder,
      files: options.files,
      cells,
      genes,
      seed,
    });
    const builds = await buildStores(simulated.paths, folder);
    const asked = makeQueries({ cellCount: options.cells * options.files, ...simulated, seed });
    const queries = await runQueries(asked, folder);
    await addOwnStoreAnswers(asked, queries, folder);
    const data = { ...options, nonZeros: simulated.nonZeros };
    const report = { machine: machineFacts(), data, builds, queries, wrong: differences(queries) };
    mkdirSync(join(here, "results"), { recursive: true });
    const file = join(here, "results", `${new Date().toISOString().replaceAll(":", "-")}.json`);
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    if (report.wrong.length > 0) {
      for (const line of report.wrong) note(`WRONG ANSWER: ${line}`);
      process.exitCode = 1;
      return;
    }
    printReport(report);
    note(`all answers are equal; raw figures in ${file}`);
  } finally {
    if (options.keep) note(`kept ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

await main();
