#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["tiledb==0.36.1", "numpy==2.4.6", "pandas==2.3.3"]
# ///
"""Structures of the TileDB format as the official library writes them, for test/format/golden.test.ts.

    python generate.py [FOLDER]

writes FOLDER/v<format version>/<kind>/<case>..., FOLDER being this folder by default: schema, enumeration, fragment
(the metadata file, and the schema of its fragment), metadata, group, commits; beside them an `expected.json` with what
the library itself says of them. The format version is that of the installed library. The folders here were written by

    tiledb 0.36.1 (core 2.30.0) -> v22        tiledb 0.25.0 (core 2.19.0) -> v21
    tiledb 0.23.5 (core 2.17.5) -> v20        tiledb 0.22.3 (core 2.16.3) -> v19
    tiledb 0.21.6 (core 2.15.4) -> v18

the four older ones with numpy 1.26.4, pandas 2.2.3 and fewer cases (OLDER below), since most structures are the same.
Run again it gives files that differ in names and timestamps only.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tiledb

OLDER = {"dense-2d", "sparse-matrix", "nullable", "string-dimensions", "filters", "enumerations", "consolidated"}
NEWER = {"enumerations", "nullable"}


def rounded(value):
    """A value that JSON can hold exactly."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.datetime64):
        return str(value.astype("int64"))
    if isinstance(value, (np.integer, int)):
        return str(int(value))
    if isinstance(value, (np.floating, float)):
        return repr(float(value))
    return str(value)


# --- schemas and their cells -----------------------------------------------------------------------------------------


def schema_of(dims, attrs, **options):
    return tiledb.ArraySchema(domain=tiledb.Domain(*dims), attrs=attrs, **options)


def dense_2d(folder):
    """All numeric attributes over two dimensions, a tile and a half each way; written in two parts."""
    kinds = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
    dims = [tiledb.Dim("row", domain=(1, 6), tile=4, dtype="int32"), tiledb.Dim("col", domain=(10, 15), tile=4, dtype="int32")]
    schema = schema_of(dims, [tiledb.Attr(kind, dtype=kind) for kind in kinds])
    tiledb.Array.create(str(folder), schema)
    with tiledb.open(str(folder), "w") as array:
        array[:] = {kind: np.arange(36).reshape(6, 6).astype(kind) - (5 if kind[0] != "u" else 0) for kind in kinds}
    with tiledb.open(str(folder), "w") as array:
        array[2:4, 11:13] = {kind: np.full((2, 2), 7, dtype=kind) for kind in kinds}


def dense_frame(folder):
    """A frame as Python cellarr writes it: one uint64 dimension, text columns."""
    dims = [tiledb.Dim("__tiledb_rows", domain=(0, 2**64 - 10002), tile=10000, dtype="uint64")]
    attrs = [tiledb.Attr("gene", dtype="ascii", var=True, filters=[tiledb.GzipFilter(level=5)]), tiledb.Attr("text", dtype=str)]
    tiledb.Array.create(str(folder), schema_of(dims, attrs))
    with tiledb.open(str(folder), "w") as array:
        array[0:5] = {
            "gene": np.array(["g1", "g22", "", "a", "zzz"], dtype=object),
            "text": np.array(["é", "", "𝒳", "x", "y"], dtype=object),
        }


def dense_nullable(folder):
    """Col-major, nullable text and numbers, a tile without valid cells, 1 dimension of int16."""
    dims = [tiledb.Dim("i", domain=(0, 9), tile=3, dtype="int16")]
    attrs = [
        tiledb.Attr("n", dtype="int32", nullable=True),
        tiledb.Attr("f", dtype="float64", nullable=True),
        tiledb.Attr("s", dtype="ascii", var=True, nullable=True),
    ]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, cell_order="col-major", tile_order="col-major"))
    valid = [None, None, None, 4, None, 6, 7, 8, 9, None]
    import pandas

    with tiledb.open(str(folder), "w") as array:
        array[:] = {
            "n": pandas.array(valid, dtype="Int32"),
            "f": pandas.array(valid, dtype="Float64"),
            "s": np.array([None if v is None else str(v) for v in valid], dtype=object),
        }


