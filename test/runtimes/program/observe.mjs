// What the package does in a runtime, as plain values: the same program runs everywhere, and what it gives is compared
// with what it gives in this Node. No import: whoever runs it says where the package's modules come from.

/** Of encrypted arrays in the fixtures. */
const KEY = "0123456789abcdef0123456789abcdef";

/**
 * @param modules the package's entries: { cellarr, tiledb, h5ad }
 * @param place gives the location of an array or store by its name
 * @param arrays names of arrays to read whole
 */
export async function observeReading({ cellarr, tiledb }, place, arrays) {
  const read = {};
  for (const name of arrays) read[name] = await outcome(() => readWhole(tiledb, name, place(name)));
  return { arrays: read, dataset: await outcome(() => queryDataset(cellarr, place("built"))) };
}

/** A value as it is told to others, or the error's code and message. */
async function outcome(work) {
  try {
    return plain(await work());
  } catch (error) {
    if (error.code === undefined) throw error;
    return { error: error.code, message: error.problem };
  }
}

async function readWhole(tiledb, name, location) {
  const options = name.includes("encrypted.") ? { encryptionKey: KEY } : {};
  const array = await tiledb.openArray(location, options);
  const { cellCount, columns } = await array.read();
  const metadata = [...(await array.metadata())];
  return { cellCount, columns: valuesOf(tiledb, columns), metadata };
}

function valuesOf(tiledb, columns) {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, tiledb.cellScalars(column)]),
  );
}

async function queryDataset(cellarr, location) {
  const dataset = await cellarr.CellArrDataset.open(location);
  const genes = [...(await dataset.getGeneAnnotationIndex())];
  const some = [genes[3], genes[0], genes[7]];
  const slices = {
    rows: await dataset.get(cellarr.slice(2, 9), some),
    condition: await dataset.get("tissue == 'lung' and cellarr_counts_total > 5", genes.slice(2, 9)),
    byGene: await dataset.get(cellarr.slice(), [genes[1]], { source: "gene-major" }),
  };
  return {
    shape: dataset.shape,
    matrices: dataset.matrixNames,
    genes,
    slices: Object.entries(slices).map(([name, part]) => [name, describeSlice(part)]),
  };
}

function describeSlice(part) {
  const matrices = part.matrixNames.map((name) => {
    const { indptr, indices, data } = part.matrix(name);
    return [name, indptr, indices, data];
  });
  return { shape: part.shape, cells: part.cellIndices, genes: part.geneIndices, matrices };
}

/** Filters as they are written, each in an array of its own. */
const PIPELINES = {
  none: [],
  gzip: ["gzip"],
  zstd: ["zstd"],
  lz4: ["lz4"],
  bzip2: ["bzip2"],
  rle: ["rle"],
  delta: ["delta"],
  double_delta: ["double_delta"],
  positive_delta: ["positive_delta"],
  bit_width_reduction: ["bit_width_reduction"],
  byteshuffle: ["byteshuffle", "zstd"],
  bitshuffle: ["bitshuffle", "lz4"],
  xor: ["xor", "gzip"],
  checksum_md5: ["checksum_md5"],
  checksum_sha256: ["zstd", "checksum_sha256"],
};

/** Writes arrays and a store to places given by name, and reads them back. */
export async function observeWriting(modules, place) {
  const { cellarr, tiledb, h5ad } = modules;
  const failed = {};
  const write = async (name, work) => {
    const { error, message } = (await outcome(() => work(place(`written-${name}`)))) ?? {};
    if (error !== undefined) failed[name] = { error, message };
  };
  for (const [name, filters] of Object.entries(PIPELINES)) {
    await write(name, (location) => writeSparseArray(tiledb, location, filters));
  }
  await write("dense", (location) => writeDenseArray(tiledb, location));
  await write("store", async (location) => void (await buildStore(cellarr, location)));
  const annData = h5ad === undefined ? null : await outcome(() => throughH5ad(cellarr, h5ad));
  return { failed, annData, ...(await observeWritten(modules, place)) };
}

/** What `observeWriting` wrote, by whichever runtime. */
export async function observeWritten({ cellarr, tiledb }, place) {
  const arrays = {};
  for (const name of Object.keys(PIPELINES)) {
    arrays[name] = await outcome(() => readSparseArray(tiledb, place(`written-${name}`)));
  }
  arrays.dense = await outcome(() => readDenseArray(tiledb, place("written-dense")));
  return { arrays, dataset: await outcome(() => queryDataset(cellarr, place("written-store"))) };
}

