"""Fixtures of encryption and of deletes."""

import time

import numpy as np
import tiledb
from cells import fixed, var
from core_cells import consolidate, put_metadata, vacuum, write_cells
from fixture_kit import ENCRYPTION_KEY, PLAIN, create, dense, dim, fixture, grid, sparse, write_box, write_points

# --- encryption ---------------------------------------------------------------------------------------------------

_AT = [{"timestamp": t} for t in (1, 2)] + [{"ranges": {"r": [[2, 5]], "c": [[0, 4], [7, 7]]}}]


def _encrypted(uri):
    """All kinds of cells, with filters whose metadata go through the cipher too, and all other structures."""
    dims = [dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)]
    attributes = [
        {**PLAIN, "filters": ["double_delta", "zstd"]},
        {"name": "s", "datatype": "string_ascii", "filters": ["rle", "checksum_md5"]},
        {"name": "t", "datatype": "string_utf8", "filters": [{"type": "dictionary", "level": -1}]},
        {"name": "n", "datatype": "uint8", "nullable": True, "filters": ["checksum_sha256"]},
        {"name": "v", "datatype": "float64", "cellValNum": "var"},
        {"name": "e", "datatype": "uint8", "enumeration": "tissues", "codes": 2},
    ]
    spec = sparse(dims, attributes, enumerations=[{"name": "tissues", "values": ["lung", "naïve"]}])
    create(uri, spec)
    for number in range(2):
        write_points(uri, spec, grid(30, number, 10, 10), seed=number, timestamp=number + 1)
    put_metadata(uri, {"note": {"datatype": "string_utf8", "value": "clé"}}, 1)


@fixture("encrypted.sparse", 22, _AT)
def _(uri):
    _encrypted(uri)


@fixture("encrypted.consolidated", 22, _AT)
def _(uri):
    _encrypted(uri)
    consolidate(uri, {"sm.consolidation.mode": "fragment_meta"})
    consolidate(uri)


@fixture("encrypted.dense", 22)
def _(uri):
    attributes = [PLAIN, {"name": "s", "datatype": "string_utf8", "nullable": True}]
    spec = dense([dim("r", "int32", (0, 299), 100), dim("c", "int32", (0, 99), 100)], attributes)
    create(uri, spec)
    write_box(uri, spec, [[5, 14], [0, 9]], seed=1, timestamp=1)


@fixture("encrypted.chunks", 22)
def _(uri):
    """Several chunks a tile, each with a vector of its own."""
    chunked = {"maxChunkSize": 64, "filters": ["bitshuffle", "lz4"]}
    spec = sparse([dim("d", "int64", (0, 999), 1000)], [{**PLAIN, "filters": chunked}], capacity=100)
    create(uri, spec)
    points = [(int(point),) for point in np.random.default_rng(3).choice(1000, 150, replace=False)]
    write_points(uri, spec, points)


# --- deletes ------------------------------------------------------------------------------------------------------

_TIMES = [{"timestamp": t} for t in (1, 2, 3, 4, 5, [2, 5], [3, 5], [5, 5])]


def _delete(uri, condition, timestamp):
    with tiledb.open(uri, "d", timestamp=timestamp) as array:
        array.query(cond=condition).submit()


def _deletable(uri, duplicates=False, **more):
    attributes = [
        PLAIN,
        {"name": "s", "datatype": "string_ascii"},
        {"name": "u", "datatype": "string_utf8", "nullable": True},
        {"name": "n", "datatype": "int16", "nullable": True},
        {"name": "e", "datatype": "uint8", "enumeration": "tissues", "codes": 3},
        {"name": "t", "datatype": "datetime_day"},
        {"name": "f", "datatype": "float64"},
    ]
    tissues = {"name": "tissues", "values": ["lung", "heart", "naïve"]}
    spec = sparse([dim("d", "int32", (0, 99), 10)], attributes, enumerations=[tissues], allowsDuplicates=duplicates, **more)
    create(uri, spec)
    return spec


def _write(uri, spec, points, timestamp):
    """Cells whose values follow from coordinate and time, so that conditions hit some of each fragment."""
    places = np.array(points)
    values = places + 100 * timestamp
    validity = bytes(int(place % 4 != 0) for place in places)
    cells = {
        "a": fixed(values.astype("<i4")),
        "s": var([b"s%d" % (place % 7) for place in places]),
        "u": var([f"ü{place % 5}".encode() for place in places], validity),
        "n": fixed((places % 9).astype("<i2"), validity),
        "e": fixed((places % 3).astype("u1")),
        "t": fixed(values.astype("<i8")),
        "f": fixed(places / 2),
    }
    write_points(uri, spec, [(place,) for place in points], timestamp=timestamp, **cells)


CONDITIONS = {
    "compare": ["a < 105", "a >= 118", "a == 110"],
    "nullable": ["n < 3"],
    "nullable-not-equal": ["n != 5"],
    "nullable-or": ["n == 2 or a > 112"],
    "text": ["s == 's3'", "s > 's5'"],
    "text-nullable": ["u in ['ü1', 'ü2', 'ü9']"],
    "in": ["a in [101, 104, 109, 999]"],
    "not-in": ["a not in [101, 104, 109, 110, 111]"],
    "enumeration": ["e == 'naïve'", "e in ['heart', 'nope'] and a > 110"],
    "dimension": ["d > 12", "d == 3"],
    "datetime": ["t < 103"],
    "float": ["f == 2.5 or (f > 7 and f < 9)"],
    "nested": ["(a < 103 or a > 117) and (s != 's1' or n >= 5)"],
}


