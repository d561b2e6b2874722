import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { type Datatype, datatypeInfo } from "../../src/format/datatype.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { bytesOf, type TypedArray } from "../../src/util/typed-arrays.js";
import { hasPython, runPython } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

/** The official library reads tiles that we filtered, with portable codecs: an attribute for each pipeline. */

const gzip: FilterSpec = { type: "gzip", level: -1 };
const zstd: FilterSpec = { type: "zstd", level: 3 };
const lz4: FilterSpec = { type: "lz4", level: -1 };
const bzip2: FilterSpec = { type: "bzip2", level: -1 };
const rle: FilterSpec = { type: "rle", level: -1 };
const delta: FilterSpec = { type: "delta", level: -1 };
const doubleDelta: FilterSpec = { type: "double_delta", level: -1 };
const dictionary: FilterSpec = { type: "dictionary", level: -1 };
const width: FilterSpec = { type: "bit_width_reduction", maxWindow: 256 };
const positive: FilterSpec = { type: "positive_delta", maxWindow: 1024 };
const bits: FilterSpec = { type: "bitshuffle" };
const bytes: FilterSpec = { type: "byteshuffle" };
const md5: FilterSpec = { type: "checksum_md5" };
const sha256: FilterSpec = { type: "checksum_sha256" };
const xor: FilterSpec = { type: "xor" };

const general: FilterSpec[][] = [
  [],
  [gzip],
  [zstd],
  [{ type: "zstd", level: -1 }],
  [lz4],
  [rle],
  [bzip2],
  [bits],
  [bytes],
  [md5],
  [sha256],
  [xor],
  [bytes, zstd],
  [bits, lz4],
  [bytes, bits, gzip],
  [md5, bytes, bzip2, sha256],
  [xor, bytes, zstd, md5],
  [rle, zstd],
];
const integral: FilterSpec[][] = [
  ...general,
  [delta],
  [doubleDelta],
  [width],
  [positive],
  [delta, bytes, zstd],
  [doubleDelta, gzip],
  [positive, width, zstd],
  [width, lz4, md5],
  [width, bytes],
  [bits, sha256, delta],
];
const floating: FilterSpec[][] = [
  ...general,
  [{ ...delta, reinterpret: "int32" }, bytes, zstd],
  [{ ...doubleDelta, reinterpret: "uint8" }],
  [{ type: "scale_float", factor: 0.5, offset: 1, byteWidth: 4 }, width, gzip],
];

/** More than a chunk of int32 and float64, fewer of the others, since the portable compressors are slow. */
const cellsOf = (datatype: Datatype): number => (/^(int32|float64)$/.test(datatype) ? 17_000 : 1500);

/** Multiples of 0.5 that increase. */
function rampOf(datatype: Datatype, cells: number): TypedArray {
  const values = new (datatypeInfo(datatype).array)(cells);
  for (let i = 0; i < cells; i++) {
    const value = Math.floor(i / (datatypeInfo(datatype).bytes === 1 ? 20 : 3));
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[i] = BigInt(value) * 7n;
    else values[i] = datatypeInfo(datatype).kind === "float" ? value / 2 : value;
  }
  return values;
}

const readAll = `
import base64, json, sys, numpy, tiledb

def content(values):
    if values.dtype == object or values.dtype.kind in "SU":
        return [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    return base64.b64encode(numpy.ascontiguousarray(values).tobytes()).decode()

out = {}
for uri, names in json.load(sys.stdin).items():
    out[uri] = {}
    with tiledb.open(uri) as array:
        for name in names:
            try:
                out[uri][name] = content(array.query(attrs=[name])[:][name])
            except Exception as error:
                out[uri][name] = "error: " + str(error)
print(json.dumps(out))
`;

interface Exchange {
  readonly title: string;
  readonly datatype: Datatype;
  readonly pipelines: FilterSpec[][];
  readonly values: TypedArray | string[];
  readonly offsetsFilters: FilterSpec[];
}

