// Peak memory of the build, of the usual number of cells and of ten times as many: it should not grow.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ask, note } from "./peers.mjs";
import { alignedTable, formats } from "./report.mjs";

export async function measureMemory(folder, { cells, genes, seed, threads }) {
  const measured = [];
  for (const files of [2, 20]) {
    const place = join(folder, `memory-${files}`);
    note(`memory: simulating and building ${files} x ${cells} cells`);
    const simulated = await ask("ours", { task: "simulate", folder: place, files, cells, genes, seed });
    const request = {
      task: "build",
      files: simulated.paths,
      store: join(place, "store"),
      cellColumns: ["cell_type"],
      threads,
    };
    measured.push({ cells: files * cells, nonZeros: simulated.nonZeros, ...(await ask("ours", request)) });
    rmSync(place, { recursive: true, force: true });
  }
  return measured;
}

export function memoryTable(measured) {
  const rows = measured.map(({ cells, nonZeros, seconds, cpu, peak }) => [
    `${cells} cells`,
    `${nonZeros} non-zeros`,
    formats.seconds(seconds),
    formats.seconds(cpu),
    formats.bytes(peak),
    peak <= 400e6 ? "met" : "MISSED",
  ]);
  return alignedTable([
    ["build, ours, both orientations", "matrix", "time", "CPU", "peak memory", "<= 400 MB"],
    ...rows,
  ]);
}
