import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commonAttribute } from "../../src/cellarr/columns/common-type.js";
import type { AppendOptions, BuildOptions } from "../../src/node.js";
import {
  appendToDataset,
  buildCellArrDataset,
  CellArrDataset,
  columnValues,
  dryRunBuild,
  MemoryStore,
} from "../../src/node.js";
import type { FrameColumn } from "../../src/util/frame.js";
import { runPython } from "../support/python.js";
import { experiment } from "./samples.js";

/** Columns of obs whose type is left open. */

const numeric = (
  values: Extract<FrameColumn, { kind: "numeric" }>["values"],
  validity?: number[],
): FrameColumn =>
  validity === undefined
    ? { kind: "numeric", values }
    : { kind: "numeric", values, validity: Uint8Array.from(validity) };
const boolean = (...values: number[]): FrameColumn => ({ kind: "boolean", values: Uint8Array.from(values) });

const one = experiment({
  genes: ["a"],
  rows: [[1], [2]],
  obs: {
    same: numeric(Int32Array.of(1, 2)),
    gaps: numeric(Int16Array.of(3, 0), [1, 0]),
    wider: numeric(Int8Array.of(-1, 5)),
    flag: boolean(1, 0),
    mixed: numeric(Float64Array.of(0.5, 2)),
    tissue: ["lung", null],
    only: numeric(Uint8Array.of(8, 9)),
  },
});
const two = experiment({
  genes: ["a"],
  rows: [[3]],
  obs: {
    same: numeric(Int32Array.of(3)),
    gaps: numeric(Int16Array.of(4)),
    wider: numeric(Uint16Array.of(65535)),
    flag: boolean(1),
    mixed: ["é"],
    tissue: ["gut"],
  },
});
const names = ["same", "gaps", "wider", "flag", "mixed", "tissue", "only"];
const columnTypes = Object.fromEntries(names.map((name) => [name, null]));
const EXPECTED = {
  same: [1, 2, 3],
  gaps: [3, null, 4],
  wider: [-1, 5, 65535],
  flag: [true, false, true],
  mixed: ["0.5", "2.0", "é"],
  tissue: ["lung", null, "gut"],
  only: [8, 9, null],
};

function options(store: MemoryStore, more: Partial<BuildOptions> = {}): BuildOptions {
  const outputPath = { store, path: "store" };
  return { outputPath, files: [one, two], cellMetadataOptions: { columnTypes }, ...more };
}

async function content(dataset: CellArrDataset) {
  const columns = await Promise.all(
    names.map(async (name) => [name, columnValues(await dataset.getCellMetadataColumn(name))]),
  );
  return Object.fromEntries(columns);
}

describe("columns of obs without a type", () => {
  it("get that of the files' columns, and null where a file has none", async () => {
    const dataset = await buildCellArrDataset(options(new MemoryStore()));
    expect(await content(dataset)).toEqual(EXPECTED);
    const kinds = await Promise.all(names.slice(0, 3).map((name) => dataset.getCellMetadataColumn(name)));
    const arrays = kinds.map((column) => (column.kind === "numeric" ? column.values : null));
    expect(arrays.map((values) => values?.constructor.name)).toEqual([
      "Int32Array",
      "Int16Array",
      "Int32Array",
    ]);
    const { cellIndices } = await dataset.get("only > 8 or only is None");
    expect([...cellIndices]).toEqual([1, 2]);
  });

  it("are text in the form of Python", async () => {
    const dataset = await buildCellArrDataset(options(new MemoryStore(), { metadata: "python" }));
    expect(await content(dataset)).toMatchObject({
      same: ["1", "2", "3"],
      mixed: ["0.5", "2.0", "é"],
      tissue: ["lung", "nan", "gut"],
      only: ["8", "9", "NA"],
    });
  });

  it("that no file has are refused before anything is written", async () => {
    const store = new MemoryStore();
    const cellMetadataOptions = { columnTypes: { typo: null } };
    const refusal = { code: "NOT_FOUND", message: expect.stringContaining("'typo'") };
    await expect(buildCellArrDataset(options(store, { cellMetadataOptions }))).rejects.toMatchObject(refusal);
    const report = await dryRunBuild(options(store, { cellMetadataOptions }));
    expect(report.ok).toBe(false);
    expect(report.problems.filter(({ severity }) => severity === "error")).toMatchObject([
      { where: "cell metadata", message: expect.stringContaining("'typo'") },
    ]);
    expect((await dryRunBuild(options(store))).ok).toBe(true);
    expect(await store.list("")).toEqual([]);
  });

  it("are added by an append, null in the cells that are there", async () => {
    const store = new MemoryStore();
    await buildCellArrDataset(options(store, { files: [two], cellMetadataOptions: {} }));
    const place = { store, path: "store" };
    const append: AppendOptions = { files: [one], cellMetadataOptions: { columnTypes } };
    await appendToDataset(place, append);
    const found = await content(await CellArrDataset.open(place));
    expect(found).toMatchObject({ same: [null, 1, 2], tissue: [null, "lung", null], only: [null, 8, 9] });
    const typo = { files: [one], cellMetadataOptions: { columnTypes: { typo: null } } };
    await expect(appendToDataset(place, typo)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("commonAttribute", () => {
  const types = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
  ] as const;
  const pairs = types.flatMap((a) => types.map((b) => [a, b] as const));

  it("takes what NumPy takes", async () => {
    const script = `
import json, sys
import numpy as np
print(json.dumps([str(np.result_type(a, b)) for a, b in json.load(sys.stdin)]))
`;
    const expected = await runPython(script, pairs);
    const found = pairs.map(
      ([a, b]) => commonAttribute({ name: "x", datatype: a }, { name: "x", datatype: b }).datatype,
    );
    expect(found).toEqual(expected);
  });

  it("is null where one of them is, and text where one of them is", () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.boolean(), fc.boolean(), (type, nullable, other) => {
        const number = { name: "x", datatype: type, nullable };
        const text = { name: "x", datatype: "string_ascii", nullable: other } as const;
        const joined = commonAttribute(number, text);
        expect(joined.datatype).toBe("string_ascii");
        expect(joined.nullable ?? false).toBe(nullable || other);
        const utf8 = commonAttribute(text, { name: "x", datatype: "string_utf8" });
        expect(utf8.datatype).toBe("string_utf8");
      }),
    );
  });
});
