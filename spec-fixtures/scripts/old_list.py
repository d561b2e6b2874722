"""The fixtures of old formats; importing it registers them all."""

import numpy as np
import old_core
import old_list_states  # noqa: F401
from cells import fixed, numbers, small
from libtiledb import DATATYPES, has, kind, numpy_type
from old_helpers import FIXTURES, box, create, dense, dim, fixture, grid, knows, plain, points, sparse

A = {"name": "a", "datatype": "int32"}


# --- sparse -------------------------------------------------------------------------------------------------------


@fixture("sparse-1d.float64", versions=(3, 4, 8, 12))
def _(uri, version):
    spec = create(uri, sparse([dim("d", "float64", (-1e6, 1e6), 1000.0)], [A]))
    points(uri, version, spec, [(value,) for value in [0.1, -0.5, 1e-30, -1e6, 1e6, 2.5, -2.5, 99999.5, 3e-5]])
    return spec


@fixture("sparse-1d.datetime", versions=(3, 5, 10))
def _(uri, version):
    spec = create(uri, sparse([dim("d", "datetime_ms", (-(10**6), 10**12), 1000)], [{"name": "when", "datatype": "datetime_day"}]))
    points(uri, version, spec, [(value,) for value in [0, -1, 10**12, -(10**6), 1, 86400, 17, 10**9, -999]])
    return spec


def _sparse_2d(uri, version, **more):
    spec = sparse([dim("r", "int32", (-2, 9), 4), dim("c", "int32", (0, 9), 4)], plain(version), **more)
    create(uri, spec)
    points(uri, version, spec, grid(30, 5, 10, 10))
    return spec


@fixture("sparse-2d.int", every=True)
def _(uri, version):
    return _sparse_2d(uri, version)


@fixture("sparse-2d.col-major", versions=(4, 10))
def _(uri, version):
    return _sparse_2d(uri, version, cellOrder="col-major", tileOrder="col-major")


@fixture("sparse-2d.hilbert", versions=(7, 10))
def _(uri, version):
    return _sparse_2d(uri, version, cellOrder="hilbert")


@fixture("sparse-1d.empty-string", 5, 7)
def _(uri, version):
    """The empty string as a coordinate, which these cores don't give back unless asked for it alone."""
    spec = create(uri, sparse([dim("s", "string_ascii")], [A]))
    points(uri, version, spec, [(text,) for text in ("b", "", "a", "aa")])
    return None


@fixture("sparse-2d.int-string", 5)
def _(uri, version):
    """The string dimension first and last, an int64 between: where each lives in the footer."""
    spec = sparse([dim("s", "string_ascii"), dim("i", "int64", (-10, 10), 3)], [A])
    create(uri, spec)
    points(uri, version, spec, [(s, i) for i in (0, 5, -3, 3, 10) for s in ("b", "" if version > 6 else "d", "ca", "c")])
    return spec


@fixture("sparse-3d.mixed", 5, every=True)
def _(uri, version):
    text = {"name": "s", "datatype": "string_ascii", "nullable": version >= 7}
    spec = sparse([dim("x", "float64", (0.0, 10.0), 2.0), dim("y", "uint16", (0, 9), 4), dim("z", "string_ascii")], [A, text])
    create(uri, spec)
    points(uri, version, spec, [(x / 2, y, "abc"[z]) for x, y, z in grid(24, 3, 20, 10, 3)])
    return spec


@fixture("sparse-3d.int16", 3, 4)
def _(uri, version):
    spec = create(uri, sparse([dim(name, "int16", (-5, 14), 6) for name in "xyz"], [A]))
    points(uri, version, spec, [(x - 5, y - 5, z - 5) for x, y, z in grid(24, 3, 20, 20, 20)])
    return spec


# --- dense --------------------------------------------------------------------------------------------------------

# Four pairs of orders, one to a version in turn.
_ORDERS = [(cells, tiles) for cells in ("row-major", "col-major") for tiles in ("row-major", "col-major")]


@fixture("dense-2d.orders", versions=(4, 5, 10, 11))
def _(uri, version):
    cells, tiles = _ORDERS[version % 4]
    spec = dense([dim("r", "int32", (0, 8), 4), dim("c", "int32", (0, 7), 3)], plain(version), cellOrder=cells, tileOrder=tiles)
    create(uri, spec)
    box(uri, version, spec, [[0, 8], [0, 7]])
    return spec


