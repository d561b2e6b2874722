import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createArray,
  type Datatype,
  datatypeInfo,
  type FieldAggregates,
  openArray,
  writeDense,
  writeSparse,
} from "../../src/tiledb-node.js";
import { type ArrayCase, denseCase, type Query, sparseCase } from "../support/arbitraries.js";
import { patience, runs } from "../support/property.js";
import { hasPython, type Peer, pythonPeer } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";
import { fromWire, toWireColumns } from "../support/wire.js";

/**
 * Aggregates of arrays of all datatypes, in several fragments, with ranges, conditions and times: as the official core
 * has them, where it has them. Where it differs by design of its own is said beside each exception.
 */

type Answer = number | bigint | Uint8Array | string | null | { readonly refused: string };
type Answers = Readonly<Record<"count" | "null_count" | "min" | "max" | "sum" | "mean", Answer>>;

const compared = new Map<string, number>();

function tally(what: string): void {
  compared.set(what, (compared.get(what) ?? 0) + 1);
}

const isRefused = (answer: Answer) => typeof answer === "object" && answer !== null && "refused" in answer;

/** Numbers as they come over the wire; texts as texts. */
function plain(answer: Answer): number | bigint | string | null {
  if (answer instanceof Uint8Array) return new TextDecoder().decode(answer).replace(/\0+$/, "");
  if (answer === "NaN" || answer === "Infinity" || answer === "-Infinity") return Number(answer);
  return answer as number | bigint | string | null;
}

/** No sum of so many values of such a size leaves 64 bits, in whatever order. */
function fits({ count, min, max }: FieldAggregates, unsigned: boolean): boolean {
  const size = (value: unknown) => Math.abs(Number(value));
  return count * Math.max(size(min), size(max)) < (unsigned ? 2 ** 63.9 : 2 ** 62.9);
}

function expectClose(ours: number, theirs: number, scale: number, what: string): void {
  if (!Number.isFinite(ours) || !Number.isFinite(theirs)) expect(ours, what).toEqual(theirs);
  else expect(Math.abs(ours - theirs), what).toBeLessThanOrEqual(1e-12 * scale);
}

function compareField(
  attribute: { readonly datatype: Datatype; readonly nullable?: boolean },
  ours: FieldAggregates,
  theirs: Answers,
  dense: boolean,
) {
  const { datatype, nullable = false } = attribute;
  const { kind, name } = datatypeInfo(datatype);
  if (!nullable) expect([ours.nullCount, isRefused(theirs.null_count)]).toEqual([0, true]);
  // Of attributes without mins it fails where it asks a tile's statistics.
  else if (!isRefused(theirs.null_count)) expect(ours.nullCount, "null count").toBe(theirs.null_count);
  tally("null_count");
  const isFloat = kind === "float";
  // NaN makes the core forget what came before it, or is forgotten; an infinity in a sum is an overflow to it, and stored
  // bounds start from the largest doubles.
  const ends = [ours.min, ours.max].map(Number);
  const isUnfair =
    isFloat && (Number.isNaN(ours.sum) || ends.some((end) => Math.abs(end) === Number.POSITIVE_INFINITY));
  for (const operation of ["min", "max"] as const) {
    if (isRefused(theirs[operation]) || ours.count === 0 || isUnfair) continue;
    const [a, b] = [ours[operation], plain(theirs[operation])];
    const text = typeof a === "string" ? a.replace(/\0+$/, "") : a;
    expect(typeof text === "string" ? text : Number(text) + 0, operation).toEqual(
      typeof b === "string" ? b : Number(b) + 0,
    );
    tally(`${operation} ${name}`);
  }
  if (isRefused(theirs.sum) || ours.count === 0 || isUnfair) return;
  const [sum, mean] = [plain(theirs.sum), Number(plain(theirs.mean))];
  const scale = ours.count * Math.max(Math.abs(Number(ours.min)), Math.abs(Number(ours.max)));
  if (isFloat) expectClose(Number(ours.sum), Number(sum), scale, "sum");
  // A sum that leaves 64 bits on its way is the type's maximum; ours is exact.
  else if (fits(ours, kind === "uint")) expect(ours.sum, "sum").toBe(BigInt(sum as number));
  else return;
  tally(`sum ${name}`);
  // Of tiles that are written in part the core counts all cells: the mean of those is too small.
  if (!dense) expectClose(ours.mean!, mean, scale / ours.count, "mean");
}

