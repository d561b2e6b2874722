// The data loader beside Python cellarr's and the rate at which bare TileDB-Py reads the same cells, in turn on the
// store that Python cellarr wrote. The reference needs torch and pytorch_lightning beside cellarr 0.3.2: it runs where
// CELLARR_TORCH_PYTHON names such an interpreter.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePython } from "../scripts/python-env.mjs";
import { runWorker, summarise } from "./measure.mjs";
import { ask, note, rotated } from "./peers.mjs";
import { alignedTable, formats } from "./report.mjs";

const workers = fileURLToPath(new URL("workers/", import.meta.url));
const columns = {
  labelColumnName: "cell_type",
  studyColumnName: "tissue",
  sampleColumnName: "cellarr_sample",
};

/** Stores and batches; `cells` of the options are those of a file. */
const shapes = [
  { files: 2, share: 1, batchSize: 2, sampleSize: 100 },
  { files: 10, share: 1 / 3, batchSize: 2, sampleSize: 200 },
];

/** A report for each shape. */
export async function measureLoader(folder, options) {
  const reports = [];
  for (const shape of shapes) reports.push(await measureShape(folder, shape, options));
  return reports;
}

async function measureShape(
  folder,
  { files, share, batchSize, sampleSize },
  { cells, genes, seed, threads, repeat },
) {
  const perSample = Math.ceil(cells * share);
  note(`loader: simulating and building ${files} x ${perSample} cells`);
  const place = join(folder, `loader-${files}`);
  const simulated = await ask("ours", {
    task: "simulate",
    folder: place,
    files,
    cells: perSample,
    genes,
    seed,
  });
  const store = join(place, "store");
  const build = { files: simulated.paths, store, cellColumns: ["tissue", "cell_type"], threads };
  await ask("cellarr", { task: "build", ...build });
  const options = { ...columns, batchSize, sampleSize: Math.min(sampleSize, perSample), sparse: false };
  const runs = await compareLoaders({ store, options, threads, repeat, cells: files * perSample });
  return { files, cells: files * perSample, nonZeros: simulated.nonZeros, options, runs };
}

async function compareLoaders({ store, options, threads, repeat, cells }) {
  const programs = await contestants(threads);
  await checkAnswers(programs, { store, options, cells });
  const runs = Object.fromEntries(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < repeat; round++) {
    for (const { name, command, request } of rotated(programs, round)) {
      note(`loader: ${name} (${round + 1} of ${repeat})`);
      const asked = {
        task: "load",
        store,
        seconds: 6,
        ...request,
        options: { ...options, ...request.options },
      };
      runs[name].push(await runWorker(command[0], [command[1]], asked));
    }
  }
  return runs;
}

async function contestants(threads) {
  const ours = [process.execPath, join(workers, "loader.mjs")];
  const torch = process.env.CELLARR_TORCH_PYTHON;
  const all = [
    { name: "ours", command: ours, request: { threads } },
    { name: "ours, reuseValues", command: ours, request: { threads, options: { reuseValues: true } } },
    {
      name: "ours, reuseValues, prefetch 2",
      command: ours,
      request: { threads, options: { reuseValues: true, prefetch: 2 } },
    },
    {
      name: "ours, reuseValues, cacheBytes",
      command: ours,
      request: { threads, options: { reuseValues: true, cacheBytes: 500_000_000 } },
    },
    { name: "ours, sparse", command: ours, request: { threads, options: { sparse: true } } },
    {
      name: "bare TileDB-Py",
      command: [await ensurePython("reference"), join(workers, "loader_tiledb.py")],
      request: {},
    },
  ];
  if (torch !== undefined) {
    const command = [torch, join(workers, "loader_cellarr.py")];
    for (const workers of [1, threads])
      all.push({ name: `cellarr, ${workers} workers`, command, request: { workers } });
  }
  return all;
}

/** Log-normalised values of some cells, by weighted sums over the genes. */
async function checkAnswers(programs, { store, options, cells: count }) {
  const cells = Array.from({ length: 50 }, (_, at) => (at * 7919) % count);
  const reference = programs.find(({ name }) => name.startsWith("cellarr"));
  if (reference === undefined) return;
  const [ours, theirs] = await Promise.all(
    [programs[0], reference].map(({ command, request }) =>
      runWorker(command[0], [command[1]], { task: "answer", store, options, cells, ...request }),
    ),
  );
  for (const [at, sum] of ours.sums.entries()) {
    if (!(Math.abs(sum - theirs.sums[at]) <= 1e-5 * Math.abs(theirs.sums[at]))) {
      throw new Error(`loader: cell ${cells[at]} adds up to ${sum}, ${theirs.sums[at]} in Python cellarr`);
    }
  }
}

export function loaderTable({ files, cells, options, runs }) {
  const rate = ({ cells, seconds }) => cells / seconds;
  const reference = runs["cellarr, 1 workers"];
  const rows = Object.entries(runs).map(([name, own]) => {
    const rates = summarise(own.map(rate));
    const ratio = reference && summarise(own.map((run, round) => rate(run) / rate(reference[round]))).median;
    return [
      name,
      `${Math.round(rates.median)} (${Math.round(rates.min)} - ${Math.round(rates.max)})`,
      `${Math.round(summarise(own.map((run) => (run.cpu / run.cells) * 1e6)).median)} us`,
      formats.bytes(summarise(own.map(({ peak }) => peak)).median),
      ratio === undefined ? "–" : `x ${ratio.toFixed(1)}`,
    ];
  });
  const title = `loader, ${files} x ${cells / files} cells, batches of ${options.batchSize} x ${options.sampleSize}`;
  return alignedTable([[title, "cells a second", "CPU a cell", "peak memory", "to Python cellarr"], ...rows]);
}
