import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createArray, openArray, writeSparse } from "../../src/tiledb-node.js";
import { jsonRows } from "../support/cells-json.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Updates, which the official library writes if it is told to allow them, through its C API. */
const SCRIPT = `
import json, os, sys
from ctypes import byref, c_int, c_int32, c_uint64, c_void_p
from content import cells_json
from libtiledb import _lib
uri = json.load(sys.stdin)
context, config, error, array, query, condition = (c_void_p() for _ in range(6))
def call(name, *arguments):
    if getattr(_lib, "tiledb_" + name)(*arguments) != 0:
        raise RuntimeError(name)
call("config_alloc", byref(config), byref(error))
call("config_set", config, b"sm.allow_updates_experimental", b"true", byref(error))
call("ctx_alloc", config, byref(context))
UPDATE = c_int(3)
call("array_alloc", context, uri.encode(), byref(array))
call("array_set_config", context, array, config)
call("array_open", context, array, UPDATE)
call("query_alloc", context, array, UPDATE, byref(query))
call("query_condition_alloc", context, byref(condition))
four, new = c_int32(4), c_int32(77)
call("query_condition_init", context, condition, b"a", byref(four), c_uint64(4), c_int(2))
call("query_set_condition", context, query, condition)
call("query_add_update_value", context, query, b"k", byref(new), c_uint64(4))
call("query_submit", context, query)
call("array_close", context, array)
commits = sorted(name[-4:] for name in os.listdir(uri + "/__commits"))
print(json.dumps({"commits": commits, "cells": cells_json(uri)}))
`;

describe.skipIf(!hasPython)("updates", () => {
  it("are read as deletes, as the official library does", async () => {
    const uri = join(await temporaryFolder(), "array");
    await createArray(uri, {
      arrayType: "sparse",
      dimensions: [{ name: "d", datatype: "int32", domain: [0, 19] }],
      attributes: [
        { name: "k", datatype: "int32" },
        { name: "a", datatype: "int32" },
      ],
    });
    const d = Int32Array.from({ length: 8 }, (_, i) => i);
    await writeSparse(uri, { d, k: d, a: d }, { timestamp: 1 });
    const { commits, cells } = (await runPython(SCRIPT, uri)) as { commits: string[]; cells: unknown[] };
    expect(commits).toEqual([".upd", ".wrt"]);
    expect(cells).toHaveLength(5);
    expect(jsonRows(await (await openArray(uri)).read({ dimensions: ["d"] }))).toEqual(cells);
  });
});
