"""Fixtures of what changes over time: fragments, consolidation, evolution, metadata; empty arrays and groups."""

import numpy as np
import tiledb
from cells import columns_for, numbers
from core_cells import consolidate, put_metadata, vacuum, write_cells
from fixture_kit import PLAIN, coordinates, create, dense, dim, evolve, fixture, grid, known, sparse, write_box, write_points
from libtiledb import DATATYPES, kind

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


def _evolved_types(dense_array):
    """Attributes dropped and added again with another type: the first fragment's cells are of the old one."""

    def write(uri):
        text = {"datatype": "string_ascii"}
        kinds = {
            "reinterpreted": ({"datatype": "int32"}, {"datatype": "float32"}),
            "smaller": ({"datatype": "int64"}, {"datatype": "uint16"}),
            "pair": ({"datatype": "int32", "cellValNum": 2}, {"datatype": "int64"}),
            "first_of_pair": ({"datatype": "int16", "cellValNum": 2}, {"datatype": "int16"}),
            "to_text": ({"datatype": "int32"}, text),
            "from_text": (text, {"datatype": "int32", "fill": -7}),
            "to_nullable_text": ({"datatype": "float64", "nullable": True}, {**text, "nullable": True}),
            "no_longer_null": ({"datatype": "int32", "nullable": True}, {"datatype": "uint32"}),
            "other_text": ({"datatype": "string_utf8"}, text),
            "bytes": ({"datatype": "int32", "cellValNum": "var"}, {"datatype": "uint8", "cellValNum": "var"}),
        }
        first = [{"name": name, **then} for name, (then, _) in kinds.items()]
        second = [{"name": name, **now} for name, (_, now) in kinds.items()]
        make, dimension = (dense, dim("d", extent=4)) if dense_array else (sparse, dim("d"))
        spec = make([dimension], [PLAIN, *first])
        create(uri, spec)

        def put(attributes, low, high, seed):
            known = {**spec, "attributes": attributes}
            if dense_array:
                write_box(uri, known, [[low, high]], seed=seed, timestamp=None)
            else:
                write_points(uri, known, [(i,) for i in range(low, high + 1)], seed=seed, timestamp=None)

        put([PLAIN, *first], 0, 11, 1)
        evolve(uri, drop=list(kinds))
        evolve(uri, add=second)
        put([PLAIN, *second], 10, 15, 2)

    return write


fixture("fragments.evolved-types", 22)(_evolved_types(False))
fixture("fragments.evolved-types.dense", 22)(_evolved_types(True))


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
        if datatype == "any" or not known(datatype):
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
