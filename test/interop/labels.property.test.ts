import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Column,
  type Coordinate,
  type Datatype,
  datatypeInfo,
  openArray,
} from "../../src/tiledb-node.js";
import { varColumn } from "../support/cell-values.js";
import { patience, runs } from "../support/property.js";
import { askTwice, hasPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { fromWire, toWireColumn, type WireColumn } from "../support/wire.js";

/**
 * Label ranges by the official library and by us: labels of all types, rising and falling, of one or two dimensions of
 * dense and sparse arrays, written in parts that follow one another, overlap, contradict or leave gaps.
 */

const LABEL_TYPES = [
  ..."int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split(" "),
  ..."string_ascii datetime_ns datetime_day datetime_year time_ms".split(" "),
] as Datatype[];
const ROWS = 20;
const COLUMNS = 5;
const NO_VALUES = /Range contained no values|Dimension label is empty/;

const label = fc.record({
  dimension: fc.constantFrom(0, 0, 1),
  datatype: fc.constantFrom(...LABEL_TYPES),
  order: fc.constantFrom("increasing", "decreasing"),
});
type Label = typeof label extends fc.Arbitrary<infer T> ? T : never;

/** A write of one label over part of its dimension; most shifts are none, and fit what is there. */
const write = fc.record({
  label: fc.nat(1),
  ends: fc.tuple(fc.nat(99), fc.nat(99)),
  shift: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, -4),
});
const range = fc.tuple(fc.integer({ min: -3, max: 63 }), fc.nat(30));
const query = fc.record({
  ranges: fc.tuple(fc.array(range, { minLength: 1, maxLength: 3 }), fc.option(range)),
  second: fc.boolean(),
  timestamp: fc.integer({ min: 1, max: 6 }),
});
const cases = fc.record({
  sparse: fc.boolean(),
  rowType: fc.constantFrom("int32" as const, "uint8" as const, "int64" as const, "datetime_day" as const),
  labels: fc.tuple(label, label),
  parts: fc.constantFrom("whole", "halves", "hole"),
  writes: fc.array(write, { maxLength: 3 }),
  queries: fc.array(query, { minLength: 1, maxLength: 4 }),
});

const isText = (datatype: Datatype) => datatype === "string_ascii";
const sizeOf = ({ dimension }: Label) => (dimension === 0 ? ROWS : COLUMNS);
const widthOf = (datatype: Datatype) => datatypeInfo(datatype).bytes;

/** Every third number, or a text for it. */
function labelOf(datatype: Datatype, n: number): Coordinate {
  if (isText(datatype)) return `${String.fromCharCode(97 + Math.floor((n + 60) / 10))}${(n + 60) % 10}`;
  if (datatypeInfo(datatype).kind === "float") return n / 4;
  return widthOf(datatype) === 8 ? BigInt(n) : n;
}

function bytesOf(datatype: Datatype, value: Coordinate): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  const one = new (datatypeInfo(datatype).array)(1);
  one[0] = value;
  return new Uint8Array(one.buffer);
}

function columnOf(datatype: Datatype, values: readonly Coordinate[]): WireColumn {
  const parts = values.map((value) => bytesOf(datatype, value));
  if (isText(datatype)) return toWireColumn(varColumn(datatype, parts));
  return { values: Uint8Array.from(parts.flatMap((part) => [...part])) };
}

/** The labels of positions `from` to `to`: never below 0 for types that have nothing there. */
function labelsOf({ datatype, order, ...rest }: Label, from: number, to: number, shift: number) {
  const last = sizeOf({ datatype, order, ...rest }) - 1;
  return Array.from({ length: to - from + 1 }, (_, i) => {
    const position = order === "increasing" ? from + i : last - from - i;
    return labelOf(datatype, Math.max(0, 3 * position + 4 + shift));
  });
}

/**
 * Whether the official library tells exactly what is out of order: it looks at the edges of each write, and takes the wrong
 * cell for falling labels and where several writes overlap.
 */
function isExact(labels: readonly Label[], parts: string, writes: readonly { shift: number }[]): boolean {
  if (writes.length === 0) return true;
  if (parts !== "whole" || writes.length > 1) return false;
  return writes[0]!.shift === 0 || labels.every(({ order }) => order === "increasing");
}

