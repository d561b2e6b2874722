"""Cells for the fixtures: edge values first, then random ones with a seed."""

import numpy as np
from libtiledb import DATATYPES, kind, numpy_type

WORDS = ["", "a", "lung", "T cell", "naïve", "日本", "x" * 40, "NA", "\u0000x", "🧬"]
ASCII_WORDS = ["", "a", "lung", "T cell", "B-cell", "x" * 40, "NA", "z9"]
FIXED = [name for name in DATATYPES if name != "any"]


def numbers(rng, datatype, count):
    """Values of a datatype, among them its smallest and largest."""
    dtype = np.dtype(numpy_type(datatype))
    what = kind(datatype)
    if what == "bool":
        return rng.integers(0, 2, count).astype(dtype)
    if what == "float":
        values = (rng.normal(size=count) * 10.0 ** rng.integers(-8, 8, count)).astype(dtype)
        edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, np.finfo(dtype).max, np.finfo(dtype).tiny]
        values[: min(count, len(edges))] = edges[:count]
        return values
    if datatype in ("string_ascii", "char"):
        return rng.integers(ord("a"), ord("z") + 1, count).astype(dtype)
    if what == "text":
        return rng.integers(0x61, 0x7A, count).astype(dtype)
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, count, dtype=dtype, endpoint=True)
    edges = [info.min, info.max, 0, 1]
    values[: min(count, len(edges))] = edges[:count]
    return values


def small(rng, datatype, count, low=0, high=50):
    """Small values with runs, as counts are: what compressors are for."""
    values = np.repeat(rng.integers(low, high, (count + 3) // 4), 4)[:count]
    return values.astype(numpy_type(datatype))


def fixed(values, validity=None):
    column = {"values": np.ascontiguousarray(values).tobytes()}
    return column if validity is None else {**column, "validity": bytes(validity)}


def var(cells, validity=None):
    """A column of a list of bytes."""
    offsets = np.concatenate([[0], np.cumsum([len(cell) for cell in cells])]).astype("<u4")
    column = {"offsets": offsets.tobytes(), "data": b"".join(cells)}
    return column if validity is None else {**column, "validity": bytes(validity)}


def words(rng, datatype, count):
    """Bytes of text cells, the empty one among them."""
    codec = {"<u2": "utf-16-le", "<u4": "utf-32-le"}.get(numpy_type(datatype), "utf-8")
    choice = ASCII_WORDS if datatype in ("string_ascii", "char", "string_ucs2") else WORDS
    first = list(range(min(len(choice), count)))
    picks = first + rng.integers(0, len(choice), count - len(first)).tolist()
    return [choice[pick].encode(codec) for pick in picks]


def lists(rng, datatype, count):
    """Bytes of cells with 0 to 4 values each."""
    dtype = np.dtype(numpy_type(datatype))
    lengths = rng.integers(0, 5, count)
    values = numbers(rng, datatype, int(lengths.sum()))
    ends = np.cumsum(lengths)
    return [values[end - length : end].astype(dtype).tobytes() for end, length in zip(ends, lengths)]


def validity(rng, count):
    """A byte a cell, nulls and values both present."""
    mask = rng.integers(0, 2, count).astype("u1")
    mask[:2] = [0, 1][: len(mask[:2])]
    return mask.tobytes()


def column_for(rng, attribute, count):
    """Cells of an attribute of a schema dict."""
    datatype = attribute["datatype"]
    number = attribute.get("cellValNum", "var" if datatype.startswith("string") else 1)
    mask = validity(rng, count) if attribute.get("nullable") else None
    if attribute.get("enumeration"):
        return fixed(rng.integers(0, attribute["codes"], count).astype(numpy_type(datatype)), mask)
    if number != "var":
        return fixed(numbers(rng, datatype, count * number), mask)
    cells = words(rng, datatype, count) if kind(datatype) == "text" else lists(rng, datatype, count)
    if mask is not None:
        cells = [cell if valid else b"" for cell, valid in zip(cells, mask)]
    return var(cells, mask)


def columns_for(rng, spec, count):
    return {a["name"]: column_for(rng, a, count) for a in spec["attributes"]}
