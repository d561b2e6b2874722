import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { FrameReader } from "../../src/cellarr/frames/frame-reader.js";
import { matchingRows } from "../../src/cellarr/frames/matching-rows.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { columnValues, type Frame, type FrameColumn } from "../../src/util/frame.js";

/** Frames that keep their columns answer as those that read them each time. */

const ROWS = 400;
const tissues = ["lung", "liver", "blood"];
const values = {
  text: Array.from({ length: ROWS }, (_, row) => (row % 7 === 0 ? "" : `é${row % 13}`)),
  // The fill value of texts counts as missing.
  gaps: Array.from({ length: ROWS }, (_, row) => (row % 5 === 0 ? "\0" : `n${row % 4}`)),
  marked: Array.from({ length: ROWS }, (_, row) => (row % 3 === 0 ? null : `m${row % 6}`)),
  tissue: Array.from({ length: ROWS }, (_, row) => row % 3),
  n: Array.from({ length: ROWS }, (_, row) => (row * 37) % 101),
};
const conditions = [
  "text == 'é3'",
  "n > 50 and text != ''",
  "gaps == 'n1' or n < 3",
  "tissue == 'liver' and n > 20",
  "marked is None and n <= 90",
  "__tiledb_rows > 100 and n > 50",
  "n > 50",
];

class CountingStore extends MemoryStore {
  reads = 0;

  override async getRange(...args: Parameters<MemoryStore["getRange"]>) {
    this.reads++;
    return super.getRange(...args);
  }
}

async function makeFrame(tile: number) {
  const store = new CountingStore();
  const location = { store, path: "frame" };
  await createArray(location, {
    arrayType: "dense",
    dimensions: [
      { name: "__tiledb_rows", datatype: "int64", domain: [0n, BigInt(ROWS - 1)], tileExtent: BigInt(tile) },
    ],
    attributes: [
      { name: "text", datatype: "string_utf8" },
      { name: "gaps", datatype: "string_ascii" },
      { name: "marked", datatype: "string_ascii", nullable: true },
      { name: "tissue", datatype: "int32", enumeration: "tissues" },
      { name: "n", datatype: "int32" },
    ],
    enumerations: [{ name: "tissues", values: tissues }],
  });
  const n = (list: readonly number[]) => Int32Array.from(list);
  await writeDense(location, [[0n, BigInt(ROWS - 1)]], {
    ...values,
    tissue: n(values.tissue),
    n: n(values.n),
  });
  const array = await openArray(location);
  return Object.assign((keptBytes?: number) => new FrameReader(array, keptBytes), { store });
}

const plain = (frame: Frame) =>
  [...frame.columns].map(([name, column]) => [name, columnValues(column)] as const);

function scribble(column: FrameColumn): void {
  if (column.kind === "categorical") {
    column.codes.fill(0);
    scribble(column.categories);
  } else if (column.kind === "text") {
    column.data.fill(120);
    column.offsets.fill(0);
  } else column.values.fill(1 as never);
}

describe.each([50, 150, ROWS])("a frame in tiles of %i rows", (tile) => {
  it("gives rows of kept columns as it reads them, whatever callers write to what they got", async () => {
    const open = await makeFrame(tile);
    const [keeping, plainly] = [open(), open(0)];
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(fc.nat(ROWS - 1), { maxLength: 60 }),
          fc
            .tuple(fc.nat(ROWS - 1), fc.nat(ROWS))
            .map(([from, count]) =>
              Array.from({ length: Math.min(count, ROWS - from) }, (_, at) => from + at),
            ),
        ),
        async (list) => {
          const rows = Uint32Array.from(list);
          const [kept, read] = [await keeping.rows(rows), await plainly.rows(rows)];
          expect(plain(kept)).toEqual(plain(read));
          expect(columnValues(kept.index)).toEqual(list.map(String));
          const expected = list.map((row) => (values.gaps[row] === "\0" ? null : values.gaps[row]));
          expect(columnValues(kept.columns.get("gaps")!)).toEqual(expected);
          for (const column of kept.columns.values()) scribble(column);
          scribble(kept.index);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(conditions)("finds the rows of `%s` again and again", async (condition) => {
    const open = await makeFrame(tile);
    const [keeping, plainly] = [open(), open(0)];
    const expected = await matchingRows(plainly, condition, undefined);
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(ROWS);
    for (let times = 0; times < 3; times++) {
      expect(await matchingRows(keeping, condition, undefined)).toEqual(expected);
      // Keeps columns in the other way, as a frame has them.
      await keeping.rows(Uint32Array.from({ length: ROWS - 1 }, (_, row) => row));
    }
    expect(await matchingRows(plainly, condition, undefined)).toEqual(expected);
  });
});

it("reads no byte of columns that are kept", async () => {
  const open = await makeFrame(150);
  const store = open.store;
  const rows = Uint32Array.of(0, 160, 399);
  const ask = async (frame: FrameReader) => {
    await matchingRows(frame, "text == 'é3'", undefined);
    return frame.rows(rows);
  };
  for (const [frame, again] of [
    [open(), 0],
    [open(0), 1],
  ] as const) {
    const first = await ask(frame);
    const before = store.reads;
    expect(plain(await ask(frame))).toEqual(plain(first));
    expect(Math.sign(store.reads - before)).toBe(again);
  }
});

it("stops where it was aborted though all columns are kept", async () => {
  const frame = (await makeFrame(150))();
  const rows = Uint32Array.of(0, 160, 399);
  await frame.rows(rows);
  const signal = AbortSignal.abort();
  await expect(frame.rows(rows, frame.columnNames, signal)).rejects.toMatchObject({ code: "ABORTED" });
  await expect(matchingRows(frame, "n > 5", signal)).rejects.toMatchObject({ code: "ABORTED" });
});
