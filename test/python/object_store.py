"""Arrays in object stores, through TileDB-Py. Input: {action, uri, config}; prints what is there."""

import json
import sys

import numpy as np
import tiledb


def write(ctx, uri):
    domain = tiledb.Domain(
        tiledb.Dim("row", domain=(0, 9999), tile=100, dtype="int64"),
        tiledb.Dim("col", domain=(0, 999), tile=100, dtype="int64"),
    )
    schema = tiledb.ArraySchema(
        domain=domain,
        attrs=[tiledb.Attr("data", dtype="float32"), tiledb.Attr("text", dtype="ascii", var=True)],
        sparse=True,
    )
    tiledb.Array.create(uri, schema, ctx=ctx)
    for start in (0, 50):
        rows = np.arange(start, start + 50)
        with tiledb.open(uri, "w", ctx=ctx) as array:
            array[rows, rows % 7] = {
                "data": rows.astype("float32") / 2,
                "text": np.array([f"cell {row}" for row in rows], dtype=object),
            }
            array.meta["start"] = start


def read(ctx, uri):
    with tiledb.open(uri, ctx=ctx) as array:
        cells = array[:]
        return {
            "rows": cells["row"].tolist(),
            "columns": cells["col"].tolist(),
            "data": cells["data"].tolist(),
            "text": [text.decode() if isinstance(text, bytes) else str(text) for text in cells["text"]],
            "start": int(array.meta["start"]) if "start" in array.meta else None,
        }


request = json.load(sys.stdin)
context = tiledb.Ctx(tiledb.Config(request["config"]))
if request["action"] == "write":
    write(context, request["uri"])
print(json.dumps(read(context, request["uri"])))