@fixture("dense-2d.partial", versions=(4, 8, 12))
def _(uri, version):
    """A box within the domain, not on the borders of tiles, written column by column."""
    spec = dense([dim("r", "int64", (1, 10), 4), dim("c", "int64", (1, 10), 4)], plain(version))
    create(uri, spec)
    box(uri, version, spec, [[3, 6], [2, 7]], order="col-major")
    return spec


@fixture("dense-1d", versions=(4, 10))
def _(uri, version):
    spec = create(uri, dense([dim("d", "uint8", (0, 19), 6)], plain(version)))
    box(uri, version, spec, [[2, 19]])
    return spec


@fixture("dense-3d", versions=(3, 8, 15))
def _(uri, version):
    dims = [dim("x", "uint8", (0, 4), 2), dim("y", "uint8", (0, 4), 3), dim("z", "uint8", (0, 2), 2)]
    spec = create(uri, dense(dims, [A], tileOrder="col-major"))
    box(uri, version, spec, [[0, 4], [0, 4], [0, 2]])
    return spec


@fixture("dense-2d.overlapping", every=True)
def _(uri, version):
    spec = create(uri, dense([dim("r", "int32", (0, 7), 3), dim("c", "int32", (0, 7), 4)], plain(version)))
    for number, ends in enumerate([[[0, 4], [0, 4]], [[3, 5], [3, 6]], [[2, 2], [1, 6]]]):
        box(uri, version, spec, ends, seed=number, timestamp=number + 1)
    return spec


@fixture("attributes.nullable", versions=(7,))
def _(uri, version):
    makes = ({"cellValNum": 1}, {"cellValNum": "var"}, {"cellValNum": 2})
    attributes = [{"name": f"n{i}", "datatype": "int16", "nullable": True, **make} for i, make in enumerate(makes)]
    spec = create(uri, sparse([dim("d")], attributes, capacity=10))
    points(uri, version, spec, [(i * 7 % 99,) for i in range(8)])
    return spec


@fixture("dense-2d.sparse-fragments", 3, 10, every=True)
def _(uri, version):
    """Cells into a dense array: dense box, single cells over and beside it, a box again, cells again."""
    spec = create(uri, dense([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], plain(version), capacity=5))
    box(uri, version, spec, [[1, 5], [0, 6]], seed=1, timestamp=1)
    points(uri, version, spec, grid(14, 2, 10, 10), seed=2, timestamp=2)
    box(uri, version, spec, [[4, 8], [5, 6]], seed=3, timestamp=3)
    points(uri, version, spec, grid(8, 4, 10, 10), seed=4, timestamp=4)
    return spec


@fixture("dense-1d.only-sparse-fragments", versions=(4, 8))
def _(uri, version):
    spec = create(uri, dense([dim("d", "int64", (0, 29), 10)], plain(version), capacity=3))
    points(uri, version, spec, [(value,) for value in (21, 3, 4, 17, 9, 28, 5)])
    return spec


# --- attributes ---------------------------------------------------------------------------------------------------


def _types(version):
    return [name for name in DATATYPES if name != "any" and knows(version, name)]


def _attributes(uri, version, types, **make):
    attributes = [{"name": f"a_{t}", "datatype": t, **make} for t in types]
    spec = create(uri, sparse([dim("d")], attributes, capacity=10))
    points(uri, version, spec, [(i * 7 % 99,) for i in range(8)])
    return spec


@fixture("attributes.fixed", versions=(4,))
def _(uri, version):
    return _attributes(uri, version, _types(version), cellValNum=1)


@fixture("attributes.three-values", versions=(5,))
def _(uri, version):
    return _attributes(uri, version, _types(version)[:16], cellValNum=3)


@fixture("attributes.var", versions=(4, 5))
def _(uri, version):
    return _attributes(uri, version, _types(version)[:18], cellValNum="var")


@fixture("attributes.var-nullable", versions=(8, 15))
def _(uri, version):
    return _attributes(uri, version, _types(version)[:9], cellValNum="var", nullable=True)


@fixture("attributes.new-types", versions=(9, 11, 14))
def _(uri, version):
    """The types that came with the format, one cell each time, then of variable length, then nullable."""
    new = [name for name in _types(version) if not knows(version - 1, name)]
    makes = ({"cellValNum": 1}, {"cellValNum": "var"}, {"cellValNum": 1, "nullable": True})
    attributes = [{"name": f"{t}_{i}", "datatype": t, **make} for i, make in enumerate(makes) for t in new[:4]]
    spec = create(uri, sparse([dim("d")], attributes, capacity=10))
    points(uri, version, spec, [(i * 7 % 99,) for i in range(8)])
    return spec


