"""Bare TileDB-Py: the cells of such batches, without making anything of them."""

import time

import common
import numpy as np


def load(request):
    import pandas  # noqa: F401
    import tiledb

    store, options = request["store"], request["options"]
    with tiledb.open(f"{store}/cell_metadata") as cells:
        samples = cells.query(attrs=[options["sampleColumnName"]])[:][options["sampleColumnName"]]
    groups = [np.flatnonzero(samples == name) for name in np.unique(samples)]
    chosen = np.random.default_rng(1)
    array = tiledb.open(f"{store}/assays/counts")

    def run(seconds):
        end = time.perf_counter() + seconds
        count = batches = 0
        while time.perf_counter() < end:
            parts = [chosen.choice(groups[g], options["sampleSize"], replace=False) for g in chosen.permutation(len(groups))]
            for first in range(0, len(parts), options["batchSize"]):
                cells = np.sort(np.concatenate(parts[first : first + options["batchSize"]]))
                array.multi_index[cells.tolist(), :]
                count += cells.size
                batches += 1
        return {"cells": count, "batches": batches}

    run(min(2, request["seconds"]))
    read, figures = common.measured(lambda: run(request["seconds"]))
    return {**figures, **read}


if __name__ == "__main__":
    common.serve({"load": load})
