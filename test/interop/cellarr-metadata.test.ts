import { join } from "node:path";
import "../../src/node-platform.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { summaryNames } from "../../src/cellarr/summary/summary-names.js";
import { columnValues, type Frame, type FrameColumn } from "../../src/util/frame.js";
import { experiment, frame, generated, numbers, valuesOf } from "../cellarr/samples.js";
import { hasPython, pythonPeer, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Metadata of any text, with gaps, and what builds add to them: as TileDB-Py and Python cellarr read them. */

const assays = ["counts"];

function columnsOf(table: Frame): Record<string, unknown[]> {
  return Object.fromEntries(
    [...table.columns].map(([name, column]) => [name, columnValues(column).map(plain)]),
  );
}

/** As JSON has it; pandas tells no NaN from a gap. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" && Number.isNaN(value) ? null : value;
}

const odd = [
  "é",
  "😀",
  "e\u0301",
  "",
  "quote'\"x\\",
  "naïve café",
  "日本語",
  " ",
  "\u{10ffff}",
  "x\0y",
  "a\tb\nc",
];

describe.skipIf(!hasPython)("text of any kind", () => {
  it("is what Python reads: names of genes and samples, cell ids, columns", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const genes = ["β-actin", "gène", "😀", "e\u0301", "é", "plain"];
    const rows = odd.map((_, cell) => genes.map((_, gene) => cell + gene + 1));
    const names = ["Zürich", "東京 'a\""];
    const dataset = await buildCellArrDataset({
      outputPath: path,
      files: [
        experiment({ genes, rows, obs: { id: odd, größe: odd.toReversed() } }),
        experiment({ genes: ["plain", "β-actin"], rows: [[1, 2]], obs: { id: ["ascii"] } }),
      ],
      sampleMetadata: frame(["0", "1"], { cellarr_sample: names, ort: ["Genève", "x"] }),
      cellMetadataOptions: { columnTypes: { id: "ascii", größe: "utf8" } },
    });
    const uri = join(path, "cell_metadata");
    const theirs = (await peer.call("frame_columns", { uri })) as Record<string, unknown[]>;
    expect(theirs.id).toEqual([...odd, "ascii"]);
    expect(theirs.größe).toEqual([...odd.toReversed(), "NA"]);
    expect(theirs.cellarr_sample).toEqual([...odd.map(() => names[0]), names[1]]);
    expect(columnsOf(await dataset.getCellSubset(slice()))).toEqual(theirs);
    expect(await peer.call("cellarr_describe", { path, assays })).toEqual({
      shape: [12, 6],
      cells: dataset.getCellMetadataColumns(),
      genes: await dataset.getGeneAnnotationIndex(),
      samples: names,
    });
    expect(await dataset.getGeneAnnotationIndex()).toEqual([
      "e\u0301",
      "gène",
      "plain",
      "é",
      "β-actin",
      "😀",
    ]);
    const wanted = ["😀", "é", "β-actin"];
    const part = await dataset.get([0, 3], wanted);
    expect(await peer.call("cellarr_slice", { path, assays, cells: [0, 3], genes: wanted })).toMatchObject({
      genes: valuesOf(part.geneAnnotation, "cellarr_gene_index"),
      cells: [0, 3],
    });
    const conditions = [
      ...["é", "😀", "e\\u0301", "", "naïve café", "日本語", "x\\0y", "ascii"].map(
        (text) => `id == '${text}'`,
      ),
      "id == 'quote\\'\"x\\\\'",
      "id in ['é', '日本語', 'nothing']",
      "id != '😀'",
      "id < 'é'",
      "größe == 'é'",
      "cellarr_sample == 'Zürich'",
    ];
    for (const condition of conditions) {
      const ours = await dataset.getCellSubset(condition);
      const { rows, columns } = (await peer.call("cellarr_metadata", { path, assays, cells: condition })) as {
        rows: number[];
        columns: Record<string, unknown[]>;
      };
      expect(valuesOf(ours, "id").length, condition).toBeGreaterThan(0);
      expect(columnValues(ours.index).map(Number), condition).toEqual(rows);
      // Python cellarr takes text with a NUL in it for missing.
      const known = valuesOf(ours, "id").map((id) => (`${id}`.includes("\0") ? null : id));
      expect(columns.id, condition).toEqual(known);
    }
    expect((await dataset.getCellsForSample(names[1]!)).cellIndices).toEqual(Uint32Array.of(11));
    // Python cellarr puts names into a condition as they are: no quotes there.
    expect(await peer.call("cellarr_sample", { path, assays, sample: 1 })).toEqual([11]);
    expect(await peer.call("cellarr_sample", { path, assays, sample: names[0] })).toEqual(
      odd.map((_, row) => row),
    );
  });

  it("comes back as it was, a lone NUL and what looks like a gap included", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("\0", "", "nan", "NA", "None", "é", "\0\0"),
    );
    const cells = fc.array(fc.tuple(text, fc.option(text)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cells, async (table) => {
        const given = {
          whole: table.map(([one]) => one),
          gaps: table.map(([, other]) => other),
        };
        const dataset = await buildCellArrDataset({
          outputPath: path,
          files: [experiment({ genes: ["a"], rows: table.map(() => [1]) })],
          cellMetadata: frame(
            table.map((_, row) => `${row}`),
            given,
          ),
          overwrite: true,
        });
        const found = await dataset.getCellSubset(slice(), ["whole", "gaps"]);
        expect(columnsOf(found)).toEqual(given);
        const theirs = await peer.call("frame_columns", { uri: join(path, "cell_metadata") });
        expect(theirs).toMatchObject(given);
      }),
      { numRuns: 12 },
    );
  });

  it("of stores by Python reads the same here", async () => {
    const folder = await temporaryFolder();
    const expected = (await runPython(PYTHON_TEXT, { folder, odd })) as Record<string, unknown[]>;
    const dataset = await CellArrDataset.open(join(folder, "store"));
    const cells = await dataset.getCellSubset(slice());
    expect(columnsOf(cells)).toMatchObject(expected);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["a", "é", "😀"]);
    expect([...(await dataset.get("label == '😀'")).cellIndices]).toEqual([1]);
    expect([...(await dataset.get("age > 30")).cellIndices]).toEqual([3]);
    expect([...(await dataset.get("age is None")).cellIndices]).toEqual([1, 4]);
  });
});

/** Five nullable columns and floats, of two files; the second lacks one. */
function gapFiles() {
  const first = 4;
  const gaps = Uint8Array.of(1, 0, 1, 1);
  const obs: Record<string, FrameColumn | readonly (string | null)[]> = {
    age: { kind: "numeric", values: Int32Array.of(20, 0, 31, 64), validity: gaps },
    wide: { kind: "numeric", values: BigInt64Array.of(2n ** 52n, 0n, -5n, 7n), validity: gaps },
    flag: { kind: "boolean", values: Uint8Array.of(1, 0, 0, 1), validity: gaps },
    size: numbers(1.5, Number.NaN, 2, 3),
    whole: numbers(1, Number.NaN, 3, 4),
    weight: { kind: "numeric", values: Float32Array.of(0.5, 0, Number.NaN, 2), validity: gaps },
    batch: {
      kind: "categorical",
      codes: Int32Array.of(1, -1, 0, 1),
      categories: { kind: "numeric", values: Int32Array.of(10, 20) },
      ordered: false,
    },
    label: ["é", null, "", "NA"],
    parsed: ["5", "NA", "", "-7"],
    only: numbers(1, 2, 3, 4),
  };
  const second = Object.fromEntries(
    ["age", "flag", "size", "label"].map((name): [string, (typeof obs)[string]] => [name, obs[name]!]),
  );
  const rows = Array.from({ length: first }, (_, cell) => [cell + 1, 1]);
  return [experiment({ genes: ["a", "b"], rows, obs }), experiment({ genes: ["a", "b"], rows, obs: second })];
}

const gapTypes = {
  age: "int32",
  wide: "int64",
  flag: "bool",
  size: "float64",
  whole: "uint8",
  weight: "float32",
  batch: "int16",
  label: "string",
  parsed: "int8",
  only: "Int64",
} as const;

describe.skipIf(!hasPython)("missing values", () => {
  it("are null here, in TileDB-Py and in Python cellarr, old and new", async () => {
    const path = join(await temporaryFolder(), "store");
    const dataset = await buildCellArrDataset({
      outputPath: path,
      files: gapFiles(),
      cellMetadataOptions: { columnTypes: gapTypes },
    });
    const none = [null, null, null, null];
    const ours = await dataset.getCellSubset(slice());
    const twice = (...values: unknown[]) => [...values, ...values];
    const expected = {
      age: twice(20, null, 31, 64),
      wide: [2 ** 52, null, -5, 7, ...none],
      flag: twice(true, null, false, true),
      size: twice(1.5, null, 2, 3),
      whole: [1, null, 3, 4, ...none],
      weight: [0.5, null, null, 2, ...none],
      batch: [20, null, 10, 20, ...none],
      label: twice("é", null, "", "NA"),
      parsed: [5, null, null, -7, ...none],
      only: [1, 2, 3, 4, ...none],
    };
    expect(columnsOf(ours)).toMatchObject(expected);
    // NaN of a floating-point column is no gap, and stays what it is.
    expect(valuesOf(ours, "size")[1]).toBeNaN();
    expect(valuesOf(ours, "weight").slice(1, 3)).toEqual([null, Number.NaN]);
    const uri = join(path, "cell_metadata");
    for (const environment of ["reference", "newest"] as const) {
      const peer = await pythonPeer(environment);
      expect(await peer.call("frame_columns", { uri })).toMatchObject(expected);
      expect(await peer.call("frame_types", { uri })).toMatchObject({
        age: "Int32",
        wide: "Int64",
        flag: "boolean",
        size: "float64",
        whole: "UInt8",
        weight: "Float32",
        batch: "Int16",
        label: expect.stringContaining("string"),
        parsed: "Int8",
        only: "Int64",
        cellarr_counts_total: "float64",
        cellarr_counts_detected: "uint32",
      });
      for (const cells of [{ slice: [0, 7] }, [1, 6]]) {
        const rows = Array.isArray(cells) ? cells : [0, 1, 2, 3, 4, 5, 6, 7];
        const found = await peer.call("cellarr_metadata", { path, assays, cells });
        expect(found).toMatchObject({
          rows,
          columns: Object.fromEntries(
            Object.entries(expected).map(([name, values]) => [name, rows.map((row) => values[row])]),
          ),
        });
      }
      expect(await peer.call("cellarr_column", { path, assays, name: "age" })).toEqual(expected.age);
    }
  });

  it("satisfy the same conditions in Python", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const dataset = await buildCellArrDataset({
      outputPath: path,
      files: gapFiles(),
      cellMetadataOptions: { columnTypes: gapTypes },
    });
    const conditions = [
      "age > 30",
      "age != 31",
      "age in [20, 64]",
      "age == None",
      "age != None",
      "wide == 4503599627370496",
      "flag == True",
      "size > 1.75",
      "weight < 3",
      "batch == 20 and age > 30",
      "label == 'é'",
      "label != 'é'",
      "label == None",
      "parsed < 0 or whole == 3",
      "only != None",
      "cellarr_counts_total > 3 and age > 30",
      "cellarr_counts_detected == 2",
    ];
    for (const condition of conditions) {
      const ours = columnValues((await dataset.getCellSubset(condition)).index).map(Number);
      expect(ours.length, condition).toBeGreaterThan(0);
      const uri = join(path, "cell_metadata");
      expect(await peer.call("frame_matching", { uri, condition }), condition).toEqual(ours);
      const { rows } = (await peer.call("cellarr_metadata", { path, assays, cells: condition })) as {
        rows: number[];
      };
      expect(rows, condition).toEqual(ours);
    }
    // TileDB-Py refuses `is`.
    const isNone = await dataset.getCellSubset("age is None");
    expect(columnValues(isNone.index)).toEqual(["1", "5"]);
    expect(columnValues((await dataset.getCellSubset("only is None")).index)).toEqual(["4", "5", "6", "7"]);
  });

  it("stay NaN, text or an error in Python's form", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const build = (columnTypes: Record<string, "ascii" | "float" | "int">) =>
      buildCellArrDataset({
        outputPath: path,
        files: gapFiles(),
        metadata: "python",
        cellMetadataOptions: { columnTypes },
        overwrite: true,
      });
    await build({ only: "float", batch: "ascii" });
    const uri = join(path, "cell_metadata");
    expect(await peer.call("frame_columns", { uri })).toMatchObject({
      only: [1, 2, 3, 4, null, null, null, null],
      batch: ["20", "nan", "10", "20", "NA", "NA", "NA", "NA"],
    });
    expect(await peer.call("frame_types", { uri })).toMatchObject({ only: "float64", batch: "object" });
    await expect(build({ age: "int" })).rejects.toThrow("a missing value in row 1 is no int64");
    await expect(build({ label: "ascii" })).rejects.toThrow("'é' in row 0 is not ASCII");
    // What could not be built left the store that was there.
    expect((await CellArrDataset.open(path)).getCellMetadataColumns()).toContain("batch");
  });
});

