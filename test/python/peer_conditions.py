"""Arrays with query conditions, written and answered by TileDB-Py: its own tests of conditions are the model."""

import string
import time

import numpy as np
import tiledb


def make_condition_array(uri, name):
    """Writes one of the arrays below; a name that ends in " sparse" or " dense" goes to the builder with that flag."""
    base, _, kind = name.partition(" ")
    builder = _builders[base]
    if kind:
        builder(uri, kind == "sparse")
    else:
        builder(uri)


def query_conditions(uri, conditions):
    """Per condition {"columns": name -> list} or {"error": text}, read with every attribute."""
    with tiledb.open(uri) as array:
        return [_answer(array, condition) for condition in conditions]


def repr_of_values(uri, attribute):
    """Python's literal of each value of an attribute."""
    with tiledb.open(uri) as array:
        return [repr(value) for value in array.query(attrs=[attribute])[:][attribute].tolist()]


def _answer(array, condition):
    try:
        found = array.query(cond=condition)[:]
        return {"columns": {name: _plain(found[name]) for name in found}}
    except Exception as problem:
        return {"error": f"{type(problem).__name__}: {problem}".strip().splitlines()[0]}


def _plain(values):
    """A list in the shape of test/support/cells-json.ts, texts without NULs at their end."""
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else np.zeros(len(values), bool)
    return [None if null else _cell(value) for value, null in zip(np.ma.getdata(values), mask)]


def _cell(value):
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(int(value.astype(np.int64)))
    if isinstance(value, np.generic) and value.dtype.kind in "iu" and value.dtype.itemsize == 8:
        return str(int(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    return value.rstrip("\0") if isinstance(value, str) else value


def _create(uri, dims, attrs, sparse, **options):
    schema = tiledb.ArraySchema(domain=tiledb.Domain(*dims), attrs=attrs, sparse=sparse, **options)
    tiledb.Array.create(uri, schema)


def _dim(name, low, high, dtype=np.uint32, tile=1):
    return tiledb.Dim(name=name, domain=(low, high), tile=tile, dtype=dtype)


def _write(uri, sparse, coordinates, cells, timestamp=None):
    with tiledb.open(uri, "w", timestamp=timestamp) as array:
        if sparse:
            array[coordinates] = cells
        else:
            array[:] = cells


def _uidsa(uri, sparse):
    """create_input_array_UIDSA of TileDB-Py's tests, from a fixed seed."""
    random = np.random.default_rng(7)
    attrs = [
        tiledb.Attr(name="U", dtype=np.uint32),
        tiledb.Attr(name="I", dtype=np.int64),
        tiledb.Attr(name="D", dtype=np.float64),
        tiledb.Attr(name="S", dtype=np.dtype("|S1"), var=False),
        tiledb.Attr(name="A", dtype="ascii", var=True),
        tiledb.Attr(name="UTF", dtype=np.dtype("U"), var=True),
    ]
    _create(uri, [_dim("d", 1, 10)], attrs, sparse, **({"capacity": 4} if sparse else {}))
    texts = ["$", "£€ह£$", "한ह££$𐍈", "single'quotation", 'double"quotation', "both'\"", "back\\slash"]
    cells = {
        "U": np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 5], np.uint32),
        "I": np.array([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4]),
        "D": random.random(10),
        "S": np.array(list(string.ascii_lowercase[:10]), dtype="|S1"),
        "A": np.array([string.ascii_lowercase[i] * (i + 1) for i in range(10)], dtype="|S"),
        "UTF": np.array([*texts, "\x01\x85\u2028é", "\U000e0041\u200b\xad", "tab\tline\nend"]),
    }
    _write(uri, sparse, np.arange(1, 11), cells)


def _casting_num(uri):
    attrs = [tiledb.Attr(name="64-bit integer", dtype=np.int64), tiledb.Attr(name="double", dtype=np.float64)]
    _create(uri, [_dim("dim", 1, 10)], attrs, True)
    cells = {"64-bit integer": np.arange(10) - 5, "double": np.linspace(0, 1, 10)}
    _write(uri, True, np.arange(1, 11), cells)


def _casting_str(uri):
    dims = [tiledb.Dim(name="dim with spaces", dtype="ascii")]
    _create(uri, dims, [tiledb.Attr(name="attr with spaces", dtype="ascii", var=True)], True)
    values = np.array(["value with spaces", "nospaces", "value with spaces", "another value", ""])
    _write(uri, True, ["a", "b", "c", "d", "e"], {"attr with spaces": values})