def sparse_matrix(folder):
    """A matrix as Python cellarr writes it, in 125 tiles: three levels of R-tree."""
    dims = [
        tiledb.Dim("cell_index", domain=(0, 2**32 - 2), tile=None, dtype="uint32"),
        tiledb.Dim("gene_index", domain=(0, 2**32 - 2), tile=None, dtype="uint32"),
    ]
    attrs = [tiledb.Attr("data", dtype="uint16", filters=[tiledb.GzipFilter()])]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, sparse=True, capacity=4, allows_duplicates=True))
    cells = np.arange(499)
    with tiledb.open(str(folder), "w") as array:
        array[cells * 3, (cells * 37) % 101] = (cells % 300).astype("uint16")


def sparse_types(folder):
    """Attributes of every datatype that has statistics of its own kind, and of those that have none."""
    dims = [tiledb.Dim("x", domain=(0, 99), tile=10, dtype="uint8")]
    n = 7
    numbers = np.array([3, -4, 0, 5, -1, 2, 9])
    columns = {
        "bool": np.array([1, 0, 0, 1, 1, 0, 1], dtype=bool),
        "int8": numbers.astype("int8"),
        "uint8": abs(numbers).astype("uint8"),
        "int16": numbers.astype("int16") * 1000,
        "int64": numbers.astype("int64") * 2**60,
        "uint64": abs(numbers).astype("uint64") * np.uint64(2**60),
        "float32": np.array([1.5, np.nan, -np.inf, 2, 0.1, -0.0, 3e38], dtype="float32"),
        "float64": np.array([1e308, 1e308, 5, -2, np.nan, 0.1, -7], dtype="float64"),
        "day": numbers.astype("datetime64[D]"),
        "nano": (numbers * 10**15).astype("datetime64[ns]"),
        "hours": numbers.astype("timedelta64[h]"),
        "char": np.array([b"b", b"a", b"\xff", b"c", b"d", b"e", b"f"], dtype="S1"),
        "chars": np.array([b"bcd", b"abc", b"zzz", b"ccc", b"d", b"e\x00z", b"f"], dtype="S3"),
        "bytes": np.array([b"bcd", b"", b"zzz\xff", b"c", b"d\x00b", b"d\x00a", b"f"], dtype=object),
        "ascii": np.array(["bcd", "b", "zzz", "", "d", "dd", "f"], dtype=object),
        "utf8": np.array(["é", "b", "", "x", "𝒳", "dd", "f"], dtype=object),
        "complex": np.array([1 + 2j] * n, dtype="complex64"),
        "triple": np.array([(i, i + 1, i + 2) for i in range(n)], dtype=[("", "int32")] * 3),
        "blob": np.array([b"\x00\x01", b"", b"zzz", b"c", b"d", b"dd", b"f"], dtype=object),
        "ints": np.array([np.arange(i, dtype="int64") for i in range(n)], dtype=object),
    }
    special = {"ascii": dict(dtype="ascii", var=True), "utf8": dict(dtype=str), "bytes": dict(dtype=np.bytes_), "blob": dict(dtype="blob", var=True), "ints": dict(dtype="int64", var=True)}
    attrs = [tiledb.Attr(name, **special.get(name, dict(dtype=values.dtype))) for name, values in columns.items()]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, sparse=True, capacity=3))
    with tiledb.open(str(folder), "w") as array:
        array[np.arange(n)] = columns


def nullable(folder):
    """Nullable attributes over tiles with some, with all and with no nulls."""
    import pandas

    dims = [tiledb.Dim("x", domain=(0, 99), tile=10, dtype="int64")]
    kinds = {"i": "int16", "u": "uint64", "f": "float32"}
    attrs = [tiledb.Attr(name, dtype=kind, nullable=True) for name, kind in kinds.items()]
    attrs += [tiledb.Attr("s", dtype="ascii", var=True, nullable=True), tiledb.Attr("t", dtype=str, nullable=True)]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, sparse=True, capacity=3))
    values = [3, None, 1, None, None, None, 8, 7, 9, None, 2]
    extension = {"i": "Int16", "u": "UInt64", "f": "Float32"}
    columns = {
        **{name: pandas.array(values, dtype=extension[name]) for name in kinds},
        "s": np.array([None if v is None else "v" * v for v in values], dtype=object),
        "t": np.array([None if v is None else "é" * v for v in values], dtype=object),
    }
    with tiledb.open(str(folder), "w") as array:
        array[np.arange(len(values))] = columns


