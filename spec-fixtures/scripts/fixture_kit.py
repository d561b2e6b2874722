"""What the fixtures are made with: a registry of functions, schemas as plain dicts, cells."""

import numpy as np
import tiledb
from cells import columns_for, fixed, var
from core_cells import write_cells
from core_schema import create_array as create_in
from core_schema import evolve as evolve_in
from libtiledb import DATATYPES, Core, numpy_type

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


INTEGERS = "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
TIMES = [name for name in DATATYPES if name.startswith(("datetime_", "time_"))]
PLAIN = {"name": "a", "datatype": "int32"}


def fixture(name, since=NEWEST, reads=()):
    """Registers a function that writes an array (or group) into the folder that it is given. `since` is the first
    format version whose core can write it, `reads` are queries whose answers are kept beside it."""

    def register(function):
        FIXTURES[name] = (function, since)
        if reads:
            READS[name] = list(reads)
        return function

    return register


# Of all encrypted fixtures, which have names that begin so.
ENCRYPTION_KEY = "0123456789abcdef0123456789abcdef"


def key_of(name):
    return ENCRYPTION_KEY if name.startswith("encrypted") else None


def create(uri, spec):
    core = Core()
    create_in(core, uri, spec)
    core.close()


def evolve(uri, add=(), drop=()):
    core = Core()
    evolve_in(core, uri, add, drop)
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


def known(datatype):
    """Geometries came with core 2.20."""
    return not datatype.startswith("geom") or tiledb.libtiledb.version() >= (2, 20)
