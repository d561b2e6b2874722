"""Bare TileDB-Py: start, open the matrix and the gene annotation, one slice, print."""

import json
import os
import sys

import numpy as np
import tiledb

request = json.loads(sys.argv[1])
with tiledb.open(f"{request['store']}/gene_annotation") as annotation:
    names = annotation.query(attrs=["cellarr_gene_index"])[:]["cellarr_gene_index"]
chosen = np.flatnonzero(np.isin(names.astype("S"), np.array(request["genes"], dtype="S"))).tolist()
with tiledb.open(f"{request['store']}/assays/counts") as matrix:
    found = matrix.multi_index[slice(*request["cells"]), chosen]
order = np.lexsort((found["gene_index"], found["cell_index"]))
text = json.dumps(found["data"][order].tolist(), separators=(",", ":"))
print(text)
times = os.times()
print(json.dumps({"cpu": times.user + times.system, "text": text}))