describe.skipIf(!hasPython)("summaries", () => {
  it("are what NumPy makes of the matrices", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const dataset = await buildCellArrDataset({
      outputPath: path,
      files: [generated(40, 25, 1), generated(17, 30, 2), generated(3, 5, 3)],
      matrixOptions: [{ dtype: "float32" }, { matrixName: "twice", dtype: "uint16", onMisfit: "round-clip" }],
    });
    for (const name of dataset.matrixNames) {
      const expected = (await peer.call("matrix_summary", {
        uri: join(path, "assays", name),
        shape: [...dataset.shape],
      })) as Record<"cells" | "genes", Record<string, number[]>>;
      const names = summaryNames(name);
      for (const [part, column] of [
        ["cells", (of: string) => dataset.getCellMetadataColumn(of)],
        ["genes", (of: string) => dataset.getGeneAnnotationColumn(of)],
      ] as const) {
        for (const [what, stored] of Object.entries(names[part])) {
          const ours = columnValues(await column(stored)) as number[];
          const theirs = expected[part][what]!;
          expect(ours.length).toBe(theirs.length);
          for (const [at, value] of theirs.entries()) {
            expect(Math.abs(ours[at]! - value), `${stored} ${at}`).toBeLessThanOrEqual(
              1e-10 * (1 + Math.abs(value)),
            );
          }
        }
      }
    }
  });
});