def string_dimensions(folder):
    """String dimensions alone and beside others, empty strings among them, in two levels of R-tree."""
    dims = [
        tiledb.Dim("name", domain=(None, None), tile=None, dtype="ascii"),
        tiledb.Dim("x", domain=(-5.0, 5.0), tile=2.5, dtype="float64"),
        tiledb.Dim("when", domain=(np.datetime64("2000-01-01"), np.datetime64("2030-01-01")), tile=np.timedelta64(10, "D"), dtype="datetime64[D]"),
    ]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("", dtype="float32")], sparse=True, capacity=2))
    names = ["", "a", "ab", "b", "ba", "c", "cc", "ccc", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "zz"]
    n = len(names)
    with tiledb.open(str(folder), "w") as array:
        array[np.array(names, dtype=object), np.linspace(-5, 5, n), np.datetime64("2001-01-01") + np.arange(n)] = np.arange(n, dtype="float32")


def hilbert(folder):
    dims = [tiledb.Dim("x", domain=(-10.0, 10.0), tile=None, dtype="float32"), tiledb.Dim("y", domain=(-10.0, 10.0), tile=None, dtype="float32")]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("v", dtype="int32")], sparse=True, cell_order="hilbert", capacity=3))
    with tiledb.open(str(folder), "w") as array:
        array[np.linspace(-9, 9, 8, dtype="float32"), np.linspace(9, -9, 8, dtype="float32")] = np.arange(8, dtype="int32")


def filters(folder):
    """Every filter with options of its own, on attributes, dimensions, offsets, coordinates and validity."""
    dims = [tiledb.Dim("x", domain=(0, 1000), tile=10, dtype="uint64", filters=[tiledb.DoubleDeltaFilter(), tiledb.ZstdFilter(level=7)])]
    single = [
        tiledb.NoOpFilter(), tiledb.GzipFilter(level=9), tiledb.ZstdFilter(level=-3), tiledb.LZ4Filter(level=2), tiledb.RleFilter(),
        tiledb.Bzip2Filter(level=3), tiledb.DoubleDeltaFilter(), tiledb.BitWidthReductionFilter(window=512),
        tiledb.PositiveDeltaFilter(window=300), tiledb.BitShuffleFilter(), tiledb.ByteShuffleFilter(), tiledb.XORFilter(),
        tiledb.ChecksumMD5Filter(), tiledb.ChecksumSHA256Filter(),
    ]
    if hasattr(tiledb, "DeltaFilter"):
        single.append(tiledb.DeltaFilter())
    attrs = [tiledb.Attr(f"a{i}", dtype="int32", filters=tiledb.FilterList([f], chunksize=1000 + i)) for i, f in enumerate(single)]
    attrs.append(tiledb.Attr("scaled", dtype="float64", filters=[tiledb.FloatScaleFilter(factor=0.5, offset=2.0, bytewidth=4)]))
    attrs.append(tiledb.Attr("words", dtype="ascii", var=True, filters=[tiledb.DictionaryFilter()]))
    schema = schema_of(
        dims, attrs, sparse=True, coords_filters=[tiledb.ZstdFilter(level=3)], offsets_filters=[tiledb.PositiveDeltaFilter(), tiledb.LZ4Filter()],
        validity_filters=[tiledb.BitShuffleFilter(), tiledb.RleFilter()],
    )
    tiledb.Array.create(str(folder), schema)


def fills(folder):
    """Custom fill values."""
    dims = [tiledb.Dim("x", domain=(0, 9), tile=5, dtype="uint32")]
    attrs = [
        tiledb.Attr("i", dtype="int32", fill=-7), tiledb.Attr("f", dtype="float64", fill=0.25), tiledb.Attr("s", dtype="ascii", var=True, fill="none"),
        tiledb.Attr("t", dtype=str, fill="NA"), tiledb.Attr("d", dtype="datetime64[s]", fill=np.datetime64(99, "s")),
    ]
    tiledb.Array.create(str(folder), schema_of(dims, attrs))


