// Runs one worker as a process of its own and reads its answer.
import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * The JSON of the last line that the worker printed, an object with `wall`: seconds from its start to its end.
 * A worker that fails ends the benchmark with what it said.
 */
export async function runWorker(command, args, request) {
  const start = performance.now();
  const child = spawn(command, [...args, JSON.stringify(request)], { stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => {
      texts[name] += text;
    });
  }
  const [code, signal] = await once(child, "close");
  const wall = (performance.now() - start) / 1000;
  if (code !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with ${signal ?? code}:\n${texts.stderr.slice(-3000)}`,
    );
  }
  return { ...JSON.parse(texts.stdout.trimEnd().split("\n").at(-1)), wall };
}

/** Middle of the values (mean of the middle two), smallest and largest. */
export function summarise(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}
