import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EncryptionError } from "../../src/errors.js";
import {
  listObjects,
  readDataFrame,
  readGroup,
  type WalkOptions,
  walkObjects,
} from "../../src/tiledb-node.js";
import { hasPython, runPython } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

const encryptionKey = "0123456789abcdef0123456789abcdef";

/** An encrypted group that names an encrypted dataframe and a group that is not; the frame is written at two times. */
const SCRIPT = `
import json, os, sys
import pandas as pd
import tiledb
asked = json.load(sys.stdin)
ctx = tiledb.Ctx({"sm.encryption_type": "AES_256_GCM", "sm.encryption_key": asked["key"]})
root = asked["root"] + "/group"
tiledb.Group.create(root, ctx=ctx)
frame = pd.DataFrame({"n": [1, 2, 3], "t": ["a", "naive", ""]})
tiledb.from_pandas(root + "/frame", frame, ctx=ctx, sparse=True, index_dims=["n"], full_domain=True, timestamp=5)
more = pd.DataFrame({"n": [9], "t": ["later"]})
tiledb.from_pandas(root + "/frame", more, ctx=ctx, mode="append", sparse=True, index_dims=["n"], timestamp=7)
tiledb.Group.create(root + "/plain")
with tiledb.Group(root, "w", ctx=ctx) as group:
    group.add("frame", relative=True, name="the frame")
    group.meta["answer"] = 42
with tiledb.open(root + "/frame", ctx=ctx) as array:
    rows = [[int(n), t] for n, t in zip(array[:]["n"], array[:]["t"])]
print(json.dumps(rows))
`;

async function walked(uri: string, options: WalkOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const one of walkObjects(uri, options)) found.push(`${one.type} ${one.name}`);
  return found;
}

describe.skipIf(!hasPython)("encrypted objects of the official library", () => {
  let group: string;
  let rows: unknown;
  let tidy = async () => {};

  beforeAll(async () => {
    const { path: root, remove } = await keptFolder();
    tidy = remove;
    rows = await runPython(SCRIPT, { root, key: encryptionKey });
    group = `${root}/group`;
  }, 60_000);
  afterAll(() => tidy());

  it("a dataframe, at a time too", async () => {
    const table = await readDataFrame(`${group}/frame`, { encryptionKey, order: "row-major" });
    expect(table.toArray().map((row) => [Number(row.n), row.t])).toEqual(rows);
    expect(table.numRows).toBe(4);
    const key = new TextEncoder().encode(encryptionKey);
    const before = await readDataFrame(`${group}/frame`, { encryptionKey: key, timestamp: 6 });
    expect(before.numRows).toBe(3);
    await expect(readDataFrame(`${group}/frame`)).rejects.toThrow(EncryptionError);
    const other = readDataFrame(`${group}/frame`, { encryptionKey: "x".repeat(32) });
    await expect(other).rejects.toThrow(EncryptionError);
  });

  it("a group", async () => {
    const { members, metadata } = await readGroup(group, { encryptionKey });
    expect(members).toEqual([{ uri: "frame", relative: true, name: "the frame", type: "array" }]);
    expect(Number(metadata.get("answer"))).toBe(42);
    await expect(readGroup(group)).rejects.toThrow(EncryptionError);
    await expect(readGroup(`${group}/plain`)).resolves.toMatchObject({ members: [] });
  });

  it("listed and walked: arrays without a key, an encrypted group's members with it", async () => {
    expect((await listObjects(group)).map(({ type, name }) => `${type} ${name}`)).toEqual([
      "array frame",
      "group plain",
    ]);
    expect(await walked(group, {})).toEqual(["array frame", "group plain"]);
    expect(await walked(group, { by: "members", encryptionKey })).toEqual(["array the frame"]);
    await expect(walked(group, { by: "members" })).rejects.toThrow(EncryptionError);
  });
});