def enumerations(folder):
    dims = [tiledb.Dim("x", domain=(0, 9), tile=5, dtype="uint32")]
    enums = [
        tiledb.Enumeration("tissue", False, values=["lung", "", "liver"]),
        tiledb.Enumeration("grade", True, values=[10, 20, 40]),
        tiledb.Enumeration("nothing", False, dtype="int64"),
    ]
    attrs = [tiledb.Attr("tissue", dtype="int8", enum_label="tissue"), tiledb.Attr("grade", dtype="uint16", enum_label="grade"), tiledb.Attr("n", dtype="int32", enum_label="nothing")]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, enums=enums, sparse=True))


def current_domain(folder):
    ctx = tiledb.Ctx()
    dims = [tiledb.Dim("x", domain=(0, 999), tile=10, dtype="int64"), tiledb.Dim("name", domain=(None, None), tile=None, dtype="ascii")]
    domain = tiledb.Domain(*dims)
    schema = tiledb.ArraySchema(domain=domain, attrs=[tiledb.Attr("v", dtype="int8")], sparse=True)
    rectangle = tiledb.NDRectangle(ctx, domain)
    rectangle.set_range("x", -0, 49)
    rectangle.set_range("name", "aa", "zzz")
    current = tiledb.CurrentDomain(ctx)
    current.set_ndrectangle(rectangle)
    schema.set_current_domain(current)
    tiledb.Array.create(str(folder), schema)


def labels(folder):
    dims = [tiledb.Dim("x", domain=(1, 10), tile=10, dtype="int64"), tiledb.Dim("y", domain=(1, 10), tile=5, dtype="int64")]
    labels = {0: {"l1": dims[0].create_label_schema("increasing", np.int64), "l2": dims[0].create_label_schema("decreasing", "ascii")}, 1: {"l3": dims[1].create_label_schema("increasing", np.float64)}}
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("v", dtype="int8")], dim_labels=labels))


def evolved(folder):
    """Two schemas; the fragment written before the change refers to the older. Footers consolidated."""
    dims = [tiledb.Dim("x", domain=(0, 9), tile=5, dtype="uint32")]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("old", dtype="int32"), tiledb.Attr("kept", dtype="int32")], sparse=True))
    with tiledb.open(str(folder), "w") as array:
        array[np.arange(3)] = {"old": np.arange(3, dtype="int32"), "kept": np.arange(3, dtype="int32")}
    change = tiledb.ArraySchemaEvolution(tiledb.Ctx())
    change.add_attribute(tiledb.Attr("new", dtype="ascii", var=True, nullable=True))
    change.drop_attribute("old")
    change.array_evolve(str(folder))
    with tiledb.open(str(folder), "w") as array:
        array[np.arange(4, 7)] = {"kept": np.arange(3, dtype="int32"), "new": np.array(["a", "b", "c"], dtype=object)}
    tiledb.consolidate(str(folder), config=tiledb.Config({"sm.consolidation.mode": "fragment_meta"}))


def consolidated(folder):
    """Three writes and two deletes, consolidated with timestamps and with what is left of the deletes; commits too."""
    dims = [tiledb.Dim("x", domain=(0, 99), tile=10, dtype="int32")]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("v", dtype="int32")], sparse=True, capacity=2))
    for t in (10, 20, 30):
        with tiledb.open(str(folder), "w", timestamp=t) as array:
            array[np.arange(t // 10, t // 10 + 3)] = np.full(3, t, dtype="int32")
    for t, condition in ((24, "v == 10 and x < 2"), (33, "v == 30")):
        with tiledb.open(str(folder), "d", timestamp=t) as array:
            array.query(cond=condition).submit()
    tiledb.consolidate(str(folder), config=tiledb.Config({"sm.consolidation.mode": "commits"}))
    tiledb.vacuum(str(folder), config=tiledb.Config({"sm.vacuum.mode": "commits"}))
    tiledb.consolidate(str(folder))


def deleted(folder):
    """Delete commits with conditions of several shapes."""
    dims = [tiledb.Dim("x", domain=(0, 99), tile=10, dtype="int32")]
    attrs = [tiledb.Attr("v", dtype="float64", nullable=True), tiledb.Attr("s", dtype="ascii", var=True)]
    tiledb.Array.create(str(folder), schema_of(dims, attrs, sparse=True))
    conditions = ["v == None", "s == 'lung' or (x >= 3 and v != 0.5)", "s in ['a', 'bc', '']", "x < 2 or not (x > 5)"]
    for t, condition in enumerate(conditions):
        with tiledb.open(str(folder), "d", timestamp=t + 1) as array:
            array.query(cond=condition).submit()


def vacuumed(folder):
    """Consolidated fragments vacuumed while a consolidated commits file still names them: an ignore file."""
    dims = [tiledb.Dim("x", domain=(0, 99), tile=10, dtype="int32")]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("v", dtype="int32")], sparse=True))
    for t in (10, 20):
        with tiledb.open(str(folder), "w", timestamp=t) as array:
            array[np.arange(3)] = np.full(3, t, dtype="int32")
    for mode in ("commits", "fragments"):
        tiledb.consolidate(str(folder), config=tiledb.Config({"sm.consolidation.mode": mode}))
        tiledb.vacuum(str(folder), config=tiledb.Config({"sm.vacuum.mode": mode}))


