import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, createArray, openArray, type SchemaInput, writeSparse } from "../../src/tiledb-node.js";
import { patience, runs } from "../support/property.js";
import { hasPython, type Peer, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { fromWire, fromWireColumn, type WireColumn } from "../support/wire.js";

/** Histories of writes, deletes and consolidations, read at every time by the official library and by us. */

type Step =
  | { readonly kind: "write"; readonly places: readonly number[] }
  | { readonly kind: "delete"; readonly condition: string }
  | { readonly kind: "consolidate"; readonly purge: boolean; readonly vacuum: boolean };

const condition = fc.oneof(
  fc.tuple(
    fc.constantFrom("a", "d", "n"),
    fc.constantFrom("<", ">=", "==", "!="),
    fc.integer({ min: 0, max: 30 }),
  ),
  fc.tuple(fc.constant("s"), fc.constantFrom("==", ">", "!="), fc.constantFrom("'s1'", "'s4'", "''")),
  fc.tuple(fc.constantFrom("a", "n"), fc.constantFrom("in", "not in"), fc.constantFrom("[1, 4, 9]", "[30]")),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      places: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      condition: fc.oneof(
        condition.map((parts) => parts.join(" ")),
        fc
          .tuple(condition, fc.constantFrom("and", "or"), condition)
          .map(([a, op, b]) => `(${a.join(" ")}) ${op} (${b.join(" ")})`),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("consolidate" as const),
      purge: fc.boolean(),
      vacuum: fc.boolean(),
    }),
  },
);

const schema = (allowsDuplicates: boolean): SchemaInput => ({
  arrayType: "sparse",
  dimensions: [{ name: "d", datatype: "int32", domain: [0, 99], tileExtent: 10 }],
  attributes: [
    { name: "a", datatype: "int32" },
    { name: "n", datatype: "int32", nullable: true },
    { name: "s", datatype: "string_ascii", cellValNum: "var" },
  ],
  capacity: 4,
  allowsDuplicates,
});

async function play(peer: Peer, uri: string, steps: readonly Step[]): Promise<void> {
  for (const [i, one] of steps.entries()) {
    const timestamp = i + 1;
    if (one.kind === "delete") await peer.call("delete_cells", { uri, condition: one.condition, timestamp });
    else if (one.kind === "write") {
      const { places } = one;
      const cells = {
        d: Int32Array.from(places),
        a: Int32Array.from(places, (place) => (place * 7 + timestamp) % 31),
        n: places.map((place) => (place % 3 === 0 ? null : place % 11)),
        s: places.map((place) => (place % 5 === 0 ? "" : `s${place % 5}`)),
      };
      await writeSparse(uri, cells, { timestamp });
    } else {
      const config = {
        "sm.consolidation.buffer_size": "1000000",
        "sm.consolidation.purge_deleted_cells": String(one.purge),
      };
      await peer.call("consolidate", { uri, config }).catch((error: unknown) => {
        // It gives up where deletes have left no cell.
        fc.pre(!String(error).includes("Consolidation read 0 cells"));
        throw error;
      });
      if (one.vacuum) await peer.call("vacuum", { uri });
    }
  }
}

function pairs(d: Column | undefined, a: Column | undefined): string[] {
  if (d?.kind !== "fixed" || a?.kind !== "fixed") throw new Error("expected fixed columns");
  return Array.from({ length: d.values.length }, (_, i) => `${d.values[i]}:${a.values[i]}`).sort();
}

async function cellsByThem(peer: Peer, uri: string, timestamp: number | [number, number]): Promise<string[]> {
  const found = fromWire(await peer.call("read_array", { uri, timestamp })) as {
    columns: Record<string, WireColumn>;
  };
  const column = (name: string) => fromWireColumn(found.columns[name]!, "int32", 1);
  return pairs(column("d"), column("a"));
}

async function cellsByUs(uri: string, timestamp: number | readonly [number, number]): Promise<string[]> {
  const { columns } = await (await openArray(uri, { timestamp })).read();
  return pairs(columns.d, columns.a);
}

describe.skipIf(!hasPython)("deletes", () => {
  it("are seen as the official library sees them, at every time", { timeout: patience(60_000) }, async () => {
    const peer = await pythonPeer();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 8 }),
        fc.boolean(),
        async (steps, duplicates) => {
          const uri = join(await temporaryFolder(), "array");
          await createArray(uri, schema(duplicates));
          await play(peer, uri, [{ kind: "write", places: [1, 2, 3, 5, 8, 13, 21] }, ...steps]);
          const last = steps.length + 1;
          for (let t = 1; t <= last; t++)
            expect(await cellsByUs(uri, t)).toEqual(await cellsByThem(peer, uri, t));
          const window: [number, number] = [2, last];
          expect(await cellsByUs(uri, window)).toEqual(await cellsByThem(peer, uri, window));
        },
      ),
      { numRuns: runs(12, 500) },
    );
  });
});
