import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CellarrError, openArray, type TileDBArray } from "../../src/tiledb-node.js";
import { type JsonCell, jsonCells } from "../support/cells-json.js";
import { hasPython, type Peer, pythonPeer } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";
import { cases, others } from "./condition-cases.js";

/** Query conditions: the same cells as TileDB-Py gives, case by case of its own tests. */

interface Answer {
  readonly columns?: Readonly<Record<string, JsonCell[]>>;
  readonly error?: string;
}

const shown = (cell: JsonCell): JsonCell => (typeof cell === "string" ? cell.replace(/\0+$/, "") : cell);

async function ourAnswer(array: TileDBArray, condition: string): Promise<Answer> {
  try {
    const { columns, cellCount } = await array.read({ condition });
    const cells = Object.entries(columns).map(([name, column]) => [
      name,
      jsonCells(column, cellCount).map(shown),
    ]);
    return { columns: Object.fromEntries(cells) };
  } catch (problem) {
    if (problem instanceof CellarrError) return { error: problem.message };
    throw problem;
  }
}

describe.skipIf(!hasPython)("conditions keep the cells that TileDB-Py keeps", () => {
  const folders = new Map<string, Promise<string>>();
  let peer: Peer;
  let root: { path: string; remove: () => Promise<void> };

  beforeAll(async () => {
    peer = await pythonPeer();
    root = await keptFolder();
  }, 60_000);
  afterAll(() => root.remove());

  /** Each array is written once, at its first case. */
  function arrayNamed(name: string): Promise<string> {
    let made = folders.get(name);
    if (made === undefined) {
      const uri = join(root.path, name.replaceAll(" ", "-"));
      made = peer.call("make_condition_array", { uri, name }).then(() => uri);
      folders.set(name, made);
    }
    return made;
  }

  async function theirAnswers(uri: string, conditions: readonly string[]): Promise<Answer[]> {
    return (await peer.call("query_conditions", { uri, conditions })) as Answer[];
  }

  const named = cases.flatMap((one) => one.arrays.map((array) => [one.from, array, one.conditions] as const));

  it.each(named)("%s on %s", { timeout: 60_000 }, async (_, name, conditions) => {
    const uri = await arrayNamed(name);
    const theirs = await theirAnswers(uri, conditions);
    const array = await openArray(uri);
    const differences: unknown[] = [];
    for (const [i, condition] of conditions.entries()) {
      const ours = await ourAnswer(array, condition);
      const same =
        ours.columns === undefined || theirs[i]!.columns === undefined
          ? ours.columns === theirs[i]!.columns
          : equal(ours.columns, theirs[i]!.columns);
      if (!same) differences.push({ condition, ours, theirs: theirs[i] });
    }
    expect(differences).toEqual([]);
  });

  it.each(others)("on %s: %s as %s", async (name, condition, same) => {
    const uri = await arrayNamed(name);
    const array = await openArray(uri);
    const [answered] = await theirAnswers(uri, [same]);
    expect(await ourAnswer(array, condition)).toEqual(answered);
  });

  it("quotes that Python's repr puts around any text", async () => {
    const uri = await arrayNamed("uidsa sparse");
    const literals = (await peer.call("repr_of_values", { uri, attribute: "UTF" })) as string[];
    const conditions = literals.map((literal) => `UTF == ${literal}`);
    const theirs = await theirAnswers(uri, conditions);
    const array = await openArray(uri);
    for (const [i, condition] of conditions.entries()) {
      const ours = await ourAnswer(array, condition);
      expect(ours.columns?.UTF).toHaveLength(1);
      expect(ours).toEqual(theirs[i]);
    }
    expect(literals).toHaveLength(10);
  });
});

function equal(a: NonNullable<Answer["columns"]>, b: NonNullable<Answer["columns"]>): boolean {
  const names = Object.keys(b).sort();
  if (Object.keys(a).sort().join() !== names.join()) return false;
  return names.every(
    (name) => a[name]!.length === b[name]!.length && a[name]!.every((x, i) => Object.is(x, b[name]![i])),
  );
}
