"""Python cellarr or bare TileDB-Py: one slice of a store in a bucket, cold; milliseconds without imports. Uploads, too."""

import json
import os
import sys
import time

import numpy as np
import tiledb
from cellarr import CellArrDataset

request = json.loads(sys.argv[1])
config = tiledb.Config(request["config"])


def upload():
    vfs = tiledb.VFS(config)
    for folder, _, names in os.walk(request["store"]):
        for name in names:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, request["store"]).replace(os.sep, "/")
            with open(path, "rb") as source, vfs.open(f"{request['uri']}/{key}", "wb") as target:
                target.write(source.read())
    return {}


def in_order(matrix):
    order = np.lexsort((matrix.col, matrix.row))
    return matrix.data[order].tolist()


def matrix():
    with tiledb.open(f"{request['uri']}/assays/counts", ctx=tiledb.Ctx(config)) as array:
        found = array.multi_index[slice(*request["cells"]), request["columns"]]
    order = np.lexsort((found["gene_index"], found["cell_index"]))
    return found["data"][order].tolist()


def dataset():
    store = CellArrDataset(dataset_path=request["uri"], config=config)
    part = store.get_slice(slice(*request["cells"]), request["genes"])
    return in_order(part.matrix["counts"].tocoo())


if request["what"] == "bucket":
    tiledb.VFS(config).create_bucket(request["uri"])
    print("{}")
elif request["what"] == "upload":
    print(json.dumps(upload()))
else:
    before = os.times()
    start = time.perf_counter()
    values = {"matrix": matrix, "dataset": dataset}[request["what"]]()
    ms = (time.perf_counter() - start) * 1000
    after = os.times()
    cpu = (after.user + after.system - before.user - before.system) * 1000
    print(json.dumps({"ms": ms, "cpu": cpu, "text": json.dumps([float(v) for v in values], separators=(",", ":")).replace(".0", "")}))
