import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Column,
  createArray,
  type Datatype,
  datatypeInfo,
  openArray,
  writeDense,
  writeSparse,
} from "../../src/tiledb-node.js";
import { jsonRows } from "../support/cells-json.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/**
 * Attributes dropped and added again with another type: each pair of types for which the official library reads the
 * old cells without going beyond their tile, as attributes of one array.
 */

interface Kind {
  readonly datatype: Datatype;
  readonly cellValNum?: number | "var";
  readonly nullable?: boolean;
}

const kinds: readonly Kind[] = [
  { datatype: "int8" },
  { datatype: "uint16" },
  { datatype: "int32" },
  { datatype: "int32", nullable: true },
  { datatype: "float32" },
  { datatype: "uint8", cellValNum: 3 },
  { datatype: "int16", cellValNum: 2 },
  { datatype: "float64" },
  { datatype: "datetime_ms", nullable: true },
  { datatype: "string_ascii" },
  { datatype: "string_ascii", nullable: true },
  { datatype: "string_utf8" },
  { datatype: "uint8", cellValNum: "var" },
];

const isVar = ({ datatype, cellValNum }: Kind) => cellValNum === "var" || datatype.startsWith("string");
const cellBytes = (kind: Kind) => datatypeInfo(kind.datatype).bytes * Number(kind.cellValNum ?? 1);

function isDefined(then: Kind, now: Kind): boolean {
  if (isVar(then) !== isVar(now)) return true;
  // The official library wants files of validity that are not there.
  if (now.nullable === true && then.nullable !== true) return false;
  return isVar(now) || cellBytes(now) <= cellBytes(then);
}

const pairs = kinds.flatMap((then) =>
  kinds.filter((now) => now !== then && isDefined(then, now)).map((now) => ({ then, now })),
);

const attributesOf = (which: "then" | "now") => pairs.map((pair, i) => ({ name: `a${i}`, ...pair[which] }));

/** Any bytes, but text that is text. */
function columnOf(kind: Kind, count: number, seed: number): Column {
  const { datatype } = kind;
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  const validity =
    kind.nullable === true ? { validity: Uint8Array.from({ length: count }, (_, i) => (i % 3 ? 1 : 0)) } : {};
  if (isVar(kind)) {
    const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => i * 2);
    return {
      kind: "var",
      datatype,
      offsets,
      data: new Uint8Array(count * 2).map(() => 97 + (next() % 26)),
      ...validity,
    };
  }
  const bytes = new Uint8Array(count * cellBytes(kind)).map(next);
  const values = new (datatypeInfo(datatype).array)(bytes.buffer);
  return { kind: "fixed", datatype, cellValNum: Number(kind.cellValNum ?? 1), values, ...validity };
}

const cellsOf = (which: "then" | "now", count: number, seed: number) =>
  Object.fromEntries(pairs.map((pair, i) => [`a${i}`, columnOf(pair[which], count, seed + i)]));

const EVOLVE = `
import json, sys
from core_schema import evolve
from libtiledb import Core
asked = json.load(sys.stdin)
core = Core()
evolve(core, asked["uri"], drop=[a["name"] for a in asked["attributes"]])
evolve(core, asked["uri"], add=asked["attributes"])
core.close()
print("null")
`;

const READ = `
import json, sys
from content import cells_json
import numpy as np
import tiledb
asked = json.load(sys.stdin)
found = {"cells": cells_json(asked["uri"]), "conditions": []}
if asked["conditions"]:
    with tiledb.open(asked["uri"]) as array:
        for condition in asked["conditions"]:
            found["conditions"].append(np.sort(array.query(cond=condition, attrs=["k"])[:]["k"]).tolist())
print(json.dumps(found))
`;

interface Found {
  readonly cells: unknown[];
  readonly conditions: number[][];
}

describe.skipIf(!hasPython)("attributes that were added again with another type", () => {
  it.each(["sparse", "dense"] as const)(
    "of %s arrays are read as TileDB-Py reads them",
    async (arrayType) => {
      expect(pairs.length).toBeGreaterThan(90);
      const uri = join(await temporaryFolder(), "array");
      const k = { name: "k", datatype: "int32" } as const;
      await createArray(uri, {
        arrayType,
        ...(arrayType === "sparse" && { capacity: 5 }),
        dimensions: [{ name: "d", datatype: "int32", domain: [0, 19], tileExtent: 5 }],
        attributes: [k, ...attributesOf("then")],
      });
      const put = async (which: "then" | "now", from: number, count: number) => {
        const d = Int32Array.from({ length: count }, (_, i) => from + i);
        const cells = {
          k: d.map((value) => value * 10 + (which === "now" ? 1 : 0)),
          ...cellsOf(which, count, from + 1),
        };
        if (arrayType === "sparse") await writeSparse(uri, { d, ...cells });
        else await writeDense(uri, [[from, from + count - 1]], cells);
      };
      await put("then", 0, 12);
      await runPython(EVOLVE, { uri, attributes: attributesOf("now") });
      await put("now", 10, 5);

      const asked = arrayType === "dense" ? [] : conditions();
      const expected = (await runPython(READ, { uri, conditions: asked })) as Found;
      const array = await openArray(uri);
      const found = jsonRows(await array.read({ dimensions: ["d"] }));
      expect(found).toEqual(expected.cells);
      expect(found).toHaveLength(15);
      for (const [i, condition] of asked.entries()) {
        const { columns } = await array.read({ condition, attributes: ["k"] });
        const column = columns.k!;
        const matching = column.kind === "fixed" ? Array.from(column.values, Number) : [];
        expect([condition, matching.sort((a, b) => a - b)]).toEqual([condition, expected.conditions[i]]);
      }
    },
  );
});

/** On numbers, then and now of as many bytes and never null: with others the official library looks elsewhere, or crashes. */
function conditions(): string[] {
  return pairs.flatMap(({ then, now }, i) => {
    if (isVar(then) || isVar(now) || then.nullable === true || now.nullable === true) return [];
    if (then.cellValNum !== undefined || now.cellValNum !== undefined) return [];
    if (cellBytes(then) !== cellBytes(now)) return [];
    return [`a${i} > 1`, `a${i} != 3`];
  });
}