@fixture("attributes.names", versions=(4, 5, 8))
def _(uri, version):
    """Anonymous, and with characters that are awkward in file names."""
    names = ["", "a b", "naïve%", "x.y", "日本"]
    if version == 8:  # the one format that escapes them, in a way of its own; before, they would be the files' names
        names += ["x:*", "?\"", "<>|/", "!#$&'()+,;=@[]"]
    spec = create(uri, sparse([dim("d dim é")], [{"name": name, "datatype": "uint8"} for name in names]))
    points(uri, version, spec, [(3,), (1,), (2,)])
    return None


@fixture("attributes.fill", versions=(6, 8, 12))
def _(uri, version):
    attributes = [
        {"name": "i", "datatype": "int32", "fill": -7},
        {"name": "f", "datatype": "float64", "fill": 2.5},
        {"name": "t", "datatype": "string_ascii", "fill": "none"},
        {"name": "v", "datatype": "int16", "cellValNum": "var", "fill": [1, 2, 3]},
        {"name": "m", "datatype": "int16", "cellValNum": 2, "fill": [8, 9]},
        {"name": "d", "datatype": "float32"},
        {"name": "c", "datatype": "char"},
        {"name": "s", "datatype": "string_utf8"},
    ]
    if version >= 7:
        attributes.append({"name": "n", "datatype": "int32", "nullable": True, "fill": 5})
        attributes.append({"name": "nv", "datatype": "int32", "nullable": True, "fill": 6, "fillValid": True})
    spec = create(uri, dense([dim("r", "int32", (1, 6), 4), dim("c0", "int32", (1, 5), 2)], attributes))
    box(uri, version, spec, [[2, 2], [2, 3]])
    box(uri, version, spec, [[5, 6], [4, 5]], seed=2, timestamp=2)
    return spec


@fixture("attributes.default-fill", versions=(3, 5))
def _(uri, version):
    """Before fill values were part of the schema."""
    types = [t for t in _types(version) if not t.startswith("datetime") or t == "datetime_ms"]
    attributes = [{"name": f"a_{t}", "datatype": t, "cellValNum": 1} for t in types]
    attributes.append({"name": "v", "datatype": "int16", "cellValNum": "var"})
    spec = create(uri, dense([dim("r", "int32", (1, 4), 3), dim("c0", "int32", (1, 3), 2)], attributes))
    box(uri, version, spec, [[1, 1], [1, 2]])
    box(uri, version, spec, [[4, 4], [2, 3]], seed=2, timestamp=2)
    return spec


# --- filters ------------------------------------------------------------------------------------------------------

_CHAINS = [
    ["gzip"], ["zstd"], ["lz4"], ["bzip2"], ["rle"], ["double_delta"], ["bit_width_reduction"], ["positive_delta", "zstd"],
    ["bitshuffle", "lz4"], ["byteshuffle", "gzip"], ["checksum_md5", "zstd"], ["checksum_sha256"], ["xor", "zstd"], ["none"],
]  # fmt: skip


def _filtered(version):
    chains = [chain for chain in _CHAINS if all(knows(version, name) for name in chain)]
    attributes = [
        {"name": "_".join(chain), "datatype": "int32", "filters": {"maxChunkSize": 64, "filters": chain}} for chain in chains
    ]
    given = {}
    for attribute in attributes:
        values = small(np.random.default_rng(3), "int32", 60)
        given[attribute["name"]] = fixed(np.cumsum(values).astype("<i4") if "delta" in attribute["name"] else values)
    return attributes, given


def _text_filtered(version):
    """Compression of text as such: by runs since format 12, by dictionary since 13."""
    chains = [["zstd"], *([["rle"]] if version >= 12 else []), *([["dictionary"]] if version >= 13 else [])]
    return [{"name": f"t_{chain[0]}", "datatype": "string_ascii", "filters": chain} for chain in chains]


