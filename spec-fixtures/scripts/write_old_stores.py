"""python write_old_stores.py TARGET RELEASE [PREFIX ...]: a small store by the cellarr on the path, as far as that release goes.

Written with the reference TileDB-Py, the release's own code being what differs: before 0.3 the one matrix lies beside
the frames and samples have no ranges of cells. The expectation comes from TileDB-Py on the arrays.
"""

import os
import sys
import warnings

import anndata
import content
import numpy as np
import pandas as pd
import tiledb
from scipy import sparse
from store_folders import FRAMES, matrix_names, write_stores


def experiment(seed, cells, storage):
    """Cells and genes of which some hold nothing, the last ones among them."""
    rng = np.random.default_rng(seed)
    picked = rng.permutation(12)[:9]
    counts = rng.poisson(0.8, (cells, len(picked))).astype(np.float64)
    counts[cells // 2] = 0
    counts[:, picked == 11] = seed  # the last gene has values in the second file, so that 0.3.2 opens the store
    counts[-1] = np.arange(len(picked)) % 3
    obs = pd.DataFrame({"tissue": rng.choice(["lung", "heart"], cells)}, index=[f"c{seed}_{i}" for i in range(cells)])
    var = pd.DataFrame(index=[f"gene_{i:02d}" for i in picked])
    layers = {"counts": storage(counts), "norm": storage(np.log1p(counts))}
    return anndata.AnnData(layers=layers, obs=obs, var=var)


def build(path, release):
    from cellarr import CellMetadataOptions, MatrixOptions, build_cellarrdataset

    major, minor = (int(part) for part in release.split(".")[:2])
    csc = sparse.csc_matrix if (major, minor) >= (0, 5) else sparse.csr_matrix
    files = [experiment(1, 7, sparse.csr_matrix), experiment(2, 5, csc)]
    matrices = MatrixOptions(matrix_name="counts", dtype=np.float32)
    if (major, minor) >= (0, 3):
        matrices = [matrices, MatrixOptions(matrix_name="norm", dtype=np.float64, tiledb_store_name="norm")]
    # 0.1 does not take columns from the files' obs.
    more = {}
    if (major, minor) >= (0, 2):
        more["cell_metadata_options"] = CellMetadataOptions(column_types={"tissue": "ascii"})
    build_cellarrdataset(output_path=path, files=files, matrix_options=matrices, **more)


def matrices_of(path):
    folder = f"{path}/assays" if os.path.isdir(f"{path}/assays") else path
    return {name: values(f"{folder}/{name}") for name in matrix_names(folder)}


def values(uri):
    """[cell, gene, value] in row-major order."""
    with tiledb.open(uri) as array:
        found = array.query(order="C").multi_index[:, :]
        columns = [found[array.domain.dim(i).name] for i in range(2)] + [found[array.attr(0).name]]
        return [[value.item() for value in row] for row in zip(*columns)]


def expected(path):
    frames = {name: content.cells_json(f"{path}/{name}") for name in FRAMES}
    return {
        "shape": [len(frames["cell_metadata"]), len(frames["gene_annotation"])],
        "frames": frames,
        "matrices": matrices_of(path),
    }


# cellarr starts processes that import this file again.
if __name__ == "__main__":
    warnings.simplefilter("ignore")
    [target, release, *prefixes] = sys.argv[1:]
    write_stores(target, prefixes, {"store.small": lambda path: build(path, release)}, expected)