ARRAYS = {
    "dense-2d": dense_2d,
    "dense-frame": dense_frame,
    "dense-nullable": dense_nullable,
    "sparse-matrix": sparse_matrix,
    "sparse-types": sparse_types,
    "nullable": nullable,
    "string-dimensions": string_dimensions,
    "hilbert": hilbert,
    "filters": filters,
    "fills": fills,
    "enumerations": enumerations,
    "current-domain": current_domain,
    "labels": labels,
    "evolved": evolved,
    "consolidated": consolidated,
    "deleted": deleted,
    "vacuumed": vacuumed,
}


# --- metadata and groups ---------------------------------------------------------------------------------------------


def metadata(folder):
    dims = [tiledb.Dim("x", domain=(0, 9), tile=5, dtype="uint32")]
    tiledb.Array.create(str(folder), schema_of(dims, [tiledb.Attr("v", dtype="int8")]))
    with tiledb.open(str(folder), "w", timestamp=1) as array:
        array.meta["text"] = "héllo"
        array.meta["empty"] = ""
        array.meta["bytes"] = b"\x00\xff"
        array.meta["int"] = -(2**53) - 1
        array.meta["float"] = 0.1
        array.meta["true"] = True
        array.meta["ints"] = (1, 2, 3)
        array.meta["floats"] = [0.5, -1.5]
        array.meta["none"] = ()
        array.meta["array"] = np.arange(6, dtype="uint16")
        array.meta["é"] = "key"
    with tiledb.open(str(folder), "w", timestamp=2) as array:
        array.meta["text"] = "other"
        del array.meta["int"]
    with tiledb.open(str(folder), "r") as array:
        # Without the values themselves: that they are right is shown by tests against literals.
        return {"keys": sorted(array.meta.keys())}


def group(folder):
    tiledb.group_create(str(folder))
    members = folder / "inside"
    tiledb.Array.create(str(members), schema_of([tiledb.Dim("x", domain=(0, 9), tile=5, dtype="uint32")], [tiledb.Attr("v", dtype="int8")]))
    tiledb.group_create(str(folder / "nested"))
    tiledb.Array.create("mem://elsewhere/array", tiledb.ArraySchema.load(str(members)))
    with tiledb.Group(str(folder), "w") as opened:
        opened.add("inside", "by name", relative=True)
        opened.add("nested", relative=True)
        opened.add("mem://elsewhere/array", "far", relative=False)
    with tiledb.Group(str(folder), "w") as opened:
        opened.remove("by name")


# --- what the library says of them -----------------------------------------------------------------------------------


def describe_filter(filter):
    return type(filter).__name__


def describe_pipeline(pipeline):
    return {"chunk": pipeline.chunksize, "filters": [describe_filter(f) for f in pipeline]}


def describe_schema(path):
    schema = tiledb.ArraySchema.load(str(path))
    described = {
        "version": schema.version,
        "sparse": schema.sparse,
        "duplicates": bool(schema.sparse and schema.allows_duplicates),
        "cellOrder": schema.cell_order,
        "tileOrder": schema.tile_order,
        "capacity": schema.capacity,
        "offsets": describe_pipeline(schema.offsets_filters),
        "coords": describe_pipeline(schema.coords_filters),
        "validity": describe_pipeline(schema.validity_filters),
        "dimensions": [],
        "attributes": [],
    }
    for i in range(schema.domain.ndim):
        dim = schema.domain.dim(i)
        text = dim.dtype.kind == "S"
        described["dimensions"].append(
            {
                "name": dim.name,
                "dtype": str(dim.dtype),
                "domain": None if text else [rounded(end) for end in dim.domain],
                "tile": None if dim.tile is None or dim.tile == 0 else rounded(np.asarray(dim.tile).astype("int64")[()] if dim.dtype.kind == "M" else dim.tile),
            }
        )
    for i in range(schema.nattr):
        attr = schema.attr(i)
        described["attributes"].append(
            {
                "name": attr.name,
                "dtype": str(attr.dtype),
                "var": bool(attr.isvar),
                "nullable": bool(attr.isnullable),
                "filters": describe_pipeline(attr.filters),
                "enumeration": getattr(attr, "enum_label", None),
            }
        )
    return described


