"""What an H5AD file holds, as JSON, by anndata of any version: the same form as test/h5ad/content.ts makes.

As a program: {"paths": [...]} on stdin, a list of contents on stdout. Warnings are errors.
"""

import json
import math
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import sparse

READ_AS = {"bool": "uint8", "float16": "float32"}


def scalar(value):
    if value is None or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return "NaN" if math.isnan(value) else float(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return str(value)


def column(series):
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = [scalar(v) for v in series.cat.categories]
        values = [None if code < 0 else categories[code] for code in series.cat.codes]
        return {"kind": "categorical", "values": values, "categories": categories, "ordered": bool(series.cat.ordered)}
    missing = [bool(m) for m in pd.isna(series)] if not pd.api.types.is_float_dtype(dtype) else [False] * len(series)
    values = [None if m else scalar(v) for m, v in zip(missing, series)]
    if pd.api.types.is_bool_dtype(dtype):
        return {"kind": "boolean", "values": values}
    if pd.api.types.is_numeric_dtype(dtype):
        return {"kind": "numeric", "dtype": READ_AS.get(str(dtype), str(dtype).lower()), "values": values}
    return {"kind": "text", "values": values}


def frame(table):
    return {
        "index": [str(v) for v in table.index],
        "indexName": table.index.name,
        "columns": {name: column(table[name]) for name in table.columns},
    }


def nested(array):
    return [nested(row) for row in array] if array.ndim > 1 else [scalar(v) for v in array.tolist()]


def matrix(value):
    if value is None:
        return None
    storage = value.format if sparse.issparse(value) else "dense"
    dense = value.toarray() if sparse.issparse(value) else np.asarray(value)
    dtype = READ_AS.get(str(dense.dtype), str(dense.dtype))
    return {"format": storage, "dtype": dtype, "values": nested(dense.astype(dtype))}


def element(value):
    if isinstance(value, pd.DataFrame):
        return frame(value)
    if sparse.issparse(value):
        return matrix(value)
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return nested(value)
    if hasattr(value, "items"):
        return {key: element(inner) for key, inner in sorted(value.items())}
    return scalar(value)


def content(data):
    raw = data.raw
    return {
        "shape": list(data.shape),
        "obs": frame(data.obs),
        "var": frame(data.var),
        "X": matrix(data.X),
        "layers": {name: matrix(data.layers[name]) for name in sorted(data.layers.keys())},
        "raw": None if raw is None else {"X": matrix(raw.X), "var": frame(raw.var)},
        "obsm": {name: element(data.obsm[name]) for name in sorted(data.obsm.keys())},
        "varm": {name: element(data.varm[name]) for name in sorted(data.varm.keys())},
        "uns": {name: element(data.uns[name]) for name in sorted(data.uns.keys())},
    }


def main():
    import anndata

    warnings.simplefilter("error")
    print(json.dumps([content(anndata.read_h5ad(path)) for path in json.load(sys.stdin)["paths"]]))


if __name__ == "__main__":
    main()
