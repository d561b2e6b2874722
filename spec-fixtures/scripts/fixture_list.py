"""The fixtures. Each is a function that writes an array (or group) into the folder that it is given; `since` is the
first format version whose core can write it."""

import numpy as np
import tiledb
from cells import column_for, columns_for, fixed, numbers, small, var, words
from core_cells import consolidate, put_metadata, vacuum, write_cells
from core_schema import create_array as create_in
from libtiledb import DATATYPES, Core, kind, numpy_type

FIXTURES = {}
READS = {}
NEWEST = 22
# Formats 18 to 21 differ from 22 in little: 18 and 20 get these, 19 and 21 the few below.
OLDER = (
    "sparse-2d.int-string", "sparse-2d.no-extent", "sparse-3d", "attributes.fill", "attributes.enumerations",
    "attributes.names", "attributes.numbers", "attributes.text-and-bytes.var-nullable", "dense-1d.frame",
    "dense-2d.overlapping", "dense-3d", "filters.delta", "filters.rle.text", "filters.dense", "fragments", "empty",
    "metadata", "group",
)  # fmt: skip
BETWEEN = (
    "sparse-2d.int-string", "attributes.fill", "attributes.enumerations", "dense-1d.frame", "dense-2d.overlapping",
    "filters.delta", "filters.dense", "fragments.consolidated-vacuumed", "fragments.evolved", "metadata.deleted",
    "group.removed",
)  # fmt: skip


def is_written(name, version):
    """Whether the core of a format version writes the fixture."""
    first = FIXTURES[name][1]
    if first > version or version == NEWEST:
        return first <= version
    return name.startswith(OLDER if version in (18, 20) else BETWEEN)


PLAIN = {"name": "a", "datatype": "int32"}


def fixture(name, since=NEWEST, reads=()):
    def register(function):
        FIXTURES[name] = (function, since)
        if reads:
            READS[name] = list(reads)
        return function

    return register


def create(uri, spec):
    core = Core()
    create_in(core, uri, spec)
    core.close()


def dim(name, datatype="int32", domain=(0, 99), extent=10, **more):
    if datatype == "string_ascii":
        return {"name": name, "datatype": datatype, **more}
    return {"name": name, "datatype": datatype, "domain": list(domain), "tileExtent": extent, **more}


def sparse(dimensions, attributes, **more):
    return {"arrayType": "sparse", "dimensions": dimensions, "attributes": attributes, "capacity": 7, **more}


def dense(dimensions, attributes, **more):
    return {"arrayType": "dense", "dimensions": dimensions, "attributes": attributes, **more}


def coordinates(datatype, values):
    if datatype == "string_ascii":
        return var([value.encode() for value in values])
    return fixed(np.array(values, numpy_type(datatype)))


def write_points(uri, spec, points, seed=1, timestamp=1, **columns):
    """A sparse fragment: `points` is a list of tuples, attributes are drawn unless given."""
    rng = np.random.default_rng(seed)
    cells = {**columns_for(rng, spec, len(points)), **columns}
    for number, dimension in enumerate(spec["dimensions"]):
        cells[dimension["name"]] = coordinates(dimension["datatype"], [point[number] for point in points])
    write_cells(uri, cells, timestamp=timestamp)


def write_box(uri, spec, box, seed=1, timestamp=1, order="row-major", **columns):
    """A dense fragment over `box`, [low, high] per dimension."""
    count = int(np.prod([high - low + 1 for low, high in box]))
    cells = {**columns_for(np.random.default_rng(seed), spec, count), **columns}
    write_cells(uri, cells, subarray=box, timestamp=timestamp, order=order)


def grid(count, seed, *sizes):
    """Distinct points of a grid in random order."""
    rng = np.random.default_rng(seed)
    flat = rng.choice(int(np.prod(sizes)), count, replace=False)
    return [tuple(int(part) for part in np.unravel_index(one, sizes)) for one in flat]


