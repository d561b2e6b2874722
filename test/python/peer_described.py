"""Arrays and groups as TileDB-Py's own tests of enumerations, metadata, groups, current domains and fills make them,
and what it says of them afterwards."""

import os

import numpy as np
import pyarrow as pa
import tiledb

ENUMERATIONS = {
    "int": np.array([0]),
    "float": np.array([1.0, 2.2, 5.8234, 94.23]),
    "float32": np.array([1.5, -0.0, np.inf], np.float32),
    "bool": np.array([True, False]),
    "str": np.array(["abc", "defghi", "jk"]),
    "unicode": np.array(["naïve", "", "日本", "🧬"]),
    "bytes": np.array([b"abc", b"defghi", b"jk"]),
    **{
        name: np.array([np.iinfo(name).min, 2, np.iinfo(name).max], name)
        for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
    },
}


def make_enumerated(uri, ordered, sparse):
    """An attribute per type of enumeration, nullable ones too; written, extended, and written again."""
    enums = [tiledb.Enumeration(name, ordered, values) for name, values in ENUMERATIONS.items()]
    empty = [tiledb.Enumeration(f"later {kind.__name__}", ordered, dtype=kind) for kind in (int, bool, str, bytes)]
    attrs = [
        tiledb.Attr(f"{e.name} {suffix}", dtype="int8", enum_label=e.name, nullable=suffix == "nullable")
        for e in (*enums, *empty)
        for suffix in ("plain", "nullable")
    ]
    domain = tiledb.Domain(tiledb.Dim("d", domain=(0, 7), tile=4, dtype="int32"))
    schema = tiledb.ArraySchema(domain, attrs=attrs, enums=(*enums, *empty), sparse=sparse)
    tiledb.Array.create(uri, schema)
    codes = {a.name: np.zeros(8, "int8") for a in attrs}
    _write_codes(uri, codes, sparse)
    more = {"later int": [5, 6], "later bool": [True, False], "later str": ["ä", ""], "later bytes": [b"x", b"yz"]}
    evolution = tiledb.ArraySchemaEvolution()
    for e in empty:
        evolution.extend_enumeration(e.extend(more[e.name]))
    evolution.array_evolve(uri)
    sizes = {e.name: len(ENUMERATIONS.get(e.name, [0, 1])) for e in (*enums, *empty)}
    _write_codes(uri, {a.name: (np.arange(8) % sizes[a.enum_label]).astype("int8") for a in attrs}, sparse)


def _write_codes(uri, codes, sparse):
    with tiledb.open(uri, "w") as array:
        cells = {}
        for name, values in codes.items():
            is_nullable = array.attr(name).isnullable
            cells[name] = pa.array(values, mask=np.arange(8) % 3 == 1) if is_nullable else values
        if sparse:
            array[np.arange(8, dtype="int32")] = cells
        else:
            array[:] = cells


def enumerations_of(uri):
    """{name: {ordered, values}}, and by `df` the values of each attribute's cells, None where null."""
    with tiledb.open(uri) as array:
        labels = {array.attr(i).name: array.attr(i).enum_label for i in range(array.nattr)}
        enums = {name: array.enum(name) for name in set(labels.values())}
        frame = array.df[:]
        cells = {}
        for name in labels:
            column = frame[name].astype(object)
            cells[name] = [None if null else _plain(value) for value, null in zip(column, frame[name].isna())]
        found = {n: {"ordered": e.ordered, "values": [_plain(v) for v in e.values()]} for n, e in enums.items()}
        return {"enumerations": found, "cells": cells}


