// Who is compared: this package on both stores, Python cellarr and bare TileDB-Py on the store that Python wrote.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePython } from "../scripts/python-env.mjs";
import { runWorker } from "./measure.mjs";

const workers = fileURLToPath(new URL("workers/", import.meta.url));
const python = await ensurePython("reference");

const programs = {
  ours: [process.execPath, join(workers, "ours.mjs")],
  cellarr: [python, join(workers, "python_cellarr.py")],
  tiledb: [python, join(workers, "python_tiledb.py")],
};

const firstSlices = {
  ours: [process.execPath, join(workers, "first-slice.mjs")],
  cellarr: [python, join(workers, "first_slice_cellarr.py")],
  tiledb: [python, join(workers, "first_slice_tiledb.py")],
  bare: [process.execPath, join(workers, "bare.mjs")],
};

/**
 * Who is asked: name, program, store, and whether the answer is the matrix alone (as the bare core gives it) or has the
 * metadata of cells and genes (as Python cellarr gives it).
 */
export const contestants = [
  { name: "ours", program: "ours", store: "python" },
  { name: "cellarr", program: "cellarr", store: "python" },
  { name: "oursMatrix", program: "ours", store: "python", matrixOnly: true },
  { name: "tiledb", program: "tiledb", store: "python", matrixOnly: true },
  { name: "oursOwn", program: "ours", store: "own" },
  { name: "oursOwnMatrix", program: "ours", store: "own", matrixOnly: true },
];

export function ask(program, request) {
  const [command, script] = programs[program];
  return runWorker(command, [script], request);
}

/** A process that prints one slice and does nothing else. */
export function askFirstSlice(program, request) {
  const [command, script] = firstSlices[program];
  return runWorker(command, [script], request);
}

/** Order of the items in round number `round`: each goes first in turn. */
export const rotated = (items, round) => items.map((_, i) => items[(i + round) % items.length]);

export const note = (text) => process.stderr.write(`bench: ${text}\n`);