def _var_strings(uri):
    attrs = [tiledb.Attr(name="ascii", dtype="ascii", var=True), tiledb.Attr(name="bytes", dtype=np.bytes_, var=True)]
    _create(uri, [tiledb.Dim(name="d", domain=(0, 4))], attrs, True)

    def rows(letters):
        return np.array([letters[i - 1] * i for i in range(1, 6)], dtype=np.bytes_)

    cells = {"ascii": rows(string.ascii_lowercase), "bytes": rows(string.ascii_uppercase)}
    _write(uri, True, np.arange(5), cells)


def _flags(uri, sparse, dtype=np.uint8):
    attrs = [tiledb.Attr(name=name, dtype=dtype) for name in "abc"]
    _create(uri, [_dim("d", 1, 8)], attrs, sparse)
    place = np.arange(8)
    cells = {name: (place >> shift & 1).astype(dtype) for shift, name in enumerate("abc")}
    _write(uri, sparse, np.arange(1, 9), cells)


def _booleans(uri, sparse):
    _flags(uri, sparse, np.bool_)


def _dates(uri):
    import pandas as pd

    days = np.random.default_rng(3).integers(438923600, 243892360000, 20, dtype=np.int64)
    tiledb.from_pandas(uri, pd.DataFrame(days, columns=["dates"]), column_types={"dates": "datetime64[ns]"})


def _bool_unused(uri):
    attrs = [tiledb.Attr(name="myint", dtype=int), tiledb.Attr(name="mystr", dtype=str), tiledb.Attr(name="mybool", dtype=bool)]
    _create(uri, [_dim("d", 1, 3)], attrs, True)
    cells = {"myint": np.array([10, 20, 30]), "mystr": np.array(["apple", "ball", "cat"]), "mybool": np.array([True, False, True])}
    _write(uri, True, np.arange(1, 4), cells)


def _overlapping(uri):
    _create(uri, [tiledb.Dim(name="dim", domain=(0, 10), dtype=np.uint32)], [tiledb.Attr(name="data", dtype=np.uint32)], True)
    _write(uri, True, np.arange(11), np.arange(11))


def _dots(uri):
    names = ["attr.one", "attr.two", "at.tr.thr.ee"]
    attrs = [tiledb.Attr(name=name, dtype=np.uint32) for name in names]
    _create(uri, [tiledb.Dim(name="dim", domain=(0, 10), dtype=np.uint32)], attrs, True)
    _write(uri, True, np.arange(11), {name: np.arange(11) for name in names})


def _enumerations(uri, sparse):
    enums = [
        tiledb.Enumeration("numbers", True, [10, 0, 2]),
        tiledb.Enumeration("texts", True, ["ccc", "a", "bb"]),
        tiledb.Enumeration("loose", False, ["x", "yy", "", "ü"]),
        tiledb.Enumeration("floats", True, [0.5, -1.0, 2.25]),
        tiledb.Enumeration("small", False, np.array([3, 1], np.int8)),
        tiledb.Enumeration("flags", True, np.array([True, False])),
        tiledb.Enumeration("none", False, dtype=str),
    ]
    attrs = [tiledb.Attr(enum.name, dtype=np.int32, enum_label=enum.name) for enum in enums[:4]]
    attrs += [tiledb.Attr(enum.name, dtype=np.uint8, enum_label=enum.name) for enum in enums[4:]]
    attrs.append(tiledb.Attr("maybe", dtype=np.int8, nullable=True, enum_label="texts"))
    attrs.append(tiledb.Attr("order", dtype=np.int64, enum_label="texts"))
    options = {"capacity": 5} if sparse else {}
    _create(uri, [_dim("d", 1, 24, np.int64, 6)], attrs, sparse, enums=enums, **options)
    place = np.arange(24)
    cells = {
        "numbers": place % 3,
        "texts": place // 8,
        "loose": place % 5 % 4,
        "floats": place // 3 % 3,
        "small": place % 2,
        "flags": place // 2 % 2,
        "none": place * 0,
        "maybe": np.ma.array(place % 3, mask=place % 4 == 0),
        "order": place // 5 % 3,
    }
    attrs = {a.name: a.dtype for a in attrs}
    cells = {name: values.astype(attrs[name]) for name, values in cells.items()}
    maybe = cells.pop("maybe")
    import pyarrow as pa

    cells["maybe"] = pa.array(maybe.tolist(), pa.int8())
    _write(uri, sparse, np.arange(1, 25), cells)


def _empty_condition(uri, sparse):
    _create(uri, [_dim("d", 1, 1, np.uint8)], [tiledb.Attr(name="a", dtype=np.uint8)], sparse)
    _write(uri, sparse, np.array([1]), {"a": np.array([0], np.uint8)})