# --- sparse: every type of dimension ------------------------------------------------------------------------------

INTEGERS = "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
TIMES = [name for name in DATATYPES if name.startswith(("datetime_", "time_"))]


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
        attributes = [{"name": f"a_{t}", "datatype": t, **make} for t in datatypes if _known(t)]
        if is_dense:
            spec = dense([dim("d", "int32", (0, 19), 6)], attributes)
            create(uri, spec)
            write_box(uri, spec, [[1, 16]])
        else:
            spec = sparse([dim("d", "int32", (0, 99), 10)], attributes)
            create(uri, spec)
            write_points(uri, spec, [(i * 7 % 99,) for i in range(16)])

    return write


def _known(datatype):
    """Geometries came with core 2.20."""
    return not datatype.startswith("geom") or tiledb.libtiledb.version() >= (2, 20)


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


for _datatype in [*INTEGERS, "datetime_day", "datetime_ns", "time_sec"]:
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


# --- filters ------------------------------------------------------------------------------------------------------

COUNT = 100


def _filtered(filters, types, text=(), chunk=65536, offsets=None, dims=True, validity=None, halve=0):
    """Cells through `filters`: attributes of `types` (shifted right by `halve` bits), text attributes, the dimension."""

    def write(uri):
        pipeline = {"maxChunkSize": chunk, "filters": filters}
        attributes = [{"name": f"a_{t}", "datatype": t, "filters": pipeline} for t in types]
        attributes += [{"name": f"s_{t}", "datatype": t, "filters": pipeline} for t in text]
        attributes.append({"name": "n", "datatype": "int32", "nullable": True})
        dimension = dim("d", "int64", (0, 10**6), 1000)
        if dims:
            dimension["filters"] = pipeline
        spec = sparse([dimension], attributes, capacity=45)
        if offsets is not None:
            spec["offsetsFilters"] = {"maxChunkSize": chunk, "filters": offsets}
        if validity is not None:
            spec["validityFilters"] = {"maxChunkSize": chunk, "filters": validity}
        create(uri, spec)
        rng = np.random.default_rng(11)
        points = np.cumsum(rng.integers(1, 100, COUNT)).tolist()
        cells = {f"a_{t}": fixed(_telling(rng, t) >> halve if halve else _telling(rng, t)) for t in types}
        cells.update({f"s_{t}": var(words(rng, t, COUNT)) for t in text})
        write_points(uri, spec, [(point,) for point in points], **cells)

    return write