const nameOf = (filters: FilterSpec[]): string =>
  filters.map((spec) => `${spec.type}${"level" in spec ? spec.level : ""}`).join(" ") || "no filter";

/** Writes an array with an attribute for each pipeline, all with the same values. */
async function write(uri: string, exchange: Exchange): Promise<string[]> {
  const { datatype, pipelines, values, offsetsFilters } = exchange;
  const location = { store: new NodeFsStore(uri), path: "" };
  const last = values.length - 1;
  await createArray(location, {
    arrayType: "dense",
    dimensions: [{ name: "d", datatype: "int32", domain: [0, last] }],
    attributes: pipelines.map((filters) => ({ name: nameOf(filters), datatype, filters })),
    offsetsFilters,
  });
  const names = pipelines.map(nameOf);
  await writeDense(location, [[0, last]], Object.fromEntries(names.map((name) => [name, values])));
  return names;
}

const text: FilterSpec[][] = [
  [],
  [gzip],
  [zstd],
  [rle],
  [dictionary],
  [rle, zstd],
  [dictionary, bits, md5],
  [dictionary, gzip],
  [md5, lz4],
  [bits, bzip2],
  [delta],
  [doubleDelta, zstd],
];
const words = Array.from({ length: 1000 }, (_, i) => ["lung", "", "T cell", "x".repeat(90)][(i >> 3) % 4]!);
const utf8Words = words.map((word) => word.replace("cell", "Zelle ä"));
const longWords = [...words, "long ".repeat(20_000), "end"];

const numbers = (datatype: Datatype, pipelines: FilterSpec[][]): Exchange => ({
  title: datatype,
  datatype,
  pipelines,
  values: rampOf(datatype, cellsOf(datatype)),
  offsetsFilters: [],
});
const strings = (
  title: string,
  datatype: Datatype,
  values: string[],
  offsetsFilters: FilterSpec[],
): Exchange => ({
  title,
  datatype,
  pipelines: text,
  values,
  offsetsFilters,
});

const integers = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "datetime_ns",
] as const;
const exchanges: Exchange[] = [
  ...integers.map((datatype) => numbers(datatype, integral)),
  numbers("float32", floating),
  numbers("float64", floating),
  strings("ASCII strings", "string_ascii", words, [zstd]),
  strings("UTF-8 strings", "string_utf8", utf8Words, [positive, width, zstd]),
  strings("a long string", "string_ascii", longWords, [doubleDelta]),
  strings("empty strings", "string_ascii", Array<string>(10).fill(""), [zstd]),
  strings("one string", "string_ascii", ["alone"], []),
];

describe.skipIf(!hasPython)("the official library reads", () => {
  const found = new Map<Exchange, Record<string, unknown>>();

  beforeAll(async () => {
    const folder = await keptFolder();
    try {
      const questions: Record<string, string[]> = {};
      const uriOf = (exchange: Exchange) => join(folder.path, exchange.title);
      for (const exchange of exchanges) questions[uriOf(exchange)] = await write(uriOf(exchange), exchange);
      const answers = (await runPython(readAll, questions)) as Record<string, Record<string, unknown>>;
      for (const exchange of exchanges) found.set(exchange, answers[uriOf(exchange)]!);
    } finally {
      await folder.remove();
    }
  }, 300_000);

  it.each(exchanges.map((each) => [each.title, each] as const))(
    "%s through every pipeline",
    (_, exchange) => {
      const { values, pipelines } = exchange;
      const expected = Array.isArray(values) ? values : Buffer.from(bytesOf(values)).toString("base64");
      const read = Object.entries(found.get(exchange)!);
      expect(read).toHaveLength(pipelines.length);
      for (const [name, content] of read) {
        // Not the values themselves, which would fill the screen.
        const problem = isDeepStrictEqual(content, expected) ? "none" : String(content).slice(0, 200);
        expect({ name, problem }).toEqual({ name, problem: "none" });
      }
    },
  );
});
