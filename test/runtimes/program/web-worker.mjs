// The program in a Web Worker, bundled: import maps are not for workers.
import * as cellarr from "cellarr";
import * as h5ad from "cellarr/h5ad";
import * as tiledb from "cellarr/tiledb";
import { runProgram } from "./run.mjs";

addEventListener("message", async ({ data }) => {
  try {
    postMessage({ result: await runProgram({ cellarr, tiledb, h5ad }, data) });
  } catch (error) {
    postMessage({ error: String(error.stack) });
  }
});
