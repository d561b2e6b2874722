"""What the fixtures of old formats are made with: a registry, and writing of points and boxes by any core."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import old_core  # before what loads the library
from cells import columns_for, var
from core_cells import is_var
from fixture_list import coordinates, dense, dim, grid, sparse
from libtiledb import numpy_type

FIXTURES = {}
LAST_OLD = 17
# These formats get every fixture, the ones between what is new in them and a few of the common ones.
FULL = (4, 5, 8, 10, 12)
# First formats whose cores know these.
TYPES_SINCE = {"time_": 9, "blob": 11, "bool": 14, "geom": 22}
FILTERS_SINCE = {"checksum_md5": 4, "checksum_sha256": 4, "dictionary": 13, "scale_float": 15, "xor": 16, "delta": 19}


@dataclass
class Fixture:
    write: Callable
    versions: frozenset
    encrypted: bool = False


def fixture(name, since=3, until=LAST_OLD, versions=None, every=False, encrypted=False):
    """Registers write(uri, version), which gives the schema dict, or None where the writer shall not read it again.

    Without `versions`: the first format that has it and those of FULL, or `every` one.
    """

    def register(function):
        chosen = versions or [one for one in range(since, until + 1) if every or one == since or one in FULL]
        FIXTURES[name] = Fixture(function, frozenset(chosen), encrypted)
        return function

    return register


def knows(version, name):
    """Whether the cores of a format know a datatype or filter."""
    return all(version >= since for start, since in {**TYPES_SINCE, **FILTERS_SINCE}.items() if name.startswith(start))


def plain(version, merged=False):
    """An int32 and text, and a nullable number where the core can write (and merge) it.

    What core 2.2.2 (format 7) writes of nullable numbers in several tiles no core can read.
    """
    attributes = [{"name": "a", "datatype": "int32"}, {"name": "s", "datatype": "string_ascii"}]
    if version >= (9 if merged else 8):
        attributes.append({"name": "n", "datatype": "uint8", "nullable": True})
    return attributes


def create(uri, spec, encrypted=False):
    old_core.create(uri, spec, encrypted)
    return spec


def points(uri, version, spec, at, seed=1, timestamp=1, encrypted=False, **columns):
    """A sparse fragment with cells at `at`, a list of tuples; attributes are drawn unless given."""
    cells = {**columns_for(np.random.default_rng(seed), spec, len(at)), **columns}
    cells = {name: _without_empty(version, spec, name, column) for name, column in cells.items()}
    for number, dimension in enumerate(spec["dimensions"]):
        cells[dimension["name"]] = coordinates(dimension["datatype"], [point[number] for point in at])
    old_core.write_cells(uri, spec, cells, timestamp=timestamp, encrypted=encrypted)


def box(uri, version, spec, ends, seed=1, timestamp=1, order="row-major", encrypted=False, **columns):
    """A dense fragment over `ends`, [low, high] per dimension."""
    count = int(np.prod([high - low + 1 for low, high in ends]))
    cells = {**columns_for(np.random.default_rng(seed), spec, count), **columns}
    cells = {name: _without_empty(version, spec, name, column) for name, column in cells.items()}
    old_core.write_cells(uri, spec, cells, ends, timestamp, order, encrypted)


def _without_empty(version, spec, name, column):
    """Cores before 2.0 can't hold an empty cell, 2.0 none at the end of what it is given."""
    if version > 5 or "offsets" not in column:
        return column
    datatype = next((a["datatype"] for a in spec["attributes"] if a["name"] == name), "string_ascii")
    some = b"e" + bytes(np.dtype(numpy_type(datatype)).itemsize - 1)
    ends = np.frombuffer(column["offsets"], "<u4").tolist()
    pieces = [column["data"][low:high] for low, high in zip(ends, ends[1:])]
    last = len(pieces) - 1
    return var([piece or (some if version < 5 or i == last else b"") for i, piece in enumerate(pieces)])


__all__ = ["box", "create", "dense", "dim", "fixture", "grid", "is_var", "knows", "plain", "points", "sparse"]