def _conditions(conditions):
    def write(uri):
        spec = _deletable(uri)
        _write(uri, spec, range(20), 1)
        for condition in conditions:
            _delete(uri, condition, 2)

    return write


for _name, _list in CONDITIONS.items():
    fixture(f"deletes.{_name}", 22, [{"timestamp": 1}])(_conditions(_list))


def _history(uri, duplicates=False):
    """Cells written, deleted, written again and deleted partly: t 1 to 5."""
    spec = _deletable(uri, duplicates)
    _write(uri, spec, range(0, 20), 1)
    _delete(uri, "d >= 10 and d < 15", 2)
    _write(uri, spec, range(8, 14), 3)
    _delete(uri, "a >= 310 or s == 's1'", 4)
    _write(uri, spec, range(0, 4), 5)
    return spec


def _at_same_time(uri):
    spec = _deletable(uri)
    _write(uri, spec, range(10), 2)
    _delete(uri, "d > 4", 2)
    _write(uri, spec, range(3, 8), 3)


for _dups in (False, True):
    _suffix = ".duplicates" if _dups else ""
    _states = {
        "fragments": [],
        "consolidated": [(consolidate, {})],
        "consolidated-vacuumed": [(consolidate, {}), (vacuum, {})],
        "consolidated-purged": [(consolidate, {"sm.consolidation.purge_deleted_cells": "true"}), (vacuum, {})],
        "commits-consolidated": [(consolidate, {"sm.consolidation.mode": "commits"})],
        "commits-consolidated-vacuumed": [
            (consolidate, {"sm.consolidation.mode": "commits"}),
            (vacuum, {"sm.vacuum.mode": "commits"}),
        ],
    }

    def _state(steps, dups):
        def write(uri):
            _history(uri, dups)
            for step, config in steps:
                step(uri, config)

        return write

    for _name, _steps in _states.items():
        fixture(f"deletes.history-{_name}{_suffix}", 22, _TIMES)(_state(_steps, _dups))

    def _again(dups):
        def write(uri):
            spec = _history(uri, dups)
            consolidate(uri)
            vacuum(uri)
            _delete(uri, "a == 503 or n == 2", 6)
            _write(uri, spec, range(15, 19), 7)
            _delete(uri, "s == 's2'", 8)

        return write

    fixture(f"deletes.after-consolidation{_suffix}", 22, _TIMES + [{"timestamp": t} for t in (6, 7, 8)])(_again(_dups))

fixture("deletes.same-time", 22, [{"timestamp": t} for t in (1, 2, 3)])(_at_same_time)


@fixture("deletes.evolved", 22)
def _(uri):
    """A condition on an attribute that the older fragment does not have."""
    spec = sparse([dim("d")], [PLAIN])
    create(uri, spec)
    write_points(uri, spec, [(i,) for i in range(10)], timestamp=None)
    evolution = tiledb.ArraySchemaEvolution(tiledb.default_ctx())
    evolution.add_attribute(tiledb.Attr(name="new", dtype=np.int16, fill=-3))
    evolution.array_evolve(uri)
    time.sleep(0.01)
    later = {**spec, "attributes": [PLAIN, {"name": "new", "datatype": "int16"}]}
    write_points(uri, later, [(i,) for i in range(5, 15)], timestamp=None, new=fixed(np.arange(10, dtype="<i2")))
    time.sleep(0.01)
    _delete(uri, "new > 6", None)


@fixture("encrypted.deletes", 22, [{"timestamp": 1}])
def _(uri):
    spec = sparse([dim("d")], [PLAIN])
    create(uri, spec)
    write_points(uri, spec, [(i,) for i in range(10)], timestamp=1)
    config = {"sm.encryption_type": "AES_256_GCM", "sm.encryption_key": ENCRYPTION_KEY}
    with tiledb.open(uri, "d", timestamp=2, ctx=tiledb.Ctx(config)) as array:
        array.query(cond="d < 4").submit()

# --- dimension labels ---------------------------------------------------------------------------------------------


@fixture("dimension-labels.two-dimensions", 22)
def _(uri):
    """Datetime and float labels of one dimension, texts that fall of the other; the floats in two parts with a gap."""
    labels = [
        {"dimension": 0, "name": "when", "order": "increasing", "datatype": "datetime_day"},
        {"dimension": 0, "name": "gaps", "order": "decreasing", "datatype": "float32"},
        {"dimension": 1, "name": "name", "order": "decreasing", "datatype": "string_ascii"},
    ]
    spec = sparse([dim("r", "int64", (0, 19), 4), dim("c", "int64", (0, 9), 3)], [PLAIN])
    create(uri, {**spec, "labels": labels})
    write_points(uri, spec, grid(60, 9, 20, 10))
    falling = np.arange(20, 0, -1, dtype="<f4") / 4
    write_cells(f"{uri}/__labels/l0", {"label": fixed(np.arange(20, dtype="<i8") * 7)}, [[0, 19]], 1)
    write_cells(f"{uri}/__labels/l1", {"label": fixed(falling[:8])}, [[0, 7]], 1)
    write_cells(f"{uri}/__labels/l1", {"label": fixed(falling[12:])}, [[12, 19]], 2)
    write_cells(f"{uri}/__labels/l2", {"label": var([f"{i}".encode() for i in range(9, -1, -1)])}, [[0, 9]], 1)