def _telling(rng, datatype):
    """Half small values with runs, half anything."""
    values = small(rng, datatype, COUNT)
    values[COUNT // 2 :] = numbers(rng, datatype, COUNT - COUNT // 2)
    return values


_ALL = ["uint8", "int16", "int32", "uint64", "float32", "float64", "datetime_ms"]
_INTS = ["int8", "uint16", "int32", "uint32", "int64", "uint64"]
_TEXT = ["string_ascii", "string_utf8"]
for _name in ("gzip", "zstd", "lz4", "bzip2"):
    fixture(f"filters.{_name}", 18)(_filtered([_name], _ALL, _TEXT, offsets=[_name], validity=[_name]))
for _name in ("byteshuffle", "bitshuffle", "checksum_md5", "checksum_sha256"):
    _tail = [] if _name.startswith("checksum") else ["zstd"]
    fixture(f"filters.{_name}", 22)(_filtered([_name, *_tail], _ALL, _TEXT, offsets=[_name], validity=[_name]))
    fixture(f"filters.{_name}.small-chunks", 22)(_filtered([_name], _ALL, _TEXT, chunk=100, offsets=[_name]))
fixture("filters.none", 22)(_filtered([], _ALL, _TEXT, offsets=[], validity=[]))
fixture("filters.noop", 22)(_filtered(["none"], _ALL, _TEXT, offsets=["none"], validity=["none"]))
fixture("filters.rle", 18)(_filtered(["rle"], _ALL, _TEXT, offsets=["rle"], validity=["rle"]))
fixture("filters.rle.text", 18)(_filtered(["rle", "zstd"], [], _TEXT, dims=False))
fixture("filters.dictionary.text", 18)(_filtered(["dictionary", "gzip"], [], _TEXT, dims=False))
fixture("filters.dictionary.plain", 22)(_filtered(["dictionary"], [], _TEXT, dims=False))
fixture("filters.double_delta", 18)(
    # The core refuses differences of differences beyond 64 bits.
    _filtered(["double_delta"], [*_INTS, "datetime_ms"], offsets=["double_delta"], halve=3)
)
for _first, _name in enumerate(("bit_width_reduction", "positive_delta")):
    _types = _INTS if _first == 0 else []
    for _window in (256, 64):
        _spec = {"type": _name, "maxWindow": _window}
        fixture(f"filters.{_name}.window-{_window}", 18 if _window == 256 else 22)(
            _filtered([_spec], _types, offsets=[_spec, "zstd"])
        )
fixture("filters.gzip.small-chunks", 18)(_filtered(["gzip"], _ALL, _TEXT, chunk=200, offsets=["gzip"]))
fixture("filters.zstd.level-9", 22)(_filtered([{"type": "zstd", "level": 9}], _ALL, _TEXT))
fixture("filters.chain.shuffles", 22)(
    _filtered(["byteshuffle", "bitshuffle", "zstd", "checksum_sha256"], _ALL, _TEXT, offsets=["positive_delta", "zstd"])
)
fixture("filters.chain.bit-width", 22)(
    _filtered(["bit_width_reduction", "byteshuffle", "lz4", "checksum_md5"], _INTS, chunk=1000)
)
_delta = {"type": "delta", "level": -1}
fixture("filters.delta", 19)(_filtered([_delta], [*_INTS, "datetime_ms"], offsets=[_delta]))
fixture("filters.chain.delta-shuffle", 19)(_filtered([_delta, "byteshuffle", "zstd"], _INTS, offsets=[_delta, "zstd"]))
fixture("filters.chain.delta-small-chunks", 22)(_filtered([_delta, "bitshuffle", "gzip"], _INTS, chunk=128))
fixture("filters.delta.reinterpret", 22)(
    _filtered([{**_delta, "reinterpret": "int32"}], ["int32", "uint32", "int64", "float32", "float64"])
)
fixture("filters.double_delta.reinterpret", 22)(
    _filtered([{"type": "double_delta", "level": -1, "reinterpret": "uint16"}], ["int32", "uint16", "float32"], dims=False)
)
fixture("filters.xor", 22)(_filtered(["xor"], ["int8", "int16", "int32", "uint64", "float32", "float64"]))


@fixture("filters.scale_float", 22)
def _(uri):
    def scaled(width):
        return [{"type": "scale_float", "factor": 0.01, "offset": -3.0, "byteWidth": width}, "zstd"]

    attributes = [{"name": f"{t}_{w}", "datatype": t, "filters": scaled(w)} for t in ("float32", "float64") for w in (2, 4, 8)]
    spec = sparse([dim("d", "int32", (0, 999))], attributes)
    create(uri, spec)
    values = np.random.default_rng(4).normal(size=50) * 100
    cells = {a["name"]: fixed(values.astype(numpy_type(a["datatype"]))) for a in attributes}
    write_points(uri, spec, [(i * 3,) for i in range(50)], **cells)


@fixture("filters.string-dimension", 18)
def _(uri):
    dims = [dim("r", "string_ascii", filters=["rle"]), dim("c", "string_ascii", filters=["dictionary", "zstd"])]
    spec = sparse(dims, [PLAIN], capacity=20)
    create(uri, spec)
    write_points(uri, spec, [(f"cell{r}", "gene" * (c % 3) + str(c)) for r, c in grid(70, 8, 15, 12)])


@fixture("filters.dense", 18)
def _(uri):
    kinds = [["byteshuffle", "gzip"], ["double_delta"], ["bit_width_reduction", "zstd"], ["lz4"], ["bzip2"], ["rle"]]
    attributes = [{"name": f"a{i}", "datatype": "uint32", "filters": f} for i, f in enumerate(kinds)]
    attributes.append({"name": "s", "datatype": "string_ascii", "filters": ["dictionary"]})
    spec = dense([dim("r", "int32", (0, 29), 16), dim("c", "int32", (0, 19), 8)], attributes)
    create(uri, spec)
    rng = np.random.default_rng(12)
    given = {f"a{i}": fixed(small(rng, "uint32", 600)) for i in range(len(kinds))}
    write_box(uri, spec, [[0, 29], [0, 19]], **given)


@fixture("filters.var-large", 22)
def _(uri):
    """Cells longer than a chunk, chunks that don't end where cells do."""
    attributes = [
        {"name": "s", "datatype": "string_ascii", "filters": {"maxChunkSize": 64, "filters": ["zstd"]}},
        {"name": "v", "datatype": "int32", "cellValNum": "var", "filters": {"maxChunkSize": 50, "filters": ["byteshuffle", "lz4"]}},
    ]
    spec = sparse([dim("d")], attributes, capacity=5)
    create(uri, spec)
    rng = np.random.default_rng(3)
    texts = [bytes(rng.integers(97, 123, length).astype("u1")) for length in (0, 1, 63, 64, 65, 200, 3, 130, 0, 64, 1)]
    ints = [numbers(rng, "int32", length).tobytes() for length in (0, 12, 13, 1, 40, 0, 3, 25, 2, 12, 0)]
    write_points(uri, spec, [(i * 9,) for i in range(11)], s=var(texts), v=var(ints))


# --- fragments ----------------------------------------------------------------------------------------------------

_AT = [{"timestamp": t} for t in (1, 2, 3)] + [{"timestamp": [2, 3]}, {"ranges": {"r": [[2, 5]], "c": [[0, 4], [7, 7]]}}]


def _overlapping(uri, duplicates=False, **more):
    dims = [dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)]
    attributes = [PLAIN, {"name": "s", "datatype": "string_ascii"}, {"name": "n", "datatype": "uint8", "nullable": True}]
    spec = sparse(dims, attributes, allowsDuplicates=duplicates, **more)
    create(uri, spec)
    for number in range(4):
        points = grid(30, number, 10, 10)
        if duplicates:
            points += points[:3]
        write_points(uri, spec, points, seed=number, timestamp=number + 1)
    return spec


