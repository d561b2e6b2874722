import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOfBytes } from "../../src/format/text-bytes.js";
import { type Column, openArray, type QueryCondition } from "../../src/tiledb-node.js";
import { columnOf, varColumn } from "../support/cell-values.js";
import { runs } from "../support/property.js";
import { askTwice, hasPython, isCrash, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { fromWire, toWireColumns } from "../support/wire.js";

/** Conditions on attributes of every kind of cell: what the official library finds, and what it refuses. */

const texts = ["aa", "ab", "ba", "bb", "\u00e9", "a\0", "zz", "B\0", "\u0414", "aA", "\0b", "ab"].map(
  (text) => new TextEncoder().encode(text),
);
const valid = Uint8Array.from(texts, (_, i) => (i % 4 === 2 ? 0 : 1));
const textTypes = ["char", "string_ascii", "string_utf8"] as const;
const fixedOf = (datatype: (typeof textTypes)[number], cellValNum: number): Column => {
  const values = Uint8Array.from(texts.flatMap((text) => [...text.subarray(0, cellValNum)]));
  return { kind: "fixed", datatype, cellValNum, values };
};
const others = [
  ...(["int32", "uint8", "float64", "bool", "datetime_ns", "blob", "string_utf16"] as const).map(
    (datatype) => ({ datatype, cellValNum: 2 }) as const,
  ),
  ...(["blob", "string_utf16", "string_ucs4", "geom_wkb"] as const).map(
    (datatype) => ({ datatype, cellValNum: 1 }) as const,
  ),
  ...(["int32", "blob", "string_utf16"] as const).map(
    (datatype) => ({ datatype, cellValNum: "var" }) as const,
  ),
];

const attributes: { name: string; datatype: string; cellValNum: number | "var"; nullable?: boolean }[] = [
  { name: "key", datatype: "int32", cellValNum: 1 },
];
const cells: Record<string, Column> = {};
for (const datatype of textTypes) {
  for (const cellValNum of [1, 2, "var"] as const) {
    for (const nullable of [false, true]) {
      const name = `${datatype} ${cellValNum}${nullable ? " null" : ""}`;
      const column = cellValNum === "var" ? varColumn(datatype, texts) : fixedOf(datatype, cellValNum);
      attributes.push({ name, datatype, cellValNum, nullable });
      cells[name] = nullable ? { ...column, validity: valid } : column;
    }
  }
}
const comparable = attributes.slice(1).map(({ name }) => name);
for (const { datatype, cellValNum } of others) {
  for (const nullable of [false, true]) {
    const name = `${datatype} ${cellValNum}${nullable ? " null" : ""}`;
    attributes.push({ name, datatype, cellValNum, nullable });
    const shape = { datatype, cellValNum, nullable: false };
    const column = columnOf(shape, [...texts.keys()]);
    cells[name] = nullable ? { ...column, validity: valid } : column;
  }
}
const indexes = Int32Array.from(texts.keys());
cells.d = cells.key = { kind: "fixed", datatype: "int32", cellValNum: 1, values: indexes };
const schema = {
  arrayType: "sparse",
  capacity: 3,
  dimensions: [{ name: "d", datatype: "int32", domain: [0, 99], tileExtent: 10 }],
  attributes,
};

/** As the official library takes it. */
interface Asked {
  readonly field: string;
  readonly op: "<" | "<=" | ">" | ">=" | "==" | "!=" | "in" | "not in";
  readonly value?: Uint8Array;
  readonly values?: readonly Uint8Array[];
}

function asCondition({ field, op, value, values }: Asked): QueryCondition {
  if (op === "in" || op === "not in") {
    return { kind: "in", field, values: values!.map(textOfBytes), negated: op === "not in" };
  }
  if (value === undefined) return { kind: "null", field, negated: op === "!=" };
  return { kind: "compare", field, op, value: textOfBytes(value) };
}

const bytes = fc.oneof(
  fc.constantFrom(...texts),
  fc.array(fc.constantFrom(0, 0x41, 0x61, 0x62, 0x7f, 0xc3, 0xff), { maxLength: 3 }).map((list) => {
    return Uint8Array.from(list);
  }),
);
const operators = ["<", "<=", ">", ">=", "==", "!="] as const;
const asked: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({ field: fc.constantFrom(...comparable), op: fc.constantFrom(...operators), value: bytes }),
  fc
    .record({
      field: fc.constantFrom(...comparable),
      op: fc.constantFrom("in" as const, "not in" as const),
      values: fc.array(bytes, { minLength: 1, maxLength: 4 }),
    })
    .filter(({ values }) => values.some((one) => one.byteLength > 0)),
);

/** Conditions of one call: now and then one of them spoils the official library's memory, and with it the rest. */
const BATCH = 25;

/** The official library's answers; null where it crashed, twice. */
async function answersOf(uri: string, conditions: readonly Asked[]): Promise<(number[] | string | null)[]> {
  try {
    const asked = { uri, conditions, key: "key" };
    return fromWire(await askTwice("reference", "matching_cells", asked)) as (number[] | string)[];
  } catch (error) {
    if (!isCrash(error)) throw error;
    return conditions.map(() => null);
  }
}

describe.skipIf(!hasPython)("conditions on cells of every kind", () => {
  it("find what the official library finds, and are refused where it refuses", async () => {
    const peer = await pythonPeer();
    const uri = join(await temporaryFolder(), "array");
    await peer.call("write_array", { uri, schema, fragments: [{ cells: toWireColumns(cells) }] });
    const array = await openArray(uri);
    const found = async (one: Asked): Promise<unknown> => {
      const { columns } = await array.read({
        condition: asCondition(one),
        attributes: ["key"],
        dimensions: [],
      });
      if (columns.key?.kind !== "fixed") throw new Error("no keys");
      return Array.from(columns.key.values as Int32Array).sort((a, b) => a - b);
    };
    const list: Asked[] = fc.sample(asked, runs(300, 5000));
    for (const { name } of attributes) {
      list.push({ field: name, op: "==" }, { field: name, op: "!=" });
      const isText = name === "key" || comparable.includes(name);
      if (isText) continue;
      // Of those a comparison with anything is refused.
      list.push({ field: name, op: "==", value: Uint8Array.of(1, 0, 0, 0) });
      list.push({ field: name, op: "in", values: [Uint8Array.of(1, 0, 0, 0)] });
    }
    const theirs: (number[] | string | null)[] = [];
    for (let at = 0; at < list.length; at += BATCH) {
      theirs.push(...(await answersOf(uri, list.slice(at, at + BATCH))));
    }
    expect(theirs.filter((one) => one === null).length).toBeLessThan(theirs.length / 4);
    let refused = 0;
    for (const [i, answer] of theirs.entries()) {
      const one = list[i]!;
      if (answer === null) continue;
      if (typeof answer === "string") {
        const code = expect.stringMatching(/^(ARGUMENT|UNSUPPORTED)$/);
        await expect(found(one), answer).rejects.toMatchObject({ code });
        refused++;
      } else expect(await found(one), JSON.stringify(one)).toEqual(answer.sort((a, b) => a - b));
    }
    expect(refused).toBeGreaterThan(2 * others.length);
  });
});
