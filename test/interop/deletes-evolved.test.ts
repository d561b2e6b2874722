import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isCellarrError, openArray } from "../../src/tiledb-node.js";
import { jsonRows } from "../support/cells-json.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Deletes whose attribute was dropped since, and came back or not: the official library's answers, its errors too. */

const SCRIPT = `
import json, sys, time
import numpy as np
import tiledb
from content import cells_json
from core_schema import evolve
from libtiledb import Core
root = json.load(sys.stdin)
numbers = {"name": "a", "datatype": "int32"}
cases = {
    "dropped": [("drop",)],
    "dropped, written": [("drop",), ("write", ["k"])],
    "dropped, another condition": [("delete", "k > 3 or a > 2"), ("drop",)],
    "added again": [("drop",), ("add", numbers), ("write", ["k", "a"])],
    "added again, written between": [("drop",), ("write", ["k"]), ("add", numbers)],
    "added again as a float": [("drop",), ("add", {"name": "a", "datatype": "float32"})],
    "added again, larger": [("drop",), ("add", {"name": "a", "datatype": "int64"})],
    "added again as text": [("drop",), ("add", {"name": "a", "datatype": "string_ascii"})],
    "consolidated": [("consolidate",), ("drop",)],
}
answers = []
for number, (name, steps) in enumerate(cases.items()):
    uri = f"{root}/{number}"
    domain = tiledb.Domain(tiledb.Dim("d", domain=(0, 19), tile=5, dtype=np.int32))
    attributes = [tiledb.Attr("k", dtype=np.int32), tiledb.Attr("a", dtype=np.int32)]
    tiledb.Array.create(uri, tiledb.ArraySchema(domain=domain, sparse=True, attrs=attributes))
    def write(low, names):
        with tiledb.open(uri, "w") as array:
            array[np.arange(low, low + 8)] = {one: np.arange(8, dtype=np.int32) for one in names}
        time.sleep(0.003)
    def delete(condition):
        with tiledb.open(uri, "d") as array:
            array.query(cond=condition).submit()
        time.sleep(0.003)
    write(0, ["k", "a"])
    delete("a > 4")
    then = int(time.time() * 1000)
    time.sleep(0.003)
    for step, *arguments in steps:
        core = Core()
        if step == "drop":
            evolve(core, uri, drop=["a"])
        elif step == "add":
            evolve(core, uri, add=arguments)
        elif step == "write":
            write(10, *arguments)
        elif step == "delete":
            delete(*arguments)
        else:
            tiledb.consolidate(uri)
            tiledb.vacuum(uri)
        core.close()
    def read(timestamp):
        try:
            # Row by row it applies deletes to cells written later, too, if their fragment has no such attribute.
            return cells_json(uri, timestamp=timestamp, order="global-order")
        except Exception as error:
            return f"error: {error}"
    answers.append({"name": name, "then": then, "before": read(then), "after": read(None)})
print(json.dumps(answers))
`;

interface Answer {
  readonly name: string;
  /** Milliseconds since 1970: after the delete, before the attribute was dropped. */
  readonly then: number;
  readonly before: unknown;
  readonly after: unknown;
}

/** The cells, or the code of the error. */
async function read(uri: string, timestamp?: number): Promise<unknown> {
  try {
    const array = await openArray(uri, timestamp === undefined ? {} : { timestamp });
    return jsonRows(await array.read({ dimensions: ["d"] }));
  } catch (error) {
    if (isCellarrError(error)) return error.code;
    throw error;
  }
}

describe.skipIf(!hasPython)("deletes on attributes that were dropped", () => {
  it("delete what TileDB-Py deletes, and fail where it fails", async () => {
    const root = await temporaryFolder();
    const answers = (await runPython(SCRIPT, root)) as Answer[];
    const failed: string[] = [];
    for (const [number, { name, then, before, after }] of answers.entries()) {
      const uri = join(root, String(number));
      expect([name, await read(uri, then)]).toEqual([name, before]);
      const found = await read(uri);
      if (typeof after !== "string") expect([name, found]).toEqual([name, after]);
      else {
        failed.push(name);
        expect([name, after, found]).toEqual([
          name,
          expect.anything(),
          expect.stringMatching(/^(NOT_FOUND|FORMAT)$/),
        ]);
      }
    }
    expect(failed).toEqual([
      "dropped",
      "dropped, written",
      "dropped, another condition",
      "added again, larger",
      "consolidated",
    ]);
  });
});