@fixture("fragments.overlapping", 18, _AT)
def _(uri):
    _overlapping(uri)


@fixture("fragments.col-major", 18, _AT)
def _(uri):
    _overlapping(uri, cellOrder="col-major", tileOrder="col-major")


@fixture("fragments.hilbert", 22, _AT)
def _(uri):
    _overlapping(uri, cellOrder="hilbert")


@fixture("fragments.duplicates", 18, _AT)
def _(uri):
    _overlapping(uri, True)


@fixture("fragments.same-timestamp", 22)
def _(uri):
    spec = sparse([dim("d")], [PLAIN])
    create(uri, spec)
    write_points(uri, spec, [(1,), (2,), (3,)], seed=1, timestamp=7)
    write_points(uri, spec, [(10,), (11,)], seed=2, timestamp=7)


@fixture("fragments.consolidated", 18, _AT)
def _(uri):
    _overlapping(uri)
    consolidate(uri)


@fixture("fragments.consolidated-vacuumed", 18, _AT)
def _(uri):
    _overlapping(uri)
    consolidate(uri)
    vacuum(uri)


@fixture("fragments.consolidated-vacuumed.duplicates", 18, _AT)
def _(uri):
    _overlapping(uri, True)
    consolidate(uri)
    vacuum(uri)