def _nulls(uri):
    attrs = [
        tiledb.Attr(name="data", dtype="S", nullable=True),
        tiledb.Attr(name="number", dtype=np.int32, nullable=True),
        tiledb.Attr(name="always", dtype=np.int32),
    ]
    _create(uri, [_dim("index", 0, 5)], attrs, True, capacity=2)
    import pyarrow as pa

    cells = {
        "data": np.array(["data", None, "base", None, "", "z"], dtype="O"),
        "number": pa.array([None, None, -3, 0, 7, None], pa.int32()),
        "always": np.arange(6, dtype=np.int32),
    }
    _write(uri, True, np.arange(6), cells)


def _types(uri, sparse):
    """Each numeric type with its ends, zero and one; texts with prefixes of one another; times."""
    numeric = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
    attrs = [tiledb.Attr(name=name, dtype=name) for name in numeric]
    attrs += [tiledb.Attr(name=name, dtype=name) for name in ("float32", "float64", "datetime64[ms]", "datetime64[D]")]
    attrs += [tiledb.Attr(name="s3", dtype="S3"), tiledb.Attr(name="u", dtype="U", var=True)]
    _create(uri, [_dim("d", -3, 4, np.int32, 4)], attrs, sparse, **({"capacity": 3} if sparse else {}))
    cells = {}
    for name in numeric:
        info = np.iinfo(name)
        cells[name] = np.array([info.min, info.max, 0, 1, 2, 3, info.max - 1, info.min + 1], name)
    for name in ("float32", "float64"):
        cells[name] = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 0.1, 1e10, -2.5], name)
    cells["datetime64[ms]"] = np.array([0, -1, 1577836800000, 1, 2, 3, 4, 5]).astype("datetime64[ms]")
    cells["datetime64[D]"] = np.array([18262, 18263, 0, -1, 1, 2, 3, 4]).astype("datetime64[D]")
    cells["s3"] = np.array([b"a", b"ab", b"abc", b"b", b"ba", b"c", b"", b"abd"], "S3")
    cells["u"] = np.array(["", "a", "ab", "é", "z", "𐍈", "\ue000", "A"])
    _write(uri, sparse, np.arange(-3, 5), cells)


def _places(uri):
    """Dimensions of text and of numbers, two fragments that overlap."""
    dims = [tiledb.Dim(name="name", dtype="ascii"), tiledb.Dim(name="x", domain=(-5.0, 5.0), dtype=np.float64)]
    _create(uri, dims, [tiledb.Attr(name="a", dtype=np.int32)], True, capacity=2)
    for timestamp, shift in ((1, 0), (2, 2)):
        names = np.array(["", "a", "ab", "b", "lung", "z"][shift:])
        x = np.linspace(-4, 4, 6)[shift:]
        _write(uri, True, (names, x), {"a": (np.arange(len(names)) * 10 + timestamp).astype(np.int32)}, timestamp)


def _evolved(uri, sparse):
    """Attributes that older cells lack, plain, nullable and enumerated; an enumeration that grew."""
    colours = tiledb.Enumeration("colours", True, ["red", "green"])
    attrs = [tiledb.Attr("a", dtype=np.int32), tiledb.Attr("c", dtype=np.int8, enum_label="colours")]
    _create(uri, [_dim("d", 1, 8, np.int32, 4)], attrs, sparse, enums=[colours])
    place = np.arange(8)
    old = {"a": place.astype(np.int32), "c": (place % 2).astype(np.int8)}
    _write(uri, sparse, place + 1, old)
    time.sleep(0.01)  # schemas are told apart by their milliseconds
    change = tiledb.ArraySchemaEvolution()
    change.extend_enumeration(colours.extend(["blue"]))
    change.add_attribute(tiledb.Attr("b", dtype=np.int32))
    change.add_attribute(tiledb.Attr("n", dtype=np.int32, nullable=True))
    change.add_attribute(tiledb.Attr("t", dtype="ascii", var=True))
    change.array_evolve(uri)
    import pyarrow as pa

    half = {
        "a": np.arange(4, dtype=np.int32) + 100,
        "c": np.array([2, 2, 1, 0], np.int8),
        "b": np.arange(4, dtype=np.int32),
        "n": pa.array([None, 1, 2, None], pa.int32()),
        "t": np.array(["p", "q", "", "r"]),
    }
    time.sleep(0.01)
    with tiledb.open(uri, "w") as array:
        if sparse:
            array[np.arange(5, 9)] = half
        else:
            array[5:9] = half


_builders = {name[1:]: value for name, value in list(globals().items()) if name.startswith("_") and callable(value)}
