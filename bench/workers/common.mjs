// What the workers in JavaScript share: measuring, hashing answers, the protocol of common.py.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function peakBytes() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

export async function measured(work) {
  const cpu = cpuSeconds();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  return [result, { seconds, cpu: cpuSeconds() - cpu, peak: peakBytes() }];
}

export async function repeated(ask, repeats) {
  const runs = [];
  while (runs.length < repeats) runs.push((await measured(ask))[1]);
  return { runs };
}

/** Twin of describe_matrix in common.py for a CSR matrix with ascending columns. */
export function describeMatrix({ shape, indptr, indices, data }) {
  const rows = new Int32Array(data.length);
  for (let row = 0; row < shape[0]; row++) rows.fill(row, indptr[row], indptr[row + 1]);
  return {
    shape,
    stored: data.length,
    values: hash([Float64Array.from(data, Number)]),
    places: hash([rows, Int32Array.from(indices)]),
  };
}

export function hashTexts(texts) {
  return hash([Buffer.from(texts.join("\n"))]);
}

function hash(parts) {
  const sha = createHash("sha256");
  for (const part of parts) sha.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return sha.digest("hex");
}

export function folderBytes(path) {
  let bytes = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    bytes += entry.isDirectory() ? folderBytes(child) : statSync(child).size;
  }
  return bytes;
}

/** Answers the request of the command line. */
export async function serve(handlers) {
  const request = JSON.parse(process.argv[2]);
  const answer = await handlers[request.task](request);
  process.stdout.write(`\n${JSON.stringify(answer)}\n`);
}
