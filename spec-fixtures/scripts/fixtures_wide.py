"""Fixtures of arrays of four and five dimensions, of evolved enumerations and current domains, and of nested groups."""

import numpy as np
import pandas as pd
import tiledb
from fixture_kit import PLAIN, create, dense, dim, fixture, grid, sparse, write_box, write_points

# --- many dimensions ----------------------------------------------------------------------------------------------

_TEXTS = ["", "a", "ab", "b", "lung", "~"]
_BOX = {"ranges": {"x": [[-100, 20]], "y": [[2**63, 2**64 - 2]], "z": [[-5, 0], [3, 3]]}}


def _sparse_dims(count):
    whole = dim("y", "uint64", (0, 2**64 - 2), 2**60)
    times = dim("z", "datetime_ns", (-10, 10), 3)
    return [dim("x", "int8", (-128, 100), 7), whole, times, dim("u", "float32", (-1.5, 1.5), 0.5), dim("v", "string_ascii")][:count]


def _sparse_points(count, seed):
    columns = [[-128, -7, 0, 20, 99], [0, 1, 2**53 + 1, 2**63, 2**64 - 2], [-10, -1, 0, 3], [-1.5, 0.1, 1.5], _TEXTS]
    sizes = [len(column) for column in columns[:count]]
    return [tuple(columns[d][at] for d, at in enumerate(point)) for point in grid(40, seed, *sizes)]


def _sparse_wide(count, **more):
    def write(uri):
        attributes = [PLAIN, {"name": "s", "datatype": "string_utf8", "nullable": True}]
        spec = sparse(_sparse_dims(count), attributes, **more)
        create(uri, spec)
        for number in range(2):
            write_points(uri, spec, _sparse_points(count, number), seed=number, timestamp=number + 1)

    return write


_READS = [_BOX, {**_BOX, "order": "col-major"}, {**_BOX, "timestamp": 1}]
fixture("sparse-4d", 22, _READS)(_sparse_wide(4))
fixture("sparse-5d", 22, [*_READS, {"ranges": {"u": [[0.0, 1.5]], "v": [["a", "b"]]}}])(_sparse_wide(5))
fixture("sparse-5d.col-major", 22, _READS)(_sparse_wide(5, cellOrder="col-major", tileOrder="col-major"))


def _dense_wide(datatype, lows, sizes, extents, **more):
    def write(uri):
        names = "xyzuv"
        dims = [
            dim(names[d], datatype, (low, low + size - 1), extent)
            for d, (low, size, extent) in enumerate(zip(lows, sizes, extents))
        ]
        spec = dense(dims, [PLAIN, {"name": "n", "datatype": "uint8", "nullable": True}], **more)
        create(uri, spec)
        write_box(uri, spec, [[low, low + size - 1] for low, size in zip(lows, sizes)])
        write_box(uri, spec, [[low + 1, low + 1] for low in lows], seed=2, timestamp=2)

    return write


_PART = [{"ranges": {"x": [[-2, -1]], "z": [[0, 0], [2, 2]]}}, {"order": "col-major"}, {"timestamp": 1}]
fixture("dense-4d", 22, _PART)(_dense_wide("int64", (-2, 5, 0, 0), (3, 4, 3, 2), (2, 3, 2, 1)))
fixture("dense-5d", 22, _PART)(
    _dense_wide("int16", (-2, 5, 0, 0, -9), (3, 2, 3, 2, 3), (2, 2, 2, 1, 3), cellOrder="col-major", tileOrder="row-major")
)

# --- evolution ----------------------------------------------------------------------------------------------------


@fixture("attributes.enumerations-extended", 22)
def _(uri):
    """An enumeration that got values between two fragments."""
    attributes = [{"name": "e", "datatype": "uint8", "enumeration": "tissues", "codes": 2}]
    spec = sparse([dim("d")], attributes, enumerations=[{"name": "tissues", "values": ["lung", "heart"]}])
    create(uri, spec)
    write_points(uri, spec, [(place,) for place in range(6)], timestamp=1)
    with tiledb.open(uri) as array:
        extended = array.enum("tissues").extend(["naïve", "skin"])
    evolution = tiledb.ArraySchemaEvolution(tiledb.default_ctx())
    evolution.extend_enumeration(extended)
    evolution.array_evolve(uri)
    later = {**spec, "attributes": [{**attributes[0], "codes": 4}]}
    write_points(uri, later, [(place,) for place in range(4, 14)], seed=3, timestamp=None)


@fixture("current-domain.expanded", 22)
def _(uri):
    spec = sparse([dim("d", "int32", (0, 999))], [PLAIN], currentDomain=[[5, 60]])
    create(uri, spec)
    write_points(uri, spec, [(5,), (60,)], timestamp=1)
    context = tiledb.default_ctx()
    with tiledb.open(uri) as array:
        wider = tiledb.CurrentDomain(context)
        rectangle = tiledb.NDRectangle(context, array.schema.domain)
        rectangle.set_range("d", 0, 500)
        wider.set_ndrectangle(rectangle)
    evolution = tiledb.ArraySchemaEvolution(context)
    evolution.expand_current_domain(wider)
    evolution.array_evolve(uri)
    write_points(uri, spec, [(0,), (500,)], timestamp=None)


@fixture("dataframe.indexed", 22, [{"ranges": {"cell": [["b", "c"]]}}])
def _(uri):
    """As from_pandas writes them, with an index of text."""
    frame = pd.DataFrame(
        {
            "n": np.arange(5, dtype="int32"),
            "text": ["x", "", "naïve", "z", "x"],
            "time": pd.to_datetime(["2020-01-01", "2021-02-03", "1969-12-31", "2020-01-02", "2262-01-01"]),
            "maybe": pd.array([1, None, 3, None, -5], dtype="Int64"),
            "flag": [True, False, True, True, False],
        },
        index=pd.Index(["b", "a", "d", "c", "aa"], name="cell"),
    )
    tiledb.from_pandas(uri, frame, sparse=True)


# --- groups -------------------------------------------------------------------------------------------------------


@fixture("group.nested", 22)
def _(uri):
    """Groups in groups, and a member at an absolute place, which holds wherever the fixture is: in the library's memory."""
    spec = sparse([dim("d")], [PLAIN])
    for folder in (uri, f"{uri}/inner", f"{uri}/inner/deep"):
        tiledb.group_create(folder)
    create(f"{uri}/inner/deep/array", spec)
    elsewhere = tiledb.ArraySchema(tiledb.Domain(tiledb.Dim("d", domain=(0, 3), dtype=np.int32)), [tiledb.Attr("a", dtype=np.int8)])
    tiledb.Array.create("mem://elsewhere", elsewhere)
    for folder, members in (
        (f"{uri}/inner/deep", [("array", True, "cells")]),
        (f"{uri}/inner", [("deep", True, "deep")]),
        (uri, [("inner", True, "inner"), ("mem://elsewhere", False, "far")]),
    ):
        with tiledb.Group(folder, "w") as group:
            for member, relative, name in members:
                group.add(member, name=name, relative=relative)
            group.meta["place"] = name
