// Reads arrays with and without threads; prints what came of it and ends by itself, whatever threads there are.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

const { createArray, openArray, writeSparse } = await import("../../dist/tiledb-node.js");

let asked = 0;
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (...args) {
  asked++;
  return post.apply(this, args);
};

const [rows, columns] = [2000, 900];
const uri = join(process.argv[2], "matrix");
await createArray(uri, {
  arrayType: "sparse",
  dimensions: [
    { name: "row", datatype: "uint32", domain: [0, rows - 1], filters: ["zstd"] },
    {
      name: "column",
      datatype: "int64",
      domain: [0n, BigInt(columns - 1)],
      filters: ["delta", "byteshuffle", "zstd"],
    },
  ],
  attributes: [{ name: "value", datatype: "uint16", filters: ["gzip"] }],
});
const cells = rows * columns;
await writeSparse(uri, {
  row: Uint32Array.from({ length: cells }, (_, i) => Math.floor(i / columns)),
  column: BigInt64Array.from({ length: cells }, (_, i) => BigInt(i % columns)),
  value: Uint16Array.from({ length: cells }, (_, i) => (i * 7919) % 60013),
});

const all = Uint32Array.from({ length: rows }, (_, row) => row);
const queries = {
  all: { rows: all, columns: null },
  "some rows": { rows: all.filter((row) => row % 3 !== 1), columns: null },
  "some columns": { rows: all, columns: Uint32Array.of(3, 17, 800) },
};

/** Digits that tell results apart. */
const digest = ({ indptr, indices, values }) =>
  [indptr, indices, values]
    .map((list) => list.reduce((sum, value, i) => (sum * 31 + value * (i % 13)) % 1e9, list.length))
    .join(" ");

async function outcome(array, query, threads) {
  try {
    return digest(
      await array.readCompressed({ ...query, columnCount: columns, attribute: "value", threads }),
    );
  } catch (error) {
    return `${error.code}: ${error.message} (${error.where})`;
  }
}

async function compare(what) {
  const results = [];
  for (const [name, query] of Object.entries(queries)) {
    const array = await openArray(uri);
    const alone = await outcome(array, query, 1);
    const before = asked;
    const together = new Set();
    // Threads take a while to start.
    for (let times = 0; times < 200 && (asked < before + 4 || times < 4); times++) {
      together.add(await outcome(array, query, 3));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    results.push({ what, name, alone, together: [...together], asked: asked - before });
  }
  return results;
}

const results = await compare("whole");
const fragments = join(uri, "__fragments");
const file = join(fragments, readdirSync(fragments)[0], "a0.tdb");
const bytes = readFileSync(file);
bytes.fill(0xff, bytes.length - 4000, bytes.length - 3000);
writeFileSync(file, bytes);
results.push(...(await compare("damaged")));
process.stdout.write(JSON.stringify(results));
