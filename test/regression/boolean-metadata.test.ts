import "../../src/node-platform.js";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createArray } from "../../src/array/write/create.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Booleans used to be written as bool, single values of which TileDB-Py refuses to read: with them all metadata. */

const script = `
import json, sys, tiledb
with tiledb.open(json.load(sys.stdin)) as array:
    print(json.dumps({key: array.meta[key] for key in array.meta.keys()}, default=int))
`;

describe.skipIf(!hasPython)("metadata given as booleans", () => {
  test("are read by the official library", { timeout: 60_000 }, async () => {
    const uri = join(await temporaryFolder(), "array");
    const dimension = { name: "x", datatype: "int32", domain: [0, 9] } as const;
    await createArray(uri, { arrayType: "sparse", dimensions: [dimension], attributes: [] });
    await putMetadata(uri, { yes: true, no: false, text: "a" });
    expect(await runPython(script, uri, "newest")).toEqual({ yes: 1, no: 0, text: "a" });
  });
});
