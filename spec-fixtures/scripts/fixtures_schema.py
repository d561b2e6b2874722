"""Fixtures of schemas: types of dimensions and attributes, orders, domains."""

import numpy as np
import tiledb
from cells import fixed, small, var
from fixture_kit import INTEGERS, PLAIN, TIMES, create, dense, dim, fixture, grid, known, sparse, write_box, write_points
from libtiledb import DATATYPES, kind, numpy_type

# --- sparse: every type of dimension ------------------------------------------------------------------------------



def _sparse_integer(datatype):
    def write(uri):
        info = np.iinfo(numpy_type(datatype))
        low, high = int(info.min), int(info.max) - 10
        spec = sparse([dim("d", datatype, (low, high), 10)], [PLAIN])
        create(uri, spec)
        middle = low // 2 + high // 2
        write_points(uri, spec, [(value,) for value in [high, low, middle, low + 1, middle + 3, high - 1, 2, 100, 5]])

    return write


for _datatype in INTEGERS:
    fixture(f"sparse-1d.{_datatype}", 18)(_sparse_integer(_datatype))


def _sparse_float(datatype):
    def write(uri):
        spec = sparse([dim("d", datatype, (-1e6, 1e6), 1000.0)], [PLAIN])
        create(uri, spec)
        write_points(uri, spec, [(value,) for value in [0.1, -0.0, 1e-30, -1e6, 1e6, 2.5, -2.5, 99999.5, 3e-5]])

    return write


for _datatype in ("float32", "float64"):
    query = {"ranges": {"d": [[-2.5, 0.25], [3.0, 1e5]]}}
    fixture(f"sparse-1d.{_datatype}", 18, [query])(_sparse_float(_datatype))


@fixture("sparse-1d.string", 18, [{"ranges": {"d": [["a", "lung"]]}}, {"ranges": {"d": [["", ""], ["x", "zz"]]}}])
def _(uri):
    spec = sparse([dim("d", "string_ascii")], [PLAIN, {"name": "s", "datatype": "string_utf8"}])
    create(uri, spec)
    texts = ["b", "", "a", "aa", "A", "lung", "T cell", "x" * 300, "lun", "lungs", "~", "0"]
    write_points(uri, spec, [(text,) for text in texts])


def _sparse_times(datatypes):
    def write(uri):
        spec = sparse([dim(f"d_{t}", t, (-(10**6), 10**12), 1000) for t in datatypes], [PLAIN])
        create(uri, spec)
        values = [0, -1, 10**12, -(10**6), 1, 86400, 17, 10**9, -999]
        write_points(uri, spec, [tuple(values[(i + k) % 9] for k in range(len(datatypes))) for i in range(9)])

    return write


for _first in range(0, len(TIMES), 3):
    _three = TIMES[_first : _first + 3]
    fixture(f"sparse-{len(_three)}d.{'.'.join(_three)}", 22)(_sparse_times(_three))


@fixture("sparse-2d.int-string", 18, [{"ranges": {"i": [[0, 3], [5, 5]], "s": [["a", "c"]]}}, {"order": "col-major"}])
def _(uri):
    spec = sparse([dim("i", "int64", (-10, 10), 3), dim("s", "string_ascii")], [PLAIN])
    create(uri, spec)
    write_points(uri, spec, [(i, s) for i in (0, 5, -3, 3, 10) for s in ("b", "", "ca", "c")])


@fixture(
    "sparse-3d.mixed",
    18,
    [{"ranges": {"x": [[2.0, 7.5]], "z": [["b", "b"]]}}, {"ranges": {"y": [[1, 1], [4, 6]]}, "order": "col-major"}],
)
def _(uri):
    spec = sparse(
        [dim("x", "float64", (0.0, 10.0), 2.0), dim("y", "uint16", (0, 9), 4), dim("z", "string_ascii")],
        [PLAIN, {"name": "s", "datatype": "string_ascii", "nullable": True}],
    )
    create(uri, spec)
    write_points(uri, spec, [(x / 2, y, "abc"[z]) for x, y, z in grid(40, 3, 20, 10, 3)])


def _sparse_orders(cells, tiles):
    def write(uri):
        spec = sparse([dim("r", "uint32", (0, 19), 6), dim("c", "uint32", (0, 19), 5)], [PLAIN])
        spec.update(cellOrder=cells, tileOrder=tiles)
        create(uri, spec)
        write_points(uri, spec, grid(60, 5, 20, 20))

    return write


for _cells in ("row-major", "col-major", "hilbert"):
    for _tiles in ("row-major", "col-major"):
        if _cells == "hilbert" and _tiles == "col-major":
            continue
        _box = {"ranges": {"r": [[3, 8]], "c": [[0, 2], [11, 17]]}}
        _reads = [_box, {**_box, "order": "col-major"}, {"order": "col-major"}]
        fixture(f"sparse-2d.cells-{_cells}.tiles-{_tiles}", 18, _reads)(_sparse_orders(_cells, _tiles))