def describe_fragments(path):
    described = {}
    for info in tiledb.FragmentInfoList(str(path)):
        name = info.uri.rstrip("/").split("/")[-1]
        described[name] = {
            "sparse": bool(info.sparse),
            "cells": info.cell_num,
            "version": info.version,
            "schema": info.array_schema_name,
            "timestamps": list(info.timestamp_range),
            "nonEmptyDomain": [[rounded(end) for end in ends] for ends in info.nonempty_domain],
        }
        if info.sparse:
            with_mbrs = tiledb.FragmentInfoList(str(path), include_mbrs=True)
            mbrs = next(f for f in with_mbrs if f.uri == info.uri).mbrs
            described[name]["mbrs"] = [[[rounded(end) for end in ends] for ends in mbr] for mbr in mbrs]
    return described


# --- files -----------------------------------------------------------------------------------------------------------


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def files_of(folder):
    return sorted(f for f in folder.iterdir() if f.is_file()) if folder.is_dir() else []


def keep_array(name, folder, target):
    """Copies the structures of an array, and says what they should hold."""
    expected = {"schema": describe_schema(folder), "fragments": describe_fragments(folder)}
    schemas = files_of(folder / "__schema")
    for i, schema in enumerate(schemas):
        copy(schema, target / "schema" / f"{name}.{i}" if len(schemas) > 1 else target / "schema" / name)
    for enumeration in files_of(folder / "__schema" / "__enumerations"):
        copy(enumeration, target / "enumeration" / f"{name}.{enumeration.name}")
    for i, fragment in enumerate(sorted(f for f in (folder / "__fragments").iterdir() if f.is_dir())):
        meta = fragment / "__fragment_metadata.tdb"
        with meta.open("rb") as file:
            content = file.read()
        schema = next(s for s in schemas if s.name.encode() in content)
        copy(meta, target / "fragment" / name / f"{i}.metadata")
        copy(schema, target / "fragment" / name / f"{i}.schema")
        expected["fragments"].setdefault(fragment.name, {})["file"] = f"{i}.metadata"
        expected["fragments"][fragment.name]["sizes"] = {f.name: f.stat().st_size for f in files_of(fragment)}
    for file in files_of(folder / "__commits"):
        if file.suffix != ".wrt":
            copy(file, target / "commits" / name / file.name)
    for file in files_of(folder / "__fragment_meta"):
        copy(file, target / "commits" / name / file.name)
    return expected


def main():
    here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    work = Path(tempfile.mkdtemp())
    probe = work / "probe"
    dense_frame(probe)
    version = tiledb.ArraySchema.load(str(probe)).version
    target = here / f"v{version}"
    shutil.rmtree(target, ignore_errors=True)
    expected = {"library": tiledb.__version__, "core": ".".join(map(str, tiledb.libtiledb.version())), "arrays": {}}
    for name, make in ARRAYS.items():
        if version < 22 and name not in OLDER or version < 20 and name in NEWER:
            continue
        make(work / name)
        expected["arrays"][name] = keep_array(name, work / name, target)
    expected["metadata"] = metadata(work / "metadata")
    for i, file in enumerate(files_of(work / "metadata" / "__meta")):
        copy(file, target / "metadata" / str(i))
    group(work / "group")
    for i, file in enumerate(files_of(work / "group" / "__group")):
        copy(file, target / "group" / str(i))
    arrays = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in expected.pop("arrays").items())
    text = json.dumps(expected, ensure_ascii=False)[:-1] + ', "arrays": {\n' + arrays + "\n}}\n"
    (target / "expected.json").write_text(json.dumps(json.loads(text)) and text)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
