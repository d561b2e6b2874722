// How the cost of a question grows with the store: the same questions of stores of growing size, with the bytes and
// requests that they needed. A slice should cost what its answer costs, not what the store holds.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ask, note } from "./peers.mjs";
import { makeQueries } from "./queries.mjs";
import { alignedTable, formats } from "./report.mjs";

export async function measureGrowth(folder, { cells, genes, seed, growth, threads }) {
  const measured = [];
  for (const times of growth) {
    const place = join(folder, `growth-${times}`);
    note(`growth: simulating and building ${times} x ${cells} cells`);
    const simulated = await ask("ours", {
      task: "simulate",
      folder: place,
      files: times,
      cells,
      genes,
      seed,
    });
    const store = join(place, "store");
    const build = await ask("ours", {
      task: "build",
      files: simulated.paths,
      store,
      cellColumns: ["cell_type"],
      threads,
    });
    const {
      all: _,
      filter: __,
      ...queries
    } = makeQueries({ cellCount: cells * times, cells, ...simulated, seed });
    const runs = {};
    for (const [key, query] of Object.entries(queries)) {
      runs[key] = { name: query.name, ...(await ask("ours", { task: "counted", store, query, repeats: 4 })) };
    }
    measured.push({ times, cells: cells * times, nonZeros: simulated.nonZeros, build, runs });
    rmSync(place, { recursive: true, force: true });
  }
  return measured;
}

export function growthTable(measured) {
  const header = [
    "ours, our store, matrix",
    "cells",
    "answer",
    "time",
    "read from",
    "tiles",
    "requests",
    "bytes",
    "bytes a value",
  ];
  const rows = Object.keys(measured[0].runs).flatMap((key) =>
    measured.map(({ cells, runs }, i) => {
      const { name, seconds, stored, orientation, bytes, requests, tiles } = runs[key];
      return [
        i === 0 ? name : "",
        String(cells),
        `${stored} values`,
        formats.seconds(seconds),
        orientation,
        String(tiles),
        String(requests),
        formats.bytes(bytes),
        (bytes / Math.max(1, stored)).toFixed(2),
      ];
    }),
  );
  return alignedTable([header, ...rows]);
}
