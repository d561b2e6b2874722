import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  consolidate,
  createArray,
  openArray,
  type QueryCondition,
  type SchemaInput,
  type TileDBArray,
  vacuum,
  writeDense,
  writeSparse,
} from "../../src/tiledb-node.js";
import { type ArrayCase, denseCase, type Query, sparseCase } from "../support/arbitraries.js";
import { type JsonCell, jsonRows } from "../support/cells-json.js";
import { patience, runs } from "../support/property.js";
import { hasPython, isCrash, type Peer, pythonPeer } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";
import { fromWire, fromWireColumn, toWireColumns, type WireColumn } from "../support/wire.js";

/**
 * The same array written by the official library and by us, read by both: four answers to every query, all the same.
 * What the official library reads of its own array is the judge.
 */

/** The core's default takes a second to clear its buffers. */
const SMALL_BUFFERS = { "sm.consolidation.buffer_size": "1000000" };

type Row = Record<string, JsonCell>;

async function writeOurs(uri: string, { schema, fragments }: ArrayCase): Promise<void> {
  await createArray(uri, schema);
  for (const { cells, box, timestamp } of fragments) {
    if (box === undefined) await writeSparse(uri, cells, { timestamp });
    else await writeDense(uri, box, cells, { timestamp });
  }
}

/**
 * The official library's own answer about its own array. Cases that it cannot write or read itself say nothing about us
 * and are drawn again: text cells that are all empty, through some filters; and with ranges on two dimensions at an
 * earlier time, a consolidated array can crash it, at once or a call later.
 */
async function judgeBy<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    fc.pre(!/CoreError|peer ended with SIG|peer has ended/.test(String(error)));
    throw error;
  });
}

/** How many cases ended because the official library crashed while it read what we wrote. */
let crashes = 0;

/**
 * A crash may come a call after the one that spoilt the memory, so one of them says nothing about the array that was
 * read then; many would.
 */
async function orCrash<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    const hasCrashed = isCrash(error);
    if (hasCrashed) crashes++;
    fc.pre(!hasCrashed);
    throw error;
  });
}

/** Null where the official library refuses the query: several ranges in global order. */
async function answerOf<T>(answer: Promise<T>): Promise<T | null> {
  return judgeBy(
    answer.catch((error: unknown) => {
      if (String(error).includes("CoreError")) return null;
      throw error;
    }),
  );
}

/**
 * Whether the official library's answer can be judge: in dense arrays its null tests look at other cells where what it
 * copies does not begin at a tile's border and lies in another order than the tile's cells.
 */
function isFair({ arrayType, cellOrder = "row-major" }: SchemaInput, { order, condition }: Query): boolean {
  if (arrayType === "sparse" || order === "global" || order === cellOrder) return true;
  return condition === undefined || !hasNullTest(condition);
}

function hasNullTest(condition: QueryCondition): boolean {
  if (condition.kind === "not") return hasNullTest(condition.operand);
  return "operands" in condition ? condition.operands.some(hasNullTest) : condition.kind === "null";
}

async function writeTheirs(peer: Peer, uri: string, { schema, fragments }: ArrayCase): Promise<void> {
  await peer.call("write_array", {
    uri,
    schema,
    fragments: fragments.map(({ cells, box, timestamp }) => ({
      cells: toWireColumns(cells),
      timestamp,
      ...(box === undefined ? {} : { subarray: box }),
    })),
  });
}

async function readOurs(uri: string, query: Query): Promise<Row[]> {
  const { timestamp, ranges, order, condition } = query;
  const array = await openArray(uri, timestamp === undefined ? {} : { timestamp });
  return jsonRows(await array.read({ ranges, order, ...(condition !== undefined && { condition }) }));
}

async function readTheirs(peer: Peer, uri: string, schema: SchemaInput, query: Query): Promise<Row[]> {
  const { timestamp, ranges, order, condition } = query;
  const layout = order === "global" ? "global-order" : order;
  const answer = fromWire(
    await peer.call("read_array", {
      uri,
      ranges,
      order: layout,
      timestamp: timestamp ?? null,
      condition: condition ?? null,
    }),
  );
  const { cellCount, columns } = answer as { cellCount: number; columns: Record<string, WireColumn> };
  const fields = [...(schema.arrayType === "sparse" ? schema.dimensions : []), ...schema.attributes];
  const converted = fields.map((field) => {
    const number = "cellValNum" in field ? field.cellValNum : 1;
    const cellValNum = typeof number === "number" ? number : 1;
    return [field.name, fromWireColumn(columns[field.name]!, field.datatype, cellValNum)] as const;
  });
  return jsonRows({ cellCount, columns: Object.fromEntries(converted), shape: null });
}

