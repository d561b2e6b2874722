import { describe, expect, it } from "vitest";
import {
  type RowSelection,
  type Rows,
  resolveRows,
  runsOf,
  slice,
  sortedUnique,
} from "../../src/cellarr/selection.js";

const rows = (count: number, names?: readonly string[]): Rows => ({
  what: "gene",
  count,
  where: "store",
  names: names === undefined ? null : async () => (name) => names.indexOf(name),
  matching: async (condition) => {
    expect(condition).toBe("x == 1");
    return Uint32Array.of(2);
  },
});

const resolve = async (selection: RowSelection, of = rows(5, ["a", "b", "c", "d", "e"])) => [
  ...(await resolveRows(selection, of)),
];

describe("row selections", () => {
  it("takes indices, slices with both ends, lists, masks, names and conditions", async () => {
    expect(await resolve(3)).toEqual([3]);
    expect(await resolve(slice(1, 3))).toEqual([1, 2, 3]);
    expect(await resolve(slice())).toEqual([0, 1, 2, 3, 4]);
    expect(await resolve(slice(3))).toEqual([3, 4]);
    expect(await resolve([4, 0, 4])).toEqual([4, 0, 4]);
    expect(await resolve(Uint16Array.of(1))).toEqual([1]);
    expect(await resolve([true, false, false, true, false])).toEqual([0, 3]);
    expect(await resolve(["d", "a"])).toEqual([3, 0]);
    expect(await resolve("b")).toEqual([1]);
    expect(await resolve("x == 1")).toEqual([2]);
    expect(await resolve([])).toEqual([]);
    expect(await resolve(slice(), rows(0))).toEqual([]);
  });

  it.each([
    [5, "RANGE", "gene 5 does not exist, expected 0 to 4"],
    [-1, "RANGE", "gene -1 does not exist"],
    [slice(0, 5), "RANGE", "gene 5 does not exist"],
    [1.5, "ARGUMENT", "gene 1.5 is not a whole number"],
    [slice(3, 1), "ARGUMENT", "ends before it starts"],
    [[true], "ARGUMENT", "mask has 1 entries, expected 5"],
    [["a", "x", "y"], "NOT_FOUND", "no gene of that name: 'x', 'y'"],
    ["zzz", "NOT_FOUND", "'zzz'"],
  ] as [RowSelection, string, string][])("refuses %j", async (selection, code, message) => {
    await expect(resolve(selection)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [null, "found object"],
    [undefined, "found undefined"],
    [5n, "found bigint"],
    [BigInt64Array.of(1n), "gene 1 is not a whole number"],
    [new DataView(new ArrayBuffer(8)), "found object"],
    [new Set([1]), "found object"],
    [{ kind: "range" }, "found object"],
    [[1, true], "all numbers, all booleans or all names"],
    [slice("0" as unknown as number, 2), "gene 0 is not a whole number"],
  ])("refuses what is no selection: %s", async (selection, message) => {
    await expect(resolve(selection as RowSelection)).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringContaining(message),
    });
  });

  it("refuses names where there are none", async () => {
    await expect(resolve(["a"], rows(5))).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("sorts and runs", () => {
    expect([...sortedUnique(Uint32Array.of(3, 1, 3, 2))]).toEqual([1, 2, 3]);
    expect(runsOf(Uint32Array.of(0, 1, 2, 5, 7, 8))).toEqual([
      [0, 2],
      [5, 5],
      [7, 8],
    ]);
  });
});
