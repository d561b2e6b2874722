"""Python cellarr: start, open, one slice, print, as a user's own script would."""

import json
import os
import sys

import numpy as np
from cellarr import CellArrDataset

request = json.loads(sys.argv[1])
dataset = CellArrDataset(dataset_path=request["store"])
part = dataset.get_slice(slice(*request["cells"]), request["genes"])
matrix = part.matrix["counts"].tocoo()
order = np.lexsort((matrix.col, matrix.row))
text = json.dumps(matrix.data[order].tolist(), separators=(",", ":"))
print(text)
times = os.times()
print(json.dumps({"cpu": times.user + times.system, "text": text}))