@fixture("fragments.consolidated-then-written", 22, _AT)
def _(uri):
    spec = _overlapping(uri)
    consolidate(uri)
    vacuum(uri)
    for number in (5, 6):
        write_points(uri, spec, grid(10, number, 10, 10), seed=number, timestamp=number)


@fixture("fragments.consolidated-twice", 22, _AT)
def _(uri):
    spec = _overlapping(uri)
    consolidate(uri)
    vacuum(uri)
    write_points(uri, spec, grid(10, 5, 10, 10), seed=5, timestamp=5)
    consolidate(uri)
    vacuum(uri)


@fixture("fragments.consolidated-dense", 18, [{"timestamp": 1}, {"ranges": {"r": [[0, 9]], "c": [[2, 3]]}}])
def _(uri):
    spec = dense([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], [PLAIN, {"name": "s", "datatype": "string_ascii"}])
    create(uri, spec)
    for number, box in enumerate([[[0, 5], [0, 5]], [[4, 7], [3, 8]], [[2, 4], [1, 7]]]):
        write_box(uri, spec, box, seed=number, timestamp=number + 1)
    consolidate(uri)
    vacuum(uri)


@fixture("fragments.commits-consolidated", 18, _AT)
def _(uri):
    _overlapping(uri)
    consolidate(uri, {"sm.consolidation.mode": "commits"})


@fixture("fragments.commits-consolidated-vacuumed", 18, _AT)
def _(uri):
    _overlapping(uri)
    consolidate(uri, {"sm.consolidation.mode": "commits"})
    vacuum(uri, {"sm.vacuum.mode": "commits"})


@fixture("fragments.commits-consolidated-ignored", 20, _AT)
def _(uri):
    """Fragments that a consolidated commits file names are consolidated and vacuumed: an ignore file takes them out."""
    _overlapping(uri)
    consolidate(uri, {"sm.consolidation.mode": "commits"})
    vacuum(uri, {"sm.vacuum.mode": "commits"})
    consolidate(uri)
    vacuum(uri)


@fixture("fragments.metadata-consolidated", 18, _AT)
def _(uri):
    _overlapping(uri)
    consolidate(uri, {"sm.consolidation.mode": "fragment_meta"})


@fixture("fragments.evolved", 18)
def _(uri):
    """An attribute added and another dropped between fragments."""
    spec = sparse([dim("d")], [PLAIN, {"name": "old", "datatype": "float32"}])
    create(uri, spec)
    write_points(uri, spec, [(i,) for i in range(0, 20, 2)], timestamp=1)
    context = tiledb.default_ctx()
    evolution = tiledb.ArraySchemaEvolution(context)
    evolution.add_attribute(tiledb.Attr(name="new", dtype=np.int16, fill=-3))
    evolution.add_attribute(tiledb.Attr(name="text", dtype="ascii", var=True, nullable=True))
    evolution.drop_attribute("old")
    evolution.array_evolve(uri)
    attributes = [PLAIN, {"name": "new", "datatype": "int16"}, {"name": "text", "datatype": "string_ascii", "nullable": True}]
    later = {**spec, "attributes": attributes}
    points = [(i,) for i in range(0, 20, 3)]
    rng = np.random.default_rng(2)
    cells = {**columns_for(rng, later, len(points)), "d": coordinates("int32", [point[0] for point in points])}
    write_cells(uri, cells)


# --- the rest -----------------------------------------------------------------------------------------------------


@fixture("empty.sparse", 18)
def _(uri):
    create(uri, sparse([dim("d"), dim("s", "string_ascii")], [PLAIN, {"name": "t", "datatype": "string_utf8"}]))


@fixture("empty.dense", 18)
def _(uri):
    create(uri, dense([dim("d")], [PLAIN]))


