"""Dataframes through tiledb.from_pandas and open_dataframe."""

import numpy as np
import pandas as pd
import pyarrow as pa
import tiledb


def _column(kind, values):
    if kind == "category":
        return pd.Categorical.from_codes(values["codes"], values["categories"], values.get("ordered", False))
    if kind == "datetime":
        return np.array([-(2**63) if v is None else v for v in values], dtype="int64").view("datetime64[ns]")
    if kind == "bytes":
        return pd.Series([v.encode() for v in values], dtype=object)
    if kind == "text":
        return pd.Series(values, dtype=object)
    if kind[0].isupper() or kind in ("boolean", "string"):
        return pd.array(values, dtype=kind)
    return np.array([float(v) if kind.startswith("float") else v for v in values], dtype=kind)


def write_frame(uri, columns, index=None, options=None):
    """columns: [{name, kind, values}]; index: names of columns. Returns whether the array is sparse."""
    frame = pd.DataFrame({c["name"]: _column(c["kind"], c["values"]) for c in columns})
    if index:
        frame = frame.set_index(index)
    # Indexes of text make a sparse array in any case.
    options = {k: v or None if k == "sparse" else v for k, v in (options or {}).items()}
    tiledb.from_pandas(uri, frame, **options)
    with tiledb.open(uri) as array:
        return array.schema.sparse


def compare_frame(uri, ipc, attrs=None, rows=None):
    """Raises unless the table in the IPC stream becomes the frame that open_dataframe gives."""
    options = {} if rows is None else {"idx": slice(rows[0], rows[1])}  # both ends inclusive
    expected = tiledb.open_dataframe(uri, attrs=attrs, **options)
    # open_dataframe forgets that categories have an order; the array does not.
    with tiledb.open(uri) as array:
        for name in expected.columns:
            label = array.attr(name).enum_label
            if label is not None and array.enum(label).ordered:
                expected[name] = expected[name].cat.as_ordered()
    found = pa.ipc.open_stream(ipc).read_all()
    found.validate(full=True)
    frame = found.to_pandas()
    # Rows of equal coordinates come in any order; everything else must agree: names, dtypes, index, values.
    if expected.index.has_duplicates:
        order = [c for c in expected.columns]
        expected = expected.reset_index().sort_values(order).reset_index(drop=True)
        frame = frame.reset_index().sort_values(order).reset_index(drop=True)
    pd.testing.assert_frame_equal(frame, expected, check_index_type="equiv", check_categorical=True)
    return {"rows": len(frame), "dtypes": [str(d) for d in frame.dtypes]}


def frames_in_turn(uri, frames):
    """from_pandas, then appended to: frames of {columns, index?, options?} as write_frame has them."""
    for number, one in enumerate(frames):
        frame = pd.DataFrame({c["name"]: _column(c["kind"], c["values"]) for c in one["columns"]})
        if one.get("index"):
            frame = frame.set_index(one["index"])
        options = {"mode": "append" if number else "ingest", **one.get("options", {})}
        tiledb.from_pandas(uri, frame, **options)


def frame_from_csv(uri, file, options):
    tiledb.from_csv(uri, file, **options)
