// The kernels of reading and writing one by one, in MB/s of cells' bytes: beside memcpy and beside the bare codec for
// the same bytes, to see how close to the limit each is. Data are tiles of 10,000 cells as a matrix of counts has them.
//
//   npm run bench:kernels -- [--seconds N]

import { parseArgs } from "node:util";
import * as zlib from "node:zlib";
import "cellarr";
import { copyCells } from "../dist/array/column-ops.js";
import { pickCells, wantedColumns } from "../dist/array/read/compressed/pick-cells.js";
import { runsByColumns } from "../dist/array/read/compressed/row-runs.js";
import { numericFilter } from "../dist/array/read/selection.js";
import { decodeTile, encodeTile, loadPipeline } from "../dist/format/tile.js";
import { machineFacts } from "./machine.mjs";

const CELLS = 10_000;
const GENES = 15_000;
const TILES = 16;
const { values: given } = parseArgs({ options: { seconds: { type: "string", default: "0.3" } } });
const seconds = Number(given.seconds);

/** Numbers below 2^32, the same in each run. */
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** Genes ascend within each cell, about one in eleven has a value; most values are 1. */
function makeTile() {
  const tile = {
    cells: new Uint32Array(CELLS),
    genes: new Uint32Array(CELLS),
    values: new Uint16Array(CELLS),
  };
  for (let i = 0, cell = 0, gene = -1; i < CELLS; i++) {
    gene += 1 + Math.floor(-Math.log(1 - random()) * 10);
    if (gene >= GENES) {
      cell++;
      gene = Math.floor(random() * 10);
    }
    tile.cells[i] = cell;
    tile.genes[i] = gene;
    tile.values[i] = 1 + Math.floor(Math.log(1 - random()) ** 2 / 2);
    if (tile.values[i] > 1000) tile.values[i] = 1;
  }
  return tile;
}

const tiles = Array.from({ length: TILES }, makeTile);
const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** MB/s of the middle of five measurements, each of many runs over all tiles. */
function rate(bytesPerRun, run) {
  const rates = [];
  for (let round = 0; round < 6; round++) {
    const start = process.cpuUsage();
    let runs = 0;
    let micros = 0;
    while (micros < (seconds / 5) * 1e6) {
      run();
      runs++;
      const { user, system } = process.cpuUsage(start);
      micros = user + system;
    }
    // The first warms up.
    if (round > 0) rates.push((bytesPerRun * runs) / micros);
  }
  return rates.sort((a, b) => a - b)[2];
}

const rows = [];
function add(name, bytesPerRun, run, codec) {
  rows.push({ name, own: rate(bytesPerRun, run), codec });
}

async function addFilters(label, filters, field, datatype, bare) {
  const data = tiles.map((tile) => bytesOf(tile[field]));
  const cellBytes = tiles[0][field].BYTES_PER_ELEMENT;
  const context = { datatype, cellValNum: 1, version: 22 };
  const pipeline = await loadPipeline({ maxChunkSize: 65536, filters }, context, { encode: true });
  const size = data[0].byteLength;
  const stored = data.map((bytes) => encodeTile(bytes, pipeline, cellBytes));
  const out = new Uint8Array(size);
  const codec =
    bare === undefined
      ? undefined
      : bare(
          stored.map((bytes) => chunkOf(bytes)),
          size,
        );
  add(
    `${label} of ${field}, decode`,
    size * TILES,
    () => {
      for (const bytes of stored) decodeTile(bytes, pipeline, size, undefined, out);
    },
    codec,
  );
  add(`${label} of ${field}, encode`, size * TILES, () => {
    for (const bytes of data) encodeTile(bytes, pipeline, cellBytes);
  });
}

/** Compressed bytes of a tile of one chunk: after the tile's count, the chunk's lengths and its metadata. */
function chunkOf(tile) {
  const view = new DataView(tile.buffer, tile.byteOffset, tile.byteLength);
  const start = 8 + 12 + view.getUint32(16, true);
  return tile.subarray(start, start + view.getUint32(12, true));
}

const bareInflate = (chunks, size) =>
  rate(size * TILES, () => {
    for (const chunk of chunks) zlib.inflateSync(chunk, { chunkSize: size });
  });
const bareZstd = (chunks, size) =>
  zlib.zstdDecompressSync === undefined
    ? undefined
    : rate(size * TILES, () => {
        for (const chunk of chunks) zlib.zstdDecompressSync(chunk, { chunkSize: size });
      });