@fixture("current-domain.sparse", 22)
def _(uri):
    dims = [dim("d", "int32", (0, 999)), dim("s", "string_ascii"), dim("f", "float64", (0.0, 1.0), 0.5)]
    spec = sparse(dims, [PLAIN], currentDomain=[[5, 60], ["b", "q"], [0.25, 0.75]])
    create(uri, spec)
    write_points(uri, spec, [(5, "b", 0.25), (60, "q", 0.75), (20, "cc", 0.5)])


@fixture("current-domain.dense", 22)
def _(uri):
    spec = dense([dim("d", "int64", (0, 999), 100)], [PLAIN], currentDomain=[[0, 49]])
    create(uri, spec)
    write_box(uri, spec, [[10, 29]])


def _metadata_entries():
    rng = np.random.default_rng(9)
    entries = {}
    for datatype in DATATYPES:
        if datatype == "any" or not _known(datatype):
            continue
        if kind(datatype) == "text":
            entries[datatype] = {"datatype": datatype, "value": "text"}
        elif kind(datatype) == "blob":
            entries[datatype] = {"datatype": datatype, "value": b"\x00\xffblob"}
        else:
            entries[datatype] = {"datatype": datatype, "value": numbers(rng, datatype, 1).tolist()}
            entries[f"{datatype}[3]"] = {"datatype": datatype, "value": numbers(rng, datatype, 3).tolist()}
    return entries


@fixture("metadata.types", 18)
def _(uri):
    create(uri, sparse([dim("d")], [PLAIN]))
    put_metadata(uri, _metadata_entries(), 1)
    texts = {"empty": "", "naïve 日本": "clé 🧬", "": "empty key", "long": "x" * 5000}
    put_metadata(uri, {key: {"datatype": "string_utf8", "value": text} for key, text in texts.items()}, 2)


def _put_thrice(uri):
    def number(value):
        return {"datatype": "int64", "value": [value]}

    create(uri, dense([dim("d")], [PLAIN]))
    put_metadata(uri, {"kept": number(1), "changed": number(1), "gone": number(1), "back": number(1)}, 1)
    put_metadata(uri, {"changed": {"datatype": "string_ascii", "value": "two"}, "gone": None, "back": None}, 2)
    put_metadata(uri, {"back": number(3), "never": None}, 3)


@fixture("metadata.deleted", 18)
def _(uri):
    _put_thrice(uri)


@fixture("metadata.consolidated", 18)
def _(uri):
    _put_thrice(uri)
    consolidate(uri, {"sm.consolidation.mode": "array_meta"})


@fixture("metadata.consolidated-vacuumed", 18)
def _(uri):
    _put_thrice(uri)
    consolidate(uri, {"sm.consolidation.mode": "array_meta"})
    vacuum(uri, {"sm.vacuum.mode": "array_meta"})


# --- groups -------------------------------------------------------------------------------------------------------


def group_with_members(uri):
    tiledb.group_create(uri)
    for name in ("first", "second", "third"):
        create(f"{uri}/{name}", sparse([dim("d")], [PLAIN]))
    tiledb.group_create(f"{uri}/inner")
    with tiledb.Group(uri, "w") as group:
        group.add("first", name="first", relative=True)
        group.add("second", name="other name", relative=True)
        group.add("third", relative=True)
        group.add("inner", name="inner", relative=True)
        group.meta["note"] = "naïve"
        group.meta["number"] = 7
        group.meta["gone"] = 1


@fixture("group.members", 18)
def _(uri):
    group_with_members(uri)


@fixture("group.removed", 18)
def _(uri):
    group_with_members(uri)
    with tiledb.Group(uri, "w") as group:
        group.remove("other name")
        del group.meta["gone"]


@fixture("group.empty", 18)
def _(uri):
    tiledb.group_create(uri)


__all__ = ["FIXTURES", "READS", "column_for", "is_written"]