const CELLS = 700;
const numbers = Int32Array.from({ length: CELLS }, (_, i) => 17 + i * 3 + (i % 7));

async function writeSparseArray(tiledb, location, filters) {
  await tiledb.createArray(location, {
    arrayType: "sparse",
    capacity: 100,
    dimensions: [{ name: "d", datatype: "int32", domain: [0, 10_000], tileExtent: 1000 }],
    attributes: [
      { name: "a", datatype: "int32", filters },
      { name: "s", datatype: "string_utf8", filters: ["zstd"] },
      { name: "n", datatype: "float64", nullable: true, filters: ["gzip"] },
    ],
  });
  await tiledb.writeSparse(location, {
    d: numbers,
    a: numbers.map((value) => value * 11),
    s: Array.from(numbers, (value) => (value % 3 === 0 ? "Lunge" : `naïve ${value}`)),
    n: Array.from(numbers, (value) => (value % 5 === 0 ? null : value / 8)),
  });
}

async function readSparseArray(tiledb, location) {
  const array = await tiledb.openArray(location);
  const whole = await array.read();
  const some = await array.read({ condition: "a > 3000 and s == 'Lunge'", attributes: ["n"] });
  const sums = await array.aggregate({ attributes: ["a"] });
  return { whole: valuesOf(tiledb, whole.columns), some: valuesOf(tiledb, some.columns), sums };
}

async function writeDenseArray(tiledb, location) {
  await tiledb.createArray(location, {
    arrayType: "dense",
    dimensions: [
      { name: "r", datatype: "int32", domain: [0, 39], tileExtent: 8 },
      { name: "c", datatype: "int32", domain: [0, 29], tileExtent: 8 },
    ],
    attributes: [{ name: "a", datatype: "float32", filters: ["byteshuffle", "zstd"] }],
  });
  const values = Float32Array.from({ length: 1200 }, (_, i) => i / 4);
  const box = [
    [0, 39],
    [0, 29],
  ];
  await tiledb.writeDense(location, box, { a: values });
}

async function readDenseArray(tiledb, location) {
  const array = await tiledb.openArray(location);
  const { columns } = await array.read({ ranges: { r: [[3, 11]], c: [[5, 9], 20] } });
  return valuesOf(tiledb, columns);
}

/** Annotated data of `cells` cells and 12 genes. */
export function someData(cellarr, cells, seed) {
  const genes = Array.from({ length: 12 }, (_, i) => `gene_${i}`);
  const indptr = Int32Array.from({ length: cells + 1 }, (_, i) => i * 3);
  const indices = Int32Array.from({ length: cells * 3 }, (_, i) => (i % 3) * 4 + ((i * seed) % 4));
  const data = Float32Array.from({ length: cells * 3 }, (_, i) => 1 + ((i * seed) % 9));
  const names = Array.from({ length: cells }, (_, i) => `cell_${seed}_${i}`);
  const tissue = names.map((_, i) => (i % 3 === 0 ? "lung" : "heart"));
  const { AnnData, Frame, textColumn } = cellarr;
  return new AnnData({
    obs: new Frame(textColumn(names), new Map([["tissue", textColumn(tissue)]])),
    var: new Frame(textColumn(genes), new Map()),
    layers: { counts: { format: "csr", shape: [cells, 12], indptr, indices, data } },
  });
}

/** Builds the store that `observeReading` queries. */
export function buildStore(cellarr, outputPath) {
  return cellarr.buildCellArrDataset({
    outputPath,
    files: [someData(cellarr, 40, 3), someData(cellarr, 25, 5)],
    matrixOptions: { matrixName: "counts", dtype: "uint16" },
    cellMetadataOptions: { columnTypes: { tissue: "ascii" } },
  });
}

async function throughH5ad(cellarr, h5ad) {
  const bytes = await h5ad.toH5adBytes(someData(cellarr, 9, 7));
  const back = await h5ad.readH5ad(bytes);
  const { indptr, indices, data } = back.layers.get("counts");
  return { shape: back.shape, indptr, indices, data };
}

/** Values as JSON has them; what JSON would lose, as text. */
function plain(value) {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : String(value === 0 ? "-0" : value);
  if (ArrayBuffer.isView(value)) return Array.from(value, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}
