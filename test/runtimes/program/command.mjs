// Run by Node, Bun and Deno in a folder where the package is installed: the task as JSON in argv, the result on stdout.

import process from "node:process";
import * as cellarr from "cellarr";
import * as h5ad from "cellarr/h5ad";
import * as tiledb from "cellarr/tiledb";
import { runProgram } from "./run.mjs";

const task = JSON.parse(process.argv[2]);
const result = await runProgram({ cellarr, tiledb, h5ad }, task);
await new Promise((resolve) => process.stdout.write(`${JSON.stringify(result)}\n`, resolve));
process.exit(0);