async function writeTheirs(peer: Peer, uri: string, { schema, fragments }: ArrayCase): Promise<void> {
  const written = fragments.map(({ cells, box, timestamp }) => ({
    cells: toWireColumns(cells),
    timestamp,
    ...(box === undefined ? {} : { subarray: box }),
  }));
  await peer.call("write_array", { uri, schema, fragments: written });
}

async function writeOurs(uri: string, { schema, fragments }: ArrayCase): Promise<void> {
  await createArray(uri, schema);
  for (const { cells, box, timestamp } of fragments) {
    if (box === undefined) await writeSparse(uri, cells, { timestamp });
    else await writeDense(uri, box, cells, { timestamp });
  }
}

/** Cases that the official library cannot write or answer itself say nothing about us. */
async function judged<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    fc.pre(!/CoreError|peer ended with SIG|peer has ended/.test(String(error)));
    throw error;
  });
}

async function check(peer: Peer, drawn: ArrayCase, byUs: boolean): Promise<void> {
  const { schema } = drawn;
  const folder = await keptFolder();
  try {
    const uri = join(folder.path, "array");
    await (byUs ? writeOurs(uri, drawn) : judged(writeTheirs(peer, uri, drawn)));
    const queries = drawn.queries.map(({ ranges, condition, timestamp }: Query) => ({
      ranges,
      condition: condition ?? null,
      timestamp: timestamp ?? null,
    }));
    const answers = fromWire(await judged(peer.call("core_aggregates_of", { uri, queries }))) as Record<
      string,
      Answers
    >[];
    for (const [q, { ranges, condition, timestamp }] of drawn.queries.entries()) {
      const array = await openArray(uri, timestamp === undefined ? {} : { timestamp });
      const dimensions = schema.arrayType === "sparse" ? schema.dimensions : [];
      const { cellCount, fields } = await array.aggregate({
        ranges,
        dimensions: dimensions.map(({ name }) => name),
        ...(condition !== undefined && { condition }),
      });
      for (const attribute of [...dimensions, ...schema.attributes]) {
        // A condition that it does not take.
        if (isRefused(answers[q]![attribute.name]!.count)) continue;
        const theirs = answers[q]![attribute.name]!;
        expect(cellCount, "count").toBe(Number(theirs.count));
        compareField(attribute, fields[attribute.name]!, theirs, schema.arrayType === "dense");
      }
    }
  } finally {
    await folder.remove();
  }
}

describe.skipIf(!hasPython)("aggregates are those of the official core", () => {
  it.each([
    ["sparse", sparseCase],
    ["dense", denseCase],
  ] as const)(
    "of %s arrays",
    async (_, arbitrary) => {
      const options = { numRuns: runs(60, 3000), interruptAfterTimeLimit: patience(100_000) };
      await fc.assert(
        fc.asyncProperty(arbitrary, fc.boolean(), async (drawn, byUs) =>
          check(await pythonPeer(), drawn, byUs),
        ),
        options,
      );
    },
    patience(120_000),
  );

  it("were compared, of many datatypes, in the properties above", () => {
    expect(compared.get("null_count")).toBeGreaterThan(50);
    const sums = [...compared.keys()].filter((what) => what.startsWith("sum"));
    expect(sums.length).toBeGreaterThan(6);
    expect(compared.get("max string_ascii")).toBeGreaterThan(0);
  });
});
