import { expect } from "vitest";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { appendToDataset } from "../../src/cellarr/change/append.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { StorageOptions } from "../../src/storage/remote/settings.js";
import { writeZip } from "../../src/storage/zip-late.js";
import { denseRows, generated } from "../cellarr/samples.js";
import { runPython } from "../support/python.js";

/** An array of test/python/object_store.py in a bucket: written by TileDB-Py and read by us, and the other way round. */

const rows = Array.from({ length: 100 }, (_, i) => i);

const expected = {
  rows,
  columns: rows.map((row) => row % 7),
  data: rows.map((row) => row / 2),
  text: rows.map((row) => `cell ${row}`),
};

/** `uri` is a folder in which nothing is. */
export async function exchangeArrays(uri: string, storage: StorageOptions): Promise<void> {
  const python = (action: "read" | "write", place: string) =>
    runPython("object_store.py", { action, uri: place, config: storage.config });
  expect(await python("write", `${uri}/theirs`)).toEqual({ ...expected, start: 50 });
  expect(await read(`${uri}/theirs`, storage)).toEqual({ ...expected, start: 50 });
  await write(`${uri}/ours`, storage);
  expect(await read(`${uri}/ours`, storage)).toEqual({ ...expected, start: 50 });
  expect(await python("read", `${uri}/ours`)).toEqual({ ...expected, start: 50 });
}

/** A dataset built into a bucket, appended to and zipped there, is the one that memory gets. */
export async function buildDataset(uri: string, storage: StorageOptions): Promise<void> {
  const options = {
    files: [generated(20, 9, 1), generated(12, 14, 2)],
    matrixOptions: { dtype: "float32" },
  } as const;
  const memory = { store: new MemoryStore(), path: "store" };
  await buildCellArrDataset({ ...options, outputPath: memory });
  await buildCellArrDataset({ ...options, outputPath: uri, storage });
  await appendToDataset(memory, { files: [generated(5, 9, 3)] });
  await appendToDataset(uri, { files: [generated(5, 9, 3)], storage });
  const [expected, found] = await Promise.all([
    CellArrDataset.open(memory),
    CellArrDataset.open(uri, { storage }),
  ]);
  expect(found.shape).toEqual([37, 14]);
  const rows = async (dataset: CellArrDataset) => denseRows((await dataset.get(slice())).matrix("counts"));
  expect(await rows(found)).toEqual(await rows(expected));
  expect(await found.getGeneAnnotationIndex()).toEqual(await expected.getGeneAnnotationIndex());
  await writeZip(uri, `${uri}.zip`, { storage });
  await expect(writeZip(uri, `${uri}.zip`, { storage })).rejects.toMatchObject({ code: "EXISTS" });
  expect(await rows(await CellArrDataset.open(`${uri}.zip`, { storage }))).toEqual(await rows(expected));
}

async function write(uri: string, storage: StorageOptions): Promise<void> {
  const dimension = (name: string, end: number) =>
    ({ name, datatype: "int64", domain: [0, end], tileExtent: 100 }) as const;
  const schema = {
    arrayType: "sparse",
    dimensions: [dimension("row", 9999), dimension("col", 999)],
    attributes: [
      { name: "data", datatype: "float32" },
      { name: "text", datatype: "string_ascii" },
    ],
  } as const;
  await createArray(uri, schema, { storage });
  for (const start of [0, 50]) {
    const part = rows.slice(start, start + 50);
    const cells = {
      row: BigInt64Array.from(part, BigInt),
      col: BigInt64Array.from(part, (row) => BigInt(row % 7)),
      data: Float32Array.from(part, (row) => row / 2),
      text: part.map((row) => `cell ${row}`),
    };
    await writeSparse(uri, cells, { storage });
    await putMetadata(uri, { start }, { storage });
  }
}

async function read(uri: string, storage: StorageOptions) {
  const array = await openArray(uri, { storage });
  const { columns } = await array.read();
  const values = (name: string) => cellScalars(columns[name]!);
  return {
    rows: values("row").map(Number),
    columns: values("col").map(Number),
    data: values("data"),
    text: values("text"),
    start: Number((await array.metadata()).get("start")),
  };
}
