"""Stores and slices through Python cellarr."""

import os

import numpy as np
import pandas as pd
import tiledb
from scipy import sparse


def cellarr_build(output, files, matrices, cell_types=None, sample_metadata=None, gene_annotation=None):
    """Builds a store from H5AD files; `matrices` are keyword arguments of MatrixOptions, dtypes as text."""
    import cellarr

    os.makedirs(output, exist_ok=True)
    options = [cellarr.MatrixOptions(**{**m, "dtype": np.dtype(m["dtype"]).type}) for m in matrices]
    cellarr.build_cellarrdataset(
        files=files,
        output_path=output,
        matrix_options=options,
        sample_metadata=sample_metadata,
        gene_annotation=gene_annotation,
        cell_metadata_options=cellarr.CellMetadataOptions(column_types=cell_types),
    )


def cellarr_describe(path, assays):
    with _dataset(path, assays) as store:
        return {
            "shape": list(store.shape),
            "cells": store.get_cell_metadata_columns(),
            "genes": store.get_gene_annotation_index(),
            "samples": store.get_sample_metadata_index(),
        }


def cellarr_slice(path, assays, cells, genes):
    """What `dataset[cells, genes]` is; cells and genes: an index, [first, last] as {"slice": ...}, a list or a condition."""
    with _dataset(path, assays) as store:
        part = store.get_slice(_selection(cells), _selection(genes))
        adata = part.to_anndata()
        return {
            "cells": [int(row) for row in part.cell_metadata.index],
            "genes": part.gene_annotation["cellarr_gene_index"].tolist(),
            "cellMetadata": _columns(part.cell_metadata),
            "matrices": {name: layer.toarray().tolist() for name, layer in adata.layers.items()},
            "shape": list(adata.shape),
        }


def cellarr_sample(path, assays, sample):
    with _dataset(path, assays) as store:
        return [int(row) for row in store.get_cells_for_sample(sample).cell_metadata.index]


def frame_columns(uri):
    """name -> values of all rows of a frame, as pandas gets them from TileDB-Py."""
    with tiledb.open(uri) as array:
        return _columns(array.df[:])


def matrix_cells(uri, cells=None, genes=None):
    """[cell, gene, value] of a matrix array in row-major order, by TileDB-Py's multi_index."""
    with tiledb.open(uri) as array:
        attribute = array.schema.attr(0).name
        every = slice(None)
        found = array.multi_index[_selection(cells) if cells is not None else every,
                                  _selection(genes) if genes is not None else every]
        order = np.lexsort((found["gene_index"], found["cell_index"]))
        return [
            [int(found["cell_index"][at]), int(found["gene_index"][at]), found[attribute][at].item()]
            for at in order
        ]


def frame_types(uri):
    """name -> dtype of the column in pandas."""
    with tiledb.open(uri) as array:
        return {name: str(dtype) for name, dtype in array.df[:].dtypes.items()}


def frame_matching(uri, condition):
    """Rows that satisfy a condition, as TileDB-Py's query of a dense array tells them by a column that is never null."""
    with tiledb.open(uri) as array:
        # The row's own attribute is the fill value where the condition fails.
        found = array.query(cond=condition, attrs=["cellarr_sample"]).df[:]["cellarr_sample"]
        return np.flatnonzero((found != "\0").to_numpy()).tolist()


def cellarr_metadata(path, assays, cells, columns=None):
    """What `get_cell_subset` gives, a value per row; and the numbers of the rows."""
    with _dataset(path, assays) as store:
        found = store.get_cell_subset(_selection(cells), columns)
        return {"rows": [int(row) for row in found.index], "columns": _columns(found)}


def cellarr_column(path, assays, name):
    with _dataset(path, assays) as store:
        column = store.get_cell_metadata_column(name)
        return [None if pd.isna(value) else value for value in column.tolist()]


def matrix_summary(uri, shape):
    """What NumPy gives for the matrix as it is stored, with its zeros."""
    with tiledb.open(uri) as array:
        attribute = array.schema.attr(0).name
        found = array[:]
    places = (found["cell_index"].astype(np.int64), found["gene_index"].astype(np.int64))
    dense = sparse.coo_matrix((found[attribute].astype(np.float64), places), shape=tuple(shape)).toarray()
    return {
        "cells": {"total": dense.sum(axis=1).tolist(), "detected": np.count_nonzero(dense, axis=1).tolist()},
        "genes": {
            "total": dense.sum(axis=0).tolist(),
            "mean": dense.mean(axis=0).tolist(),
            "variance": dense.var(axis=0, ddof=1).tolist(),
            "detected": np.count_nonzero(dense, axis=0).tolist(),
        },
    }


def matrix_fragments(uri):
    return len(tiledb.array_fragments(uri))


def matrix_schema(uri):
    """What a schema is made of, without what differs between two arrays made the same way."""
    with tiledb.open(uri) as array:
        return repr(array.schema)


def _dataset(path, assays):
    import cellarr

    return cellarr.CellArrDataset(dataset_path=path, assay_uri=assays)


def _selection(selection):
    if isinstance(selection, dict):
        return slice(*selection["slice"])
    return selection


def _columns(frame):
    return {name: [None if pd.isna(value) else value for value in frame[name].tolist()] for name in frame.columns}


def cellarr_subset(path, assays, which, subset, columns=None):
    """Rows of the cells', genes' or samples' metadata: their numbers and columns."""
    with _dataset(path, assays) as store:
        frame = getattr(store, f"get_{which}_subset")(_selection(subset), columns)
        return {"rows": [int(row) for row in frame.index], "columns": _columns(frame)}


def cellarr_from_paths(assay, genes, cells, samples, rows):
    """Python 0.6: a dataset from paths; its matrices' names and the dense rows of the slice."""
    import cellarr

    with cellarr.CellArrDataset.initialize_from_paths(assay, genes, cells, samples) as store:
        part = store.get_slice(rows, slice(None))
        return {name: matrix.toarray().tolist() for name, matrix in part.get_assays().items()}