async function addCodecs() {
  const gzip = { type: "gzip", level: -1 };
  const zstd = { type: "zstd", level: -1 };
  const byteshuffle = { type: "byteshuffle" };
  const delta = { type: "delta" };
  await addFilters("gzip", [gzip], "values", "uint16", bareInflate);
  await addFilters("zstd", [zstd], "genes", "uint32", bareZstd);
  await addFilters("zstd", [zstd], "cells", "uint32", bareZstd);
  await addFilters("lz4", [{ type: "lz4", level: -1 }], "genes", "uint32");
  await addFilters("byteshuffle", [byteshuffle], "genes", "uint32");
  await addFilters("byteshuffle", [byteshuffle], "values", "uint16");
  await addFilters("bitshuffle", [{ type: "bitshuffle" }], "genes", "uint32");
  await addFilters("delta", [delta], "genes", "uint32");
  await addFilters("double delta", [{ type: "double_delta" }], "genes", "uint32");
  await addFilters("positive delta", [{ type: "positive_delta", maxWindow: 1024 }], "cells", "uint32");
  await addFilters("delta, byteshuffle, zstd", [delta, byteshuffle, zstd], "genes", "uint32");
  await addFilters("byteshuffle, zstd", [byteshuffle, zstd], "values", "uint16");
}

function addSelections() {
  const size = CELLS * 4 * TILES;
  const one = numericFilter({ kind: "numeric", lo: Uint32Array.of(700), hi: Uint32Array.of(700) }, true);
  const hundred = Uint32Array.from({ length: 100 }, (_, i) => i * 150);
  const many = numericFilter({ kind: "numeric", lo: hundred, hi: hundred }, true);
  add("cells in one range of genes", size, () => {
    for (const { genes } of tiles) one(genes);
  });
  add("cells in 100 ranges of genes", size, () => {
    for (const { genes } of tiles) many(genes);
  });
  const places = Uint32Array.from({ length: CELLS / 4 }, (_, i) => i * 4);
  const taken = new Uint16Array(places.length);
  add("gather of a quarter of the values", places.length * 2 * TILES, () => {
    for (const { values } of tiles) copyCells(values, places, 1, taken, 0);
  });
  addCompressed(size, hundred);
}

/** Scatter to CSR: rows from columns alone, then all cells, or those of 100 genes. */
function addCompressed(size, hundred) {
  const starts = new Uint32Array(CELLS + 1);
  const scratch = {
    cells: new Uint32Array(CELLS),
    columns: new Int32Array(CELLS),
    runs: new Uint32Array(CELLS * 2),
  };
  const runs = (tile) => {
    const count = tile.cells[CELLS - 1] + 1;
    if (!runsByColumns(tile.genes, CELLS, count, starts)) throw new Error("rows are not told by columns");
    return { count, starts, rows: null };
  };
  const counts = new Uint32Array(CELLS);
  const rows = Uint32Array.from({ length: CELLS }, (_, i) => i);
  const pick = (wanted) => () => {
    for (const tile of tiles) {
      pickCells(tile.genes, runs(tile), 0, rows, wanted, GENES, counts, scratch, "");
    }
  };
  add("CSR: rows of the cells", size, () => tiles.forEach(runs));
  add("CSR: all genes", size, pick(null));
  add("CSR: 100 genes", size, pick(wantedColumns(hundred, GENES)));
  add("CSR: one gene", size, pick(wantedColumns(Uint32Array.of(700), GENES)));
}

function print(copy) {
  const facts = machineFacts();
  process.stdout.write(`${facts.cpu}, ${facts.memory}, ${facts.system}, ${facts.node}, ${facts.load}\n`);
  process.stdout.write(`${CELLS} cells a tile; MB/s of CPU time; memcpy ${copy.toFixed(0)} MB/s\n\n`);
  const line = (...cells) => {
    const [name, ...numbers] = cells;
    process.stdout.write(`${name.padEnd(42)}${numbers.map((text) => text.padStart(14)).join("")}\n`);
  };
  line("kernel", "MB/s", "of memcpy", "bare codec", "of the codec");
  for (const { name, own, codec } of rows) {
    const share = (whole) => (whole === undefined ? "" : `${((own / whole) * 100).toFixed(1)} %`);
    line(name, own.toFixed(0), share(copy), codec === undefined ? "" : codec.toFixed(0), share(codec));
  }
}

const target = new Uint8Array(CELLS * 4);
const copy = rate(CELLS * 4 * TILES, () => {
  for (const { genes } of tiles) target.set(bytesOf(genes));
});
await addCodecs();
addSelections();
print(copy);
