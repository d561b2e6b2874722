// Asks this package, Python cellarr 0.3.2 and bare TileDB-Py to build the same store and to answer the same questions,
// alternately in one run and each in processes of its own; checks that the answers are equal before any time is
// believed; prints ratios beside their targets and writes all figures to bench/results/. `--help` lists the options.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { differences } from "./compare.mjs";
import { growthTable, measureGrowth } from "./growth.mjs";
import { loaderTable, measureLoader } from "./loader.mjs";
import { machineFacts } from "./machine.mjs";
import { measureMemory, memoryTable } from "./memory.mjs";
import { readOptions } from "./options.mjs";
import { ask, askFirstSlice, contestants, note, rotated } from "./peers.mjs";
import { firstSlice, makeQueries } from "./queries.mjs";
import { furtherTables, targetTable } from "./report.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cellColumns = ["cellids", "tissue", "cell_type"];
const options = readOptions();

/** Who builds what: the gene-major copy doubles our work, so that we build with it and without. */
const builders = [
  { name: "ours", program: "ours", store: "own", geneMajor: true },
  { name: "cellarr", program: "cellarr", store: "python" },
  { name: "oursAlone", program: "ours", store: "alone", geneMajor: false },
];

async function buildStores(files, folder) {
  const runs = Object.fromEntries(builders.map(({ name }) => [name, []]));
  for (let round = 0; round < options.repeat; round++) {
    for (const { name, program, store, geneMajor } of rotated(builders, round)) {
      note(`building: ${name} (${round + 1} of ${options.repeat})`);
      const request = {
        task: "build",
        files,
        store: join(folder, store),
        cellColumns,
        geneMajor,
        threads: options.threads,
      };
      runs[name].push(await ask(program, request));
    }
  }
  return runs;
}

/** The peers read the store that Python cellarr wrote, so that the difference is the reader; we read ours as well. */
async function askAll(queries, folder, report) {
  for (const [key, query] of Object.entries(queries)) {
    note(`asking: ${query.name}`);
    report.results[key] = Object.fromEntries(contestants.map(({ name }) => [name, []]));
    report.answers[key] = {};
    for (let round = 0; round < options.repeat; round++) {
      for (const { name, program, store, matrixOnly } of rotated(contestants, round)) {
        const request = {
          task: "query",
          store: join(folder, store),
          query: { ...query, matrixOnly },
          repeats: 9,
          threads: options.threads,
        };
        const { answer, ...figures } = await ask(program, request);
        report.results[key][name].push(figures);
        report.answers[key][name] = answer;
      }
    }
  }
  note("asking Python cellarr about our store");
  const { answers } = await ask("cellarr", { task: "answers", store: join(folder, "own"), queries });
  for (const [key, answer] of Object.entries(answers))
    report.answers[key]["Python cellarr on our store"] = answer;
}

/** Whole processes: start, open, slice, print, end. */
async function askFirstSlices(query, folder, report) {
  const programs = ["ours", "cellarr", "tiledb", "bare"];
  report.results.first = Object.fromEntries(programs.map((name) => [name, []]));
  report.answers.first = {};
  const rounds = Math.max(3, options.repeat);
  note(`starting processes (${rounds} rounds)`);
  for (let round = 0; round < rounds; round++) {
    for (const program of rotated(programs, round)) {
      const { text, ...figures } = await askFirstSlice(program, { ...query, store: join(folder, "python") });
      report.results.first[program].push(figures);
      if (program !== "bare") report.answers.first[program] = { text };
    }
  }
}

async function askMetadata(folder, report) {
  note(`writing metadata of ${options.metadataCells} cells`);
  const store = join(folder, "metadata");
  await ask("cellarr", { task: "metadata", store, cells: options.metadataCells, seed: options.seed });
  const query = {
    name: `cell filter on metadata of ${options.metadataCells} cells`,
    metadata: "tissue == 'lung'",
  };
  report.results.metadata = { ours: [], cellarr: [], tiledb: [] };
  report.answers.metadata = {};
  note(`asking: ${query.name}`);
  for (let round = 0; round < options.repeat; round++) {
    for (const program of rotated(["ours", "cellarr", "tiledb"], round)) {
      const { answer, ...figures } = await ask(program, {
        task: "query",
        store,
        query,
        repeats: 9,
        threads: options.threads,
      });
      report.results.metadata[program].push(figures);
      report.answers.metadata[program] = answer;
    }
  }
  return query;
}

async function comparePeers(folder, report) {
  const { cells, genes, seed, files } = options;
  note(`simulating ${files} x ${cells} cells`);
  const simulated = await ask("ours", { task: "simulate", folder, files, cells, genes, seed });
  report.data = { files, cells, genes, nonZeros: simulated.nonZeros, rounds: options.repeat };
  report.results.build = await buildStores(simulated.paths, folder);
  const cellCount = cells * files;
  const queries = makeQueries({ cellCount, cells, ...simulated, seed });
  await askAll(queries, folder, report);
  await askFirstSlices(firstSlice({ cellCount, ...simulated, seed }), folder, report);
  const metadata = await askMetadata(folder, report);
  report.queries = { ...queries, metadata };
  report.wrong = differences(report.answers);
}

function printPeers({ data, results, queries }) {
  const print = (text) => process.stdout.write(`${text}\n\n`);
  print(
    `${data.files} files x ${data.cells} cells x ${data.genes} genes, ${data.nonZeros} non-zeros, ${data.rounds} rounds: ` +
      "median (smallest - largest); ratios are of runs of the same round; queries are the fourth to ninth of a process",
  );
  print(targetTable(results));
  const bare = results.first.bare.map((run) => run.cpu).sort((a, b) => a - b);
  print(`bare node, CPU: ${Math.round(bare[bare.length >> 1] * 1000)} ms`);
  for (const table of furtherTables(results, queries)) print(table);
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "cellarr-bench-"));
  const report = { machine: machineFacts(), results: {}, answers: {} };
  try {
    process.stdout.write(`${Object.values(report.machine).join(", ")}\n\n`);
    if (options.only.has("peers")) await comparePeers(folder, report);
    if (options.only.has("growth")) report.growth = await measureGrowth(folder, options);
    if (options.only.has("memory")) report.memory = await measureMemory(folder, options);
    if (options.only.has("loader")) report.loader = await measureLoader(folder, options);
    mkdirSync(join(here, "results"), { recursive: true });
    const file = join(here, "results", `${new Date().toISOString().replaceAll(":", "-")}.json`);
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    for (const line of report.wrong ?? []) note(`WRONG ANSWER: ${line}`);
    if (report.wrong?.length > 0) {
      process.exitCode = 1;
      return;
    }
    if (report.results.build !== undefined) printPeers(report);
    if (report.growth !== undefined) process.stdout.write(`${growthTable(report.growth)}\n\n`);
    if (report.memory !== undefined) process.stdout.write(`${memoryTable(report.memory)}\n\n`);
    for (const shape of report.loader ?? []) process.stdout.write(`${loaderTable(shape)}\n\n`);
    note(`all answers are equal; raw figures in ${file}`);
  } finally {
    if (options.keep) note(`kept ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

await main();