@fixture("filters.sparse", versions=(4, 5, 10, 13))
def _(uri, version):
    attributes, given = _filtered(version)
    attributes += _text_filtered(version)
    more = {"coordsFilters": ["double_delta", "zstd"], "offsetsFilters": ["positive_delta", "gzip"], "capacity": 25}
    dims = [dim("d", "int64", (0, 10**6), 1000)]
    if version >= 12:  # the cores since 2.8 crash on double delta as the array's filter of coordinates
        dims[0]["filters"] = more.pop("coordsFilters")
    if version >= 5:
        dims.append(dim("e", "int64", (0, 10**6), 1000, filters=["bit_width_reduction", "lz4"]))
    if version >= 7:
        attributes.append({"name": "n", "datatype": "int32", "nullable": True})
        if has("array_schema_set_validity_filter_list"):
            more["validityFilters"] = ["bzip2"]
    spec = create(uri, sparse(dims, attributes, **more))
    places = np.cumsum(np.random.default_rng(11).integers(1, 100, 60)).tolist()
    points(uri, version, spec, [(place, 7 * place)[: len(dims)] for place in places], **given)
    return spec


@fixture("filters.dense", versions=(4, 8, 12))
def _(uri, version):
    attributes, given = _filtered(version)
    attributes = [attribute for attribute in attributes if not attribute["name"].startswith("positive")]  # wants order
    given = {attribute["name"]: given[attribute["name"]] for attribute in attributes}
    spec = create(uri, dense([dim("r", "int32", (0, 9), 6), dim("c", "int32", (0, 5), 4)], attributes + _text_filtered(version)))
    box(uri, version, spec, [[0, 9], [0, 5]], **given)
    return spec


@fixture("filters.xor", versions=(16,))
def _(uri, version):
    types = ("int8", "int16", "int64", "float32", "float64")
    attributes = [{"name": f"x_{t}", "datatype": t, "filters": ["xor"]} for t in types]
    spec = create(uri, sparse([dim("d")], attributes))
    points(uri, version, spec, [(i * 7 % 99,) for i in range(10)])
    return spec


@fixture("filters.scale_float", versions=(15,))
def _(uri, version):
    def scaled(width):
        return [{"type": "scale_float", "factor": 0.01, "offset": -3.0, "byteWidth": width}, "zstd"]

    attributes = [{"name": f"{t}_{w}", "datatype": t, "filters": scaled(w)} for t in ("float32", "float64") for w in (2, 8)]
    spec = create(uri, sparse([dim("d", "int32", (0, 999))], attributes))
    values = np.random.default_rng(4).normal(size=20) * 100
    points(uri, version, spec, [(i * 3,) for i in range(20)], **{a["name"]: fixed(values.astype(numpy_type(a["datatype"]))) for a in attributes})
    return spec


@fixture("filters.string-dimension", versions=(5, 10, 12, 13))
def _(uri, version):
    """Text coordinates: by runs and by dictionary where the format has them, else as bytes."""
    first, second = (["rle"] if version >= 12 else ["gzip"]), (["dictionary"] if version >= 13 else ["lz4"])
    spec = sparse([dim("r", "string_ascii", filters=first), dim("c", "string_ascii", filters=second)], [A], capacity=20)
    create(uri, spec)
    points(uri, version, spec, [(f"cell{r}", "gene" * (c % 3) + str(c)) for r, c in grid(30, 8, 8, 8)])
    return spec


# --- metadata -----------------------------------------------------------------------------------------------------


def _metadata(version):
    rng = np.random.default_rng(9)
    entries = {name: (name, numbers(rng, name, 3).tobytes()) for name in _types(version) if kind(name) != "blob"}
    entries["text"] = ("string_utf8", "clé 日本".encode())
    entries["clé"] = ("int64", np.array([-1], "<i8").tobytes())
    return entries


def _with_metadata(uri, version):
    spec = create(uri, sparse([dim("d")], [A]))
    number = {n: ("int64", np.array([n], "<i8").tobytes()) for n in (1, 3)}
    old_core.put_metadata(uri, {**_metadata(version), "kept": number[1], "changed": number[1], "gone": number[1]}, 1)
    old_core.put_metadata(uri, {"changed": ("string_ascii", b"two"), "gone": None, "back": None}, 2)
    old_core.put_metadata(uri, {"back": number[3], "never": None}, 3)
    return spec


@fixture("metadata", versions=(4, 8, 12))
def _(uri, version):
    return _with_metadata(uri, version)


@fixture("metadata.consolidated", versions=(4, 5, 10))
def _(uri, version):
    spec = _with_metadata(uri, version)
    old_core.consolidate_metadata(uri)
    return spec