@fixture("sparse-2d.no-extent", 18, [{"ranges": {"c": [[4, 9], [15, 15]]}}])
def _(uri):
    """As Python cellarr's matrices: the whole uint32 domain, no tile extent."""
    dims = [dim(name, "uint32", (0, 2**32 - 2), None) for name in ("r", "c")]
    spec = sparse(dims, [{"name": "data", "datatype": "uint16", "filters": ["gzip"]}])
    create(uri, spec)
    write_points(uri, spec, grid(80, 6, 20, 20), data=fixed(small(np.random.default_rng(6), "uint16", 80)))


@fixture("sparse-1d.one-cell", 18)
def _(uri):
    spec = sparse([dim("d")], [PLAIN])
    create(uri, spec)
    write_points(uri, spec, [(42,)])


@fixture("sparse-1d.no-attributes", 20)
def _(uri):
    spec = sparse([dim("d")], [])
    create(uri, spec)
    write_points(uri, spec, [(4,), (2,), (99,)])


# --- attributes ---------------------------------------------------------------------------------------------------

FIXED = [t for t in DATATYPES if t != "any"]


def _attributes(make, datatypes, is_dense=False):
    def write(uri):
        attributes = [{"name": f"a_{t}", "datatype": t, **make} for t in datatypes if known(t)]
        if is_dense:
            spec = dense([dim("d", "int32", (0, 19), 6)], attributes)
            create(uri, spec)
            write_box(uri, spec, [[1, 16]])
        else:
            spec = sparse([dim("d", "int32", (0, 99), 10)], attributes)
            create(uri, spec)
            write_points(uri, spec, [(i * 7 % 99,) for i in range(16)])

    return write


_GROUPS = {
    "numbers": [t for t in FIXED if kind(t) in ("integer", "float") and t not in TIMES],
    "times": TIMES,
    "text-and-bytes": [t for t in FIXED if kind(t) in ("text", "blob", "bool")],
}
for _label, _types in _GROUPS.items():
    _old = 22 if _label == "times" else 18
    fixture(f"attributes.{_label}", _old)(_attributes({"cellValNum": 1}, _types))
    fixture(f"attributes.{_label}.nullable", 22)(_attributes({"cellValNum": 1, "nullable": True}, _types))
    fixture(f"attributes.{_label}.three-values", 22)(_attributes({"cellValNum": 3}, _types))
    fixture(f"attributes.{_label}.var", _old)(_attributes({"cellValNum": "var"}, _types))
    fixture(f"attributes.{_label}.var-nullable", _old)(_attributes({"cellValNum": "var", "nullable": True}, _types))
    fixture(f"attributes.{_label}.dense", 22)(_attributes({"cellValNum": 1}, _types, True))
    fixture(f"attributes.{_label}.dense-var-nullable", 22)(
        _attributes({"cellValNum": "var", "nullable": True}, _types, True)
    )


@fixture("attributes.any", 22)
def _(uri):
    spec = sparse([dim("d")], [{"name": "a", "datatype": "any", "cellValNum": "var"}])
    create(uri, spec)
    write_points(uri, spec, [(1,), (2,), (3,)], a=var([b"\x00\xff", b"", b"abc"]))


@fixture("attributes.names", 18)
def _(uri):
    """Anonymous, and with characters that file names don't take."""
    names = ["", "a b", "naïve/%", "x.y:z*?\\\"<>|", "日本"]
    spec = sparse([dim("d dim/é")], [{"name": name, "datatype": "uint8"} for name in names])
    create(uri, spec)
    write_points(uri, spec, [(3,), (1,), (2,)])


@fixture("attributes.fill", 18)
def _(uri):
    attributes = [
        {"name": "i", "datatype": "int32", "fill": -7},
        {"name": "f", "datatype": "float64", "fill": 2.5},
        {"name": "u", "datatype": "uint64", "fill": 2**64 - 2},
        {"name": "t", "datatype": "string_ascii", "fill": "none"},
        {"name": "v", "datatype": "int16", "cellValNum": "var", "fill": [1, 2, 3]},
        {"name": "m", "datatype": "int16", "cellValNum": 2, "fill": [8, 9]},
        {"name": "n", "datatype": "int32", "nullable": True, "fill": 5},
        {"name": "nv", "datatype": "int32", "nullable": True, "fill": 6, "fillValid": True},
        {"name": "d", "datatype": "float32"},
        {"name": "b", "datatype": "bool"},
        {"name": "e", "datatype": "datetime_ms"},
        {"name": "s", "datatype": "string_utf8"},
        {"name": "c", "datatype": "char"},
    ]
    spec = dense([dim("d0", "int32", (1, 6), 4), dim("d1", "int32", (1, 5), 2)], attributes)
    create(uri, spec)
    write_box(uri, spec, [[2, 2], [2, 3]])
    write_box(uri, spec, [[5, 6], [4, 5]], seed=2, timestamp=2)


