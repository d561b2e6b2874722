"""python write_stores.py TARGET [PREFIX ...]: stores built by Python cellarr, with their expected content.

The expectation comes from TileDB-Py on the arrays, not from cellarr's slices, which are numbered by what they hold.
"""

import sys

import anndata
import content
import numpy as np
import pandas as pd
import tiledb
from cellarr import (
    CellMetadataOptions,
    MatrixOptions,
    SampleMetadataOptions,
    build_cellarrdataset,
)
from scipy import sparse
from store_folders import FRAMES, matrix_names, write_stores


def experiment(seed, cells, genes, names):
    """An AnnData with integer counts and log-normalised values of a part of the genes, in an order of its own."""
    rng = np.random.default_rng(seed)
    picked = rng.permutation(genes)[: int(genes * 0.8)]
    counts = rng.poisson(np.exp(rng.normal(-2, 1.5, len(picked))), (cells, len(picked))).astype(np.int64)
    counts[cells // 2] = 0  # an empty cell
    logs = np.log1p(counts / np.maximum(counts.sum(1, keepdims=True), 1) * 1e4).astype(np.float32)
    obs = pd.DataFrame(
        {
            "cellids": [f"{names}_{i}" for i in range(cells)],
            "tissue": rng.choice(["lung", "heart", "liver"], cells),
            "score": rng.normal(size=cells),
            "n": rng.integers(0, 1000, cells),
        },
        index=[f"{names}_{i}" for i in range(cells)],
    )
    if seed == 2:
        del obs["tissue"]
    var = pd.DataFrame({"symbol": [f"S{i}" for i in picked]}, index=[f"gene_{i}" for i in picked])
    layers = {"counts": sparse.csr_matrix(counts), "log-norm": sparse.csr_matrix(logs)}
    return anndata.AnnData(layers=layers, obs=obs, var=var)


def two_matrices(path):
    """Three experiments, two matrices, cell columns one of which one experiment lacks, sample and gene metadata."""
    files = [experiment(seed, 40 + seed, 60, name) for seed, name in enumerate(["first", "second", "third"])]
    genes = sorted({gene for file in files for gene in file.var_names})
    annotation = pd.DataFrame({"id": genes, "length": np.arange(len(genes)) * 10}, index=genes)
    annotation["cellarr_gene_index"] = genes
    samples = pd.DataFrame({"donor": ["d1", "d2", "d3"], "age": [31, 42, 53]})
    build_cellarrdataset(
        output_path=path,
        files=files,
        gene_annotation=annotation,
        sample_metadata=samples,
        matrix_options=[
            MatrixOptions(matrix_name="counts", matrix_attr_name="data", dtype=np.uint16, tiledb_store_name="counts"),
            MatrixOptions(matrix_name="log-norm", matrix_attr_name="value", dtype=np.float32, tiledb_store_name="log-norm"),
        ],
        cell_metadata_options=CellMetadataOptions(
            column_types={"cellids": "ascii", "tissue": "ascii", "score": np.float64, "n": np.int64}
        ),
        sample_metadata_options=SampleMetadataOptions(column_types={"donor": "ascii", "age": np.int64}),
    )


def plain(path):
    """Defaults: one matrix, no metadata given."""
    files = [experiment(seed, 25, 30, name) for seed, name in ((5, "x"), (2, "y"))]
    build_cellarrdataset(output_path=path, files=files, matrix_options=MatrixOptions(dtype=np.float32))


def expected(path):
    genes = [row["cellarr_gene_index"] for row in content.cells_json(f"{path}/gene_annotation")]
    cells = content.cells_json(f"{path}/cell_metadata")
    rng = np.random.default_rng(1)
    some = rng.choice(len(genes), 7, replace=False)
    picks = [
        ((0, 10), some[:3]),
        ((len(cells) // 3, len(cells) - 1), some),
        ((20, 20), range(len(genes))),
        ((0, len(cells) - 1), some[:1]),
    ]
    return {
        "shape": [len(cells), len(genes)],
        "frames": {name: content.cells_json(f"{path}/{name}") for name in FRAMES},
        "slices": [sliced(path, cells, sorted(int(column) for column in columns), genes) for cells, columns in picks],
    }


def sliced(path, cells, columns, genes):
    """Cells from first to last (inclusive) and genes by name; row and column within the slice."""
    matrices = {}
    for name in matrix_names(f"{path}/assays"):
        with tiledb.open(f"{path}/assays/{name}") as array:
            first, second = [array.domain.dim(i).name for i in range(2)]
            found = array.query(order="C").multi_index[cells[0] : cells[1], columns]
            data = found[array.attr(0).name]
            matrices[name] = {
                "row": (found[first].astype(np.int64) - cells[0]).tolist(),
                "col": np.searchsorted(columns, found[second]).tolist(),
                "data": [value.item() for value in data],
            }
    return {"cells": list(cells), "genes": [genes[column] for column in columns], "matrices": matrices}


STORES = {"store.two-matrices": two_matrices, "store.plain": plain}


# cellarr starts processes that import this file again.
if __name__ == "__main__":
    write_stores(sys.argv[1], sys.argv[2:], STORES, expected)
