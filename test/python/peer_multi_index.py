"""Arrays read as TileDB-Py's users do: multi_index over ranges of each dimension."""

import numpy as np
import tiledb


def multi_index(uri, selection, order="C", attributes=None, coordinates=True, timestamp=None):
    """name -> cells of {"slice": [low, high]}, points, or "empty" per dimension, in memory order of the layout."""
    with tiledb.open(uri, timestamp=tuple(timestamp) if isinstance(timestamp, list) else timestamp) as array:
        chosen = [_entries(array.dim(d).dtype, entries) for d, entries in enumerate(selection)]
        options = {} if attributes is None else {"attrs": attributes}
        query = array.query(order=order, coords=coordinates, **options)
        found = query.multi_index[tuple(chosen) if len(chosen) > 1 else chosen[0]]
        return {name: _cells(column) for name, column in found.items()}


def _entries(dtype, entries):
    if entries == "empty":
        return tiledb.EmptyRange
    return [slice(*(_end(dtype, e) for e in one["slice"])) if isinstance(one, dict) else _end(dtype, one) for one in entries]


def _end(dtype, value):
    if value is None or isinstance(value, str):
        return value
    return np.int64(value).view(dtype) if dtype.kind in "mM" else dtype.type(value)


def _cells(column):
    # Column-major cells too come in C order in what multi_index gives, whatever the shape says.
    column = np.asarray(column)
    if column.dtype.kind in "mM":
        column = column.astype(np.int64)
    return [_cell(value) for value in column.ravel().tolist()]


def _cell(value):
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