@fixture("attributes.enumerations", 20)
def _(uri):
    floats = np.array([0.5, -1.0, 1e300])
    enumerations = [
        {"name": "tissues", "values": ["lung", "heart", "naïve", ""]},
        {"name": "stages", "values": ["low", "mid", "high"], "ordered": True, "datatype": "string_ascii"},
        {"name": "doses", "values": floats.tolist(), "datatype": "float64"},
        {"name": "ids", "values": [2**40, -1], "datatype": "int64"},
        {"name": "nothing", "values": []},
    ]
    attributes = [
        {"name": "tissue", "datatype": "uint8", "enumeration": "tissues", "codes": 4},
        {"name": "stage", "datatype": "int32", "enumeration": "stages", "codes": 3, "nullable": True},
        {"name": "dose", "datatype": "uint16", "enumeration": "doses", "codes": 3},
        {"name": "id", "datatype": "int64", "enumeration": "ids", "codes": 2},
    ]
    if tiledb.libtiledb.version() < (2, 18):
        enumerations.pop()  # empty ones came later
    else:
        attributes.append({"name": "none", "datatype": "int8", "enumeration": "nothing", "codes": 1, "nullable": True})
    spec = sparse([dim("d")], attributes, enumerations=enumerations)
    create(uri, spec)
    given = {"none": fixed(np.zeros(12, "i1"), bytes(12))} if len(attributes) == 5 else {}
    write_points(uri, spec, [(i * 5,) for i in range(12)], **given)


# --- dense --------------------------------------------------------------------------------------------------------


def _dense_orders(cells, tiles):
    def write(uri):
        spec = dense([dim("r", "int32", (1, 9), 4), dim("c", "int32", (-3, 3), 3)], [PLAIN, {"name": "s", "datatype": "string_utf8"}])
        spec.update(cellOrder=cells, tileOrder=tiles)
        create(uri, spec)
        write_box(uri, spec, [[1, 9], [-3, 3]])

    return write


for _cells in ("row-major", "col-major"):
    for _tiles in ("row-major", "col-major"):
        _box = {"ranges": {"r": [[3, 8]], "c": [[-2, -1], [1, 3]]}}
        _reads = [_box, {**_box, "order": "col-major"}, {"ranges": {"r": [[5, 5]], "c": [[0, 0]]}}]
        fixture(f"dense-2d.cells-{_cells}.tiles-{_tiles}", 18, _reads)(_dense_orders(_cells, _tiles))


def _dense_1d(datatype):
    def write(uri):
        low = 0 if datatype.startswith("uint") else -5
        spec = dense([dim("d", datatype, (low, low + 20), 6)], [PLAIN])
        create(uri, spec)
        write_box(uri, spec, [[low, low + 20]])

    return write


for _datatype in [*INTEGERS, *TIMES]:
    fixture(f"dense-1d.{_datatype}", 22, [{"ranges": {"d": [[3, 9]]}}])(_dense_1d(_datatype))


@fixture("dense-1d.frame", 18, [{"ranges": {"__tiledb_rows": [[0, 2], [7, 7]]}}])
def _(uri):
    """As Python cellarr's frames: the whole uint64 domain, one long tile."""
    dims = [dim("__tiledb_rows", "uint64", (0, 2**64 - 2 - 10000), 10000)]
    text = {"datatype": "string_ascii", "filters": ["gzip"]}
    spec = dense(dims, [{"name": "id", **text}, {"name": "tissue", **text}, {"name": "n", "datatype": "int64", "filters": ["gzip"]}])
    create(uri, spec)
    write_box(uri, spec, [[0, 9]])


@fixture("dense-3d", 18, [{"ranges": {"x": [[0, 1]], "y": [[1, 1], [3, 4]], "z": [[2, 2]]}}, {"order": "col-major"}])
def _(uri):
    dims = [dim("x", "uint8", (0, 4), 2), dim("y", "uint8", (0, 4), 3), dim("z", "uint8", (0, 2), 2)]
    spec = dense(dims, [PLAIN], tileOrder="col-major")
    create(uri, spec)
    write_box(uri, spec, [[0, 4], [0, 4], [0, 2]])


@fixture("dense-2d.partial", 18, [{"ranges": {"r": [[1, 10]], "c": [[1, 10]]}}])
def _(uri):
    """Written box inside the domain, not on the borders of tiles."""
    spec = dense([dim("r", "int64", (1, 10), 4), dim("c", "int64", (1, 10), 4)], [PLAIN, {"name": "s", "datatype": "string_ascii", "nullable": True}])
    create(uri, spec)
    write_box(uri, spec, [[3, 6], [2, 7]])


@fixture("dense-2d.overlapping", 18, [{"timestamp": 2}, {"timestamp": [2, 3]}, {"ranges": {"r": [[4, 7]], "c": [[1, 2]]}}])
def _(uri):
    spec = dense([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], [PLAIN, {"name": "s", "datatype": "string_ascii"}])
    create(uri, spec)
    for number, box in enumerate([[[0, 5], [0, 5]], [[4, 9], [3, 8]], [[2, 4], [1, 9]], [[7, 7], [7, 7]]]):
        write_box(uri, spec, box, seed=number, timestamp=number + 1)


@fixture("dense-2d.col-major-write", 18)
def _(uri):
    spec = dense([dim("r", "int32", (0, 5), 4), dim("c", "int32", (0, 5), 4)], [PLAIN])
    create(uri, spec)
    write_box(uri, spec, [[0, 5], [0, 5]], order="col-major")