/**
 * In the order asked for. Cells that share coordinates may come in any order, so of arrays with such the places are
 * compared in order and the cells sorted.
 */
function comparable(rows: readonly Row[], schema: SchemaInput, { order }: Query): string[] {
  const lines = rows.map((row) => JSON.stringify(row));
  if (order === "unordered") return lines.sort();
  if (schema.allowsDuplicates !== true) return lines;
  const places = rows.map((row) => schema.dimensions.map(({ name }) => JSON.stringify(row[name])).join());
  return [...places, ...lines.sort()];
}

async function check(peer: Peer, drawn: ArrayCase): Promise<void> {
  const { schema, queries } = drawn;
  const folder = await keptFolder();
  try {
    const [ours, theirs] = [join(folder.path, "ours"), join(folder.path, "theirs")];
    await judgeBy(writeTheirs(peer, theirs, drawn));
    await writeOurs(ours, drawn);
    const judged: (string[] | null)[] = [];
    for (const query of queries) {
      const asked = isFair(schema, query) ? readTheirs(peer, theirs, schema, query) : Promise.resolve(null);
      const rows = await answerOf(asked);
      const expected = rows === null ? null : comparable(rows, schema, query);
      judged.push(expected);
      if (expected === null) continue;
      expect(comparable(await readOurs(theirs, query), schema, query), "we read theirs").toEqual(expected);
      expect(
        comparable(await orCrash(readTheirs(peer, ours, schema, query)), schema, query),
        "they read ours",
      ).toEqual(expected);
      expect(comparable(await readOurs(ours, query), schema, query), "we read ours").toEqual(expected);
    }
    fc.pre(judged.some((one) => one !== null));
    await judgeBy(peer.call("consolidate", { uri: theirs, config: SMALL_BUFFERS }));
    await orCrash(peer.call("vacuum", { uri: theirs }));
    await judgeBy(checkConsolidated(peer, drawn, theirs, judged));
    await consolidate(ours);
    await vacuum(ours);
    await orCrash(checkConsolidated(peer, drawn, ours, judged));
  } finally {
    await folder.remove();
  }
}

/** After consolidation the newest state is the same; of dense arrays older ones are gone. */
async function checkConsolidated(
  peer: Peer,
  { schema, queries }: ArrayCase,
  uri: string,
  judged: readonly (readonly string[] | null)[],
): Promise<void> {
  for (const [q, query] of queries.entries()) {
    if (judged[q] === null) continue;
    if (query.timestamp !== undefined && schema.arrayType === "dense") continue;
    const official = comparable(await readTheirs(peer, uri, schema, query), schema, query);
    expect(official, `they read ${uri} consolidated`).toEqual(judged[q]);
    const found = comparable(await readOurs(uri, query), schema, query);
    expect(found, `we read ${uri} consolidated`).toEqual(judged[q]);
  }
}

/** Shrinking ends in time to report the case and its seed. */
function limits(normal: number, long: number) {
  return { numRuns: runs(normal, long), interruptAfterTimeLimit: patience(100_000) };
}

describe.skipIf(!hasPython)("arrays exchanged with the official library", () => {
  const properties = [
    ["sparse", sparseCase],
    ["dense", denseCase],
  ] as const;

  it.each(properties)(
    "%s: both read what either wrote",
    async (_name, arbitrary) => {
      await fc.assert(
        fc.asyncProperty(arbitrary, async (drawn) => check(await pythonPeer(), drawn)),
        limits(150, 3000),
      );
      expect(crashes).toBeLessThanOrEqual(runs(3, 30));
    },
    patience(120_000),
  );

  it.each(properties)(
    "%s: schemas that we write say the same as theirs",
    async (_name, arbitrary) => {
      const peer = await pythonPeer();
      await fc.assert(
        fc.asyncProperty(arbitrary, async (drawn) => {
          const folder = await keptFolder();
          try {
            const [ours, theirs] = [join(folder.path, "ours"), join(folder.path, "theirs")];
            await judgeBy(peer.call("create_array", { uri: theirs, schema: drawn.schema }));
            await createArray(ours, drawn.schema);
            const expected = await peer.call("array_info", { uri: theirs });
            expect(await peer.call("array_info", { uri: ours })).toEqual(expected);
            const [a, b]: TileDBArray[] = [await openArray(ours), await openArray(theirs)];
            expect(a!.schema).toEqual(b!.schema);
          } finally {
            await folder.remove();
          }
        }),
        limits(60, 2000),
      );
    },
    patience(120_000),
  );
});