/** A store whose metadata TileDB-Py wrote from pandas: text in UTF-8, and columns of its nullable types. */
const PYTHON_TEXT = `
import json, sys
import numpy as np, pandas as pd, tiledb

if __name__ == "__main__":
    given = json.load(sys.stdin)
    store = given["folder"] + "/store"
    odd = given["odd"]
    rows = len(odd)
    tiledb.Group.create(store)
    tiledb.Group.create(store + "/assays")
    cells = pd.DataFrame({
        "cellarr_sample": ["s"] * rows, "label": odd,
        "age": pd.array([1, None, 3, 40, None] + [5] * (rows - 5), dtype="Int64"),
        "flag": pd.array([True, None] + [False] * (rows - 2), dtype="boolean"),
        "text": pd.array([None, *odd[1:]], dtype="string"),
        "float": pd.array([0.5, None] + [2.0] * (rows - 2), dtype="Float64"),
    })
    tiledb.from_pandas(store + "/cell_metadata", cells)
    tiledb.from_pandas(store + "/gene_annotation", pd.DataFrame({"cellarr_gene_index": ["a", "é", "😀"]}))
    tiledb.from_pandas(store + "/sample_metadata", pd.DataFrame({
        "cellarr_sample": ["s"], "cellarr_sample_start_index": ["0"], "cellarr_sample_end_index": [str(rows - 1)]}))
    domain = tiledb.Domain(tiledb.Dim("cell_index", domain=(0, 1000), dtype=np.uint32),
                           tiledb.Dim("gene_index", domain=(0, 1000), dtype=np.uint32))
    schema = tiledb.ArraySchema(domain, [tiledb.Attr("data", dtype=np.uint16)], sparse=True)
    tiledb.Array.create(store + "/assays/counts", schema)
    with tiledb.open(store + "/assays/counts", "w") as array:
        array[np.array([0, rows - 1]), np.array([0, 2])] = np.array([1, 2], dtype=np.uint16)
    table = {name: [None if pd.isna(value) else value for value in cells[name].tolist()] for name in cells.columns}
    print(json.dumps(table))
`;
