"""Opens exports with the libraries they are made for. In: a JSON list of {kind, path}; out: a list of what they hold."""

import json
import os
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def read_h5ad(path):
    import anndata

    adata = anndata.read_h5ad(path)
    return {
        "shape": list(adata.shape),
        "cells": adata.obs_names.tolist(),
        "genes": adata.var_names.tolist(),
        "cellMetadata": _pandas(adata.obs),
        "geneAnnotation": _pandas(adata.var),
        "matrices": {name: _matrix(layer) for name, layer in adata.layers.items()},
    }


def read_h5ad_backed(path):
    """A layer on disk, by anndata's own reader of sparse datasets; opened and sliced without loading it."""
    import anndata.io
    import h5py

    with h5py.File(path) as file:
        data = anndata.io.sparse_dataset(file["layers"]["counts"]) if hasattr(anndata.io, "sparse_dataset") else None
        if data is None:
            from anndata.experimental import sparse_dataset

            data = sparse_dataset(file["layers"]["counts"])
        return _matrix(data[1:3])


def read_10x(path):
    import scanpy

    adata = scanpy.read_10x_mtx(path, var_names="gene_ids", make_unique=False)
    return {
        "shape": list(adata.shape),
        "cells": [str(name) for name in adata.obs_names],
        "genes": adata.var_names.tolist(),
        "symbols": adata.var["gene_symbols"].tolist(),
        "types": adata.var["feature_types"].tolist(),
        "matrix": _matrix(adata.X),
    }


def read_arrow(path):
    import pyarrow as pa

    tables = {}
    for name in sorted(os.listdir(path)):
        with pa.memory_map(os.path.join(path, name)) as source:
            reader = pa.ipc.open_file(source)
            table = reader.read_all()
            table.validate(full=True)
            tables[name.removesuffix(".arrow")] = {
                "batches": reader.num_record_batches,
                "types": {field.name: str(field.type) for field in table.schema},
                "columns": {field.name: _values(table[field.name].to_pylist()) for field in table.schema},
            }
    return tables


def read_arrow_stream(path):
    """A table in Arrow's stream form."""
    import pyarrow as pa

    table = pa.ipc.open_stream(path).read_all()
    table.validate(full=True)
    return {
        "types": {field.name: str(field.type) for field in table.schema},
        "columns": {field.name: _values(table[field.name].to_pylist()) for field in table.schema},
    }


def read_summarized_experiment(path):
    import dolomite_base
    import dolomite_matrix  # noqa: F401 (registers its readers)
    import dolomite_se  # noqa: F401

    dolomite_base.validate_object(path)
    experiment = dolomite_base.read_object(path)
    return {
        "class": type(experiment).__name__,
        "shape": list(experiment.shape),
        "genes": list(experiment.row_names or []),
        "cells": list(experiment.column_names or []),
        "rowData": _biocframe(experiment.row_data),
        "columnData": _biocframe(experiment.column_data),
        "assays": {name: np.asarray(_dense(experiment.assay(name))).tolist() for name in experiment.assay_names},
        "dtypes": {name: str(experiment.assay(name).dtype) for name in experiment.assay_names},
    }


def read_csv(path):
    import pandas

    return {
        name.removesuffix(".csv"): _pandas(pandas.read_csv(os.path.join(path, name), float_precision="round_trip"))
        for name in sorted(os.listdir(path))
    }


def _dense(matrix):
    from delayedarray import to_dense_array

    return to_dense_array(matrix)


def _biocframe(frame):
    columns = {}
    for name in frame.column_names:
        column = frame.column(name)
        kind = type(column).__name__
        if kind == "Factor":
            levels = list(column.levels)
            codes = [int(code) for code in column.codes]
            values = [None if code < 0 else levels[code] for code in codes]
            kind = "ordered Factor" if column.ordered else kind
        elif isinstance(column, np.ma.MaskedArray):
            values = [None if masked else value for value, masked in zip(column.data.tolist(), np.ma.getmaskarray(column))]
            kind = str(column.dtype)
        elif isinstance(column, np.ndarray):
            values = column.tolist()
            kind = str(column.dtype)
        else:
            values = list(column)
        columns[name] = {"kind": kind, "values": _values(values)}
    return columns


def _pandas(frame):
    return {
        str(name): {"kind": str(frame[name].dtype), "values": _values(frame[name].tolist())} for name in frame.columns
    }


def _matrix(matrix):
    return {"dtype": str(matrix.dtype), "rows": matrix.toarray().tolist()}


def _values(values):
    """None for what is missing, text for what JSON has no numbers for."""
    import pandas

    return [_value(None if value is pandas.NA else value) for value in values]


def _value(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


if __name__ == "__main__":
    readers = {name.removeprefix("read_"): value for name, value in globals().items() if name.startswith("read_")}
    print(json.dumps([readers[one["kind"]](one["path"]) for one in json.load(sys.stdin)], allow_nan=False))