def _plain(value):
    """Numbers as texts (alike whatever their type), lists of them, texts and bytes."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "SU":
            return (b"" if value.dtype.kind == "S" else "").join(value.ravel().tolist())
        if value.dtype.kind in "mM":
            value = value.astype(np.int64)
        items = [_plain(item) for item in value.ravel()]
        return items[0] if len(items) == 1 else items
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int) else float(value)


METADATA = {
    "int": 7,
    "least": -(2**63),
    "most": 2**63 - 1,
    "double": 3.14,
    "infinity": float("inf"),
    "text": "naïve 日本 🧬",
    "empty text": "",
    "bytes": b"\x00\xff\x7f",
    "empty bytes": b"",
    "numbers": (1, -2, 3),
    "floats": [1.5, 2.5],
    "one": [42],
    "none": [],
    "": "of the empty key",
    "ключ": "of a key beyond ASCII",
    "large": b"0123456789abcdef" * 65536,
    "datetimes": np.array(["2021-01-01", "1969-12-31"], "M8[D]"),
    "matrix": np.arange(6, dtype="uint16").reshape(2, 3),
    "int8": np.array([-1, 2], "int8"),
    "uint64": np.array([2**64 - 1, 0], "uint64"),
    "float32": np.array([0.5, -2.25], "float32"),
    "bools": np.array([True, False]),
    "letters": np.array([b"a", b"b"]),
    "unicode letters": np.array(["a", "b", "c"]),
}


def make_array_metadata(uri):
    """Written, overwritten and deleted as test_metadata.py does."""
    tiledb.from_numpy(uri, np.ones(5)).close()
    with tiledb.open(uri, "w") as array:
        array.meta.update({**METADATA, "gone": 1, "int": "was text"})
    with tiledb.open(uri, "w") as array:
        array.meta["int"] = METADATA["int"]
        del array.meta["gone"]


def make_group(uri):
    """Members by absolute and relative path, named and not, typed and not, nested; metadata."""
    for path in ("", "inner", "inner/deep", "plain"):
        tiledb.Group.create(os.path.join(uri, path))
    schema = tiledb.ArraySchema(tiledb.Domain(tiledb.Dim("d", domain=(1, 8), tile=2)), [tiledb.Attr("v")])
    for path in ("a", "b", "inner/c", "gone"):
        tiledb.Array.create(os.path.join(uri, path), schema)
    with tiledb.Group(uri, "w") as group:
        group.add(os.path.join(uri, "a"), type=tiledb.Array)
        group.add("b", name="named é", relative=True, type=tiledb.Array)
        group.add("inner", name="inner", relative=True)
        group.add(os.path.join(uri, "plain"))
        group.add("gone", name="gone", relative=True)
        group.meta.update({**METADATA, "gone": 1})
    with tiledb.Group(os.path.join(uri, "inner"), "w") as group:
        group.add("c", relative=True)
        group.add("deep", name="deep", relative=True)
    with tiledb.Group(uri, "w") as group:
        group.remove("gone")
        del group.meta["gone"]


def group_of(uri):
    """{members: [{uri, type, name, relative of named ones}], metadata: key -> value}."""
    with tiledb.Group(uri) as group:
        members = [
            {
                "uri": m.uri,
                "type": m.type.__name__.lower(),
                "name": m.name,
                "relative": None if m.name is None else group.is_relative(m.name),
            }
            for m in group
        ]
        return {"members": members, "metadata": {key: _plain(group.meta[key]) for key in group.meta}}


def metadata_of(uri):
    with tiledb.open(uri) as array:
        return {key: _plain(array.meta[key]) for key in array.meta}


CURRENT = {
    **{name: ((0, 100), (3, 9), (2, 40)) for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32")},
    **{name: ((0, 100), (3, 9), (2, 40)) for name in ("int64", "uint64")},
    "float32": ((0.0, 10.0), (0.5, 1.5), (0.25, 9.0)),
    "float64": ((-1.0, 10.0), (-0.5, 1.5), (-1.0, 9.0)),
    "ascii": ((None, None), ("b", "db"), ("a", "zz")),
}


def make_current_domain(uri, dtype):
    """An array with a current domain along its one dimension, and a wider one by evolution."""
    domain, first, then = CURRENT[dtype]
    ends = {"domain": domain} if dtype == "ascii" else {"domain": domain, "tile": 1}
    dimension = tiledb.Domain(tiledb.Dim("d", dtype=dtype, **ends))
    schema = tiledb.ArraySchema(dimension, [tiledb.Attr("a", dtype="int32")], sparse=True)
    schema.set_current_domain(_current(dimension, first))
    tiledb.Array.create(uri, schema)
    with tiledb.open(uri, "w") as array:
        array[np.array(first, dtype="S" if dtype == "ascii" else dtype)] = np.array([1, 2], "int32")
    evolution = tiledb.ArraySchemaEvolution()
    evolution.expand_current_domain(_current(dimension, then))
    evolution.array_evolve(uri)


def _current(domain, ends):
    rectangle = tiledb.NDRectangle(tiledb.default_ctx(), domain)
    rectangle.set_range(0, *ends)
    current = tiledb.CurrentDomain(tiledb.default_ctx())
    current.set_ndrectangle(rectangle)
    return current


def current_domain_of(uri):
    """{range, cells}: numbers as texts."""
    with tiledb.open(uri) as array:
        found = array.schema.current_domain.ndrectangle.range(0)
        return {"range": [_plain(end) for end in found], "cells": array[:]["a"].tolist()}


FILLS = [
    ("S", b"abc"),
    ("U", "défg"),
    ("float32", np.float32(0.4023573667780681)),
    ("float64", 0.0560602549760851),
    ("M8[ns]", np.timedelta64(11, "ns")),
    ("int32", 42),
    ("int64", -(2**62)),
    ("uint8", 255),
    ("bool", True),
    ("complex64", 1 + 2j),
    ("complex128", 3 + 4j),
    ("i4,i4,i4", (1, 2, 3)),
]


def make_fills(uri):
    """An attribute per fill, of which nothing is written."""
    attrs = [tiledb.Attr(f"a{i}", dtype=np.dtype(dtype), fill=fill) for i, (dtype, fill) in enumerate(FILLS)]
    attrs += [tiledb.Attr(f"b{i}", dtype=np.dtype(dtype)) for i, (dtype, _) in enumerate(FILLS)]
    domain = tiledb.Domain(tiledb.Dim("d", domain=(0, 1), tile=2, dtype="int64"))
    tiledb.Array.create(uri, tiledb.ArraySchema(domain, attrs))