describe.skipIf(!hasPython)("label ranges", () => {
  it("find what the official library finds, and are refused with it", {
    timeout: patience(120_000),
  }, async () => {
    const call = (name: string, args: Readonly<Record<string, unknown>>) => askTwice("reference", name, args);
    const seen = { cells: 0, none: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ sparse, rowType, labels, parts, writes, queries }) => {
        const uri = join(await temporaryFolder(), "array");
        const wide = rowType === "int64" || rowType === "datetime_day";
        const row = (n: number) => (wide ? { integer: String(n) } : n);
        const dimensions = [
          { name: "r", datatype: rowType, domain: [row(0), row(ROWS - 1)], tileExtent: row(6) },
          { name: "c", datatype: rowType, domain: [row(0), row(COLUMNS - 1)], tileExtent: row(2) },
        ];
        const places = Array.from({ length: ROWS * COLUMNS }, (_, i) => i);
        const indexes = (list: readonly number[]) =>
          columnOf(
            rowType,
            list.map((n) => (wide ? BigInt(n) : n)),
          );
        const coordinates = {
          r: indexes(places.map((i) => Math.floor(i / COLUMNS))),
          c: indexes(places.map((i) => i % COLUMNS)),
        };
        const cells = { a: columnOf("int32", places), ...(sparse && coordinates) };
        const box = [
          [row(0), row(ROWS - 1)],
          [row(0), row(COLUMNS - 1)],
        ];
        const schema = {
          arrayType: sparse ? "sparse" : "dense",
          dimensions,
          attributes: [{ name: "a", datatype: "int32" }],
          labels: labels.map((one, i) => ({ ...one, name: `l${i}` })),
        };
        const first = { cells, timestamp: 1, ...(!sparse && { subarray: box }) };
        await call("write_array", { uri, schema, fragments: [first] });
        // Labels lie in arrays of their own, to which the official library writes like to any.
        const put = async (number: number, from: number, to: number, shift: number, timestamp: number) => {
          const one = labels[number]!;
          const ends = [row(from), row(to)];
          await call("write_cells", {
            uri: `${uri}/__labels/l${number}`,
            cells: { label: columnOf(one.datatype, labelsOf(one, from, to, shift)) },
            subarray: [ends],
            timestamp,
          });
        };
        for (const [number, one] of labels.entries()) {
          const last = sizeOf(one) - 1;
          const middle = parts === "whole" ? last : Math.floor(last / 2);
          await put(number, 0, middle, 0, 1);
          if (middle < last) await put(number, middle + (parts === "hole" ? 2 : 1), last, 0, 2);
        }
        for (const [t, { label: number, ends, shift }] of writes.entries()) {
          const size = sizeOf(labels[number]!);
          const [from, to] = ends.map((end) => end % size).sort((a, b) => a - b) as [number, number];
          await put(number, from, to, shift, 3 + t);
        }
        const asked = queries.map(({ ranges: [some, other], second, timestamp }) => {
          const both = second && other !== null && labels[0].dimension !== labels[1].dimension;
          const wanted: [number, readonly (readonly [number, number])[]][] = [[0, some]];
          if (both) wanted.push([1, [other]]);
          const ends = wanted.map(([number, list]) => {
            const { datatype } = labels[number]!;
            const clip = (n: number) => labelOf(datatype, Math.max(0, n));
            return [`l${number}`, list.map(([low, more]) => [clip(low), clip(low + more)] as const)] as const;
          });
          const free = labels[0].dimension === 0 ? "c" : "r";
          const plain = !both && other !== null ? { [free]: [1, 3] as const } : {};
          return { ends, plain, timestamp };
        });
        const wire = asked.map(({ ends, plain, timestamp }) => ({
          labels: Object.fromEntries(
            ends.map(([name, list]) => {
              const { datatype } = labels[Number(name[1])]!;
              const raw = list.map((pair) => pair.map((end) => bytesOf(datatype, end)));
              return [name, { var: isText(datatype), ranges: raw }];
            }),
          ),
          ranges: Object.fromEntries(Object.entries(plain).map(([name, ends]) => [name, [ends.map(row)]])),
          timestamp,
        }));
        const answers = fromWire(await call("labelled_cells", { uri, queries: wire })) as (
          | Record<string, Uint8Array>
          | string
        )[];
        for (const [i, answer] of answers.entries()) {
          const { ends, plain, timestamp } = asked[i]!;
          const array = await openArray(uri, { timestamp });
          const ranges = Object.fromEntries(
            Object.entries(plain).map(([name, [low, high]]) => [
              name,
              [wide ? ([BigInt(low), BigInt(high)] as const) : ([low, high] as const)],
            ]),
          );
          const reading = array.read({
            labelRanges: Object.fromEntries(ends),
            ranges,
            dimensions: ["r", "c"],
          });
          const outcome = await reading.then(
            ({ columns }) => columns,
            (error: unknown) => error,
          );
          const refusesToo = typeof answer === "string" && !NO_VALUES.test(answer);
          if (!isExact(labels, parts, writes) && (refusesToo || outcome instanceof Error)) continue;
          if (refusesToo) {
            expect(outcome, answer).toMatchObject({ code: "FORMAT" });
            seen.refused++;
            continue;
          }
          if (outcome instanceof Error) {
            // Of two labels one may have no such values, and the other be out of order.
            expect({ answer, labels: ends.length, outcome }).toMatchObject({
              answer: expect.stringMatching(NO_VALUES),
              labels: 2,
              outcome: { code: "FORMAT" },
            });
            continue;
          }
          const columns = outcome as Record<string, Column>;
          const column = columns.a!;
          if (column.kind !== "fixed") throw new Error("expected numbers");
          const ours = Array.from(column.values, Number);
          if (typeof answer === "string") {
            // The official library throws as soon as one of the ranges has no label.
            if (ends.every(([, list]) => list.length === 1)) expect(ours).toEqual([]);
            seen.none++;
            continue;
          }
          const theirs = new Int32Array(answer.a!.slice().buffer);
          // It gives the cells of each range one after the other, and those of overlapping ranges twice.
          expect(ours).toEqual([...new Set(theirs)].sort((a, b) => a - b));
          seen.cells++;
        }
      }),
      { numRuns: runs(40, 1000), endOnFailure: true },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });
});
