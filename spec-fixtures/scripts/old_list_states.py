"""Fixtures of what becomes of arrays: fragments merged, commits, evolution, deletes, encryption, groups."""

import os
import shutil
from ctypes import c_int, c_uint8

import numpy as np
import old_core
from cells import fixed, var
from core_schema import _attribute, create_array
from libtiledb import DATATYPES, WRITE, buffer_of, u32
from old_core import consolidate, vacuum
from old_helpers import box, create, dense, dim, fixture, grid, plain, points, sparse

A = {"name": "a", "datatype": "int32"}
TIMESTAMPS = {"sm.consolidation.with_timestamps": "true"}


def _overlapping(uri, version, duplicates=False, encrypted=False, count=3, merged=False, **more):
    dims = [dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)]
    if duplicates:
        more["allowsDuplicates"] = True
    spec = create(uri, sparse(dims, plain(version, merged), **more), encrypted)
    for number in range(count):
        at = grid(12, number, 10, 10)
        at += at[:3] if duplicates else []
        points(uri, version, spec, at, seed=number, timestamp=number + 1, encrypted=encrypted)
    return spec


@fixture("fragments.overlapping", versions=(4, 5, 8, 10, 12))
def _(uri, version):
    return _overlapping(uri, version)


@fixture("fragments.duplicates", versions=(5, 10))
def _(uri, version):
    return _overlapping(uri, version, True)


@fixture("fragments.consolidated", every=True)
def _(uri, version):
    spec = _overlapping(uri, version, merged=True)
    consolidate(uri)
    return spec


@fixture("fragments.consolidated-vacuumed", versions=(5, 10))
def _(uri, version):
    spec = _overlapping(uri, version, merged=True)
    consolidate(uri)
    vacuum(uri)
    return spec


@fixture("fragments.consolidated-timestamps", versions=(14, 15, 17))
def _(uri, version):
    """Merged, each cell with the time it was written; vacuumed, so that nothing else knows."""
    spec = _overlapping(uri, version)
    consolidate(uri, TIMESTAMPS)
    vacuum(uri)
    return spec


@fixture("fragments.consolidated-dense", versions=(3, 5, 10, 15))
def _(uri, version):
    spec = create(uri, dense([dim("r", "int32", (0, 11), 4), dim("c", "int32", (0, 11), 4)], plain(version, True)))
    for number, ends in enumerate([[[0, 5], [0, 5]], [[4, 7], [3, 8]], [[2, 4], [1, 7]]]):
        box(uri, version, spec, ends, seed=number, timestamp=number + 1)
    consolidate(uri)
    vacuum(uri)
    return spec


@fixture("fragments.metadata-consolidated", versions=(5, 8, 9, 12))
def _(uri, version):
    spec = _overlapping(uri, version)
    consolidate(uri, {"sm.consolidation.mode": "fragment_meta"})
    return spec


@fixture("fragments.commits-consolidated", versions=(12, 13, 15))
def _(uri, version):
    """Three commits in one file, without their own files, and one that came later."""
    spec = _overlapping(uri, version)
    consolidate(uri, {"sm.consolidation.mode": "commits"})
    vacuum(uri, {"sm.vacuum.mode": "commits"})
    points(uri, version, spec, grid(8, 7, 10, 10), seed=7, timestamp=4)
    return spec


# --- schema evolution, deletes ------------------------------------------------------------------------------------


def _evolve(uri, add, drop):
    core = old_core.OldCore()
    evolution = core.new("array_schema_evolution_alloc")
    for attribute in add:
        core.call("array_schema_evolution_add_attribute", evolution, _attribute(core, attribute))
    for name in drop:
        core.call("array_schema_evolution_drop_attribute", evolution, name.encode())
    core.call("array_evolve", uri.encode(), evolution)
    core.close()


@fixture("fragments.evolved", versions=(10, 11, 15))
def _(uri, version):
    """An attribute added, another dropped between fragments; the later schema's time is that of writing."""
    old = {"name": "old", "datatype": "float32"}
    first = create(uri, sparse([dim("d")], [A, old]))
    points(uri, version, first, [(i,) for i in range(0, 20, 2)], timestamp=1)
    added = [{"name": "new", "datatype": "int16", "fill": -3}, {"name": "text", "datatype": "string_ascii", "nullable": True}]
    _evolve(uri, added, ["old"])
    later = {**first, "attributes": [A, *added]}
    points(uri, version, later, [(i,) for i in range(0, 20, 3)], seed=2, timestamp=None)
    return None


def _number(value):
    return np.array([value], "<i4").tobytes()


def _deletes(uri, version):
    spec = sparse([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], [*plain(version), {"name": "k", "datatype": "int32"}])
    create(uri, spec)
    for number, time in enumerate((1, 4)):
        at = grid(20, number, 10, 10)
        points(uri, version, spec, at, seed=number, timestamp=time, k={"values": np.arange(20, dtype="<i4").tobytes()})
        old_core.delete_where(uri, [("k", "ge", _number(5)), ("k", "lt", _number(12))], time + 1)
        old_core.delete_where(uri, [("s", "eq", b"lung")], time + 2)
    return spec


@fixture("deletes", versions=(16, 18, 22))
def _(uri, version):
    """Cells written, deleted by conditions, written again, deleted again."""
    return _deletes(uri, version)


@fixture("deletes.consolidated", versions=(16, 17, 22))
def _(uri, version):
    """Conditions carried out by consolidation: cells have times of deletion, or are gone for good."""
    spec = _deletes(uri, version)
    consolidate(uri)
    return spec


@fixture("deletes.consolidated-vacuumed", versions=(16,))
def _(uri, version):
    spec = _deletes(uri, version)
    consolidate(uri)
    vacuum(uri)
    return spec


@fixture("deletes.commits-consolidated", versions=(17, 22))
def _(uri, version):
    """Delete conditions inside the file of consolidated commits."""
    spec = _deletes(uri, version)
    consolidate(uri, {"sm.consolidation.mode": "commits"})
    vacuum(uri, {"sm.vacuum.mode": "commits"})
    return spec


# --- encryption ---------------------------------------------------------------------------------------------------

@fixture("encrypted.sparse", versions=(4, 8, 12, 22), encrypted=True)
def _(uri, version):
    return _overlapping(uri, version, encrypted=True, count=2)


@fixture("encrypted.dense", versions=(3, 5, 10, 17, 18), encrypted=True)
def _(uri, version):
    spec = create(uri, dense([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], plain(version)), True)
    box(uri, version, spec, [[2, 7], [0, 5]], encrypted=True)
    return spec


# --- empty, groups ------------------------------------------------------------------------------------------------


@fixture("empty.sparse", versions=(3, 5, 8, 10))
def _(uri, version):
    second = dim("e", "string_ascii") if version >= 5 else dim("e")
    return create(uri, sparse([dim("d"), second], plain(version)))


def _put_group_metadata(core, group):
    core.call("group_put_metadata", group, b"note", c_int(12), u32(5), buffer_of(b"hello"))
    core.call("group_put_metadata", group, b"number", c_int(1), u32(1), buffer_of(np.array([7], "<i8").tobytes()))


@fixture("group.members", versions=(12, 14, 17))
def _(uri, version):
    core = old_core.OldCore()
    core.call("group_create", uri.encode())
    for name in ("first", "second"):
        create(f"{uri}/{name}", sparse([dim("d")], [A]))
    core.call("group_create", f"{uri}/inner".encode())
    group = core.new("group_alloc", uri.encode())
    core.call("group_open", group, c_int(WRITE))
    for path, name in (("first", b"one"), ("second", None), ("inner", b"inner")):
        core.call("group_add_member", group, path.encode(), c_uint8(1), name)
    _put_group_metadata(core, group)
    core.call("group_close", group)
    core.close()
    return None


@fixture("group.plain", versions=(3, 8, 11))
def _(uri, version):
    """Before groups had members of record: a folder with a marker."""
    core = old_core.OldCore()
    core.call("group_create", uri.encode())
    create(os.path.join(uri, "first"), sparse([dim("d")], [A]))
    core.call("group_create", f"{uri}/inner".encode())
    core.close()
    return None


# --- old arrays, newer cores --------------------------------------------------------------------------------------


def _add_to(uri, version, source, upgrade):
    """The newest core writes to the array of an earlier fixture, its format first raised or not."""
    shutil.copytree(os.path.join(os.environ["OLD_FIXTURES"], source, "fragments.overlapping", "array"), uri)
    old = int(source[1:])
    spec = sparse([dim("r", "int32", (0, 9), 4), dim("c", "int32", (0, 9), 4)], plain(old))
    if upgrade:
        core = old_core.OldCore()
        core.call("array_upgrade_version", uri.encode(), core.config)
        core.close()
    points(uri, version, spec, grid(10, 9, 10, 10), seed=9, timestamp=None)
    return spec


@fixture("upgraded.from-4", versions=(22,))
def _(uri, version):
    return _add_to(uri, version, "v4", True)


@fixture("upgraded.from-10", versions=(22,))
def _(uri, version):
    return _add_to(uri, version, "v10", True)


@fixture("appended.to-8", versions=(22,))
def _(uri, version):
    return _add_to(uri, version, "v8", False)


# --- dimension labels ---------------------------------------------------------------------------------------------

# (name, order of the labels: any 0, increasing 1, decreasing 2, datatype)
_LABELS = (("weight", 1, "float64"), ("down", 2, "int32"), ("name", 1, "string_ascii"))


class LabelledCore(old_core.OldCore):
    """Gives a schema its labels before it is checked."""

    def call(self, name, *args):
        if name == "array_schema_check":
            for label, order, datatype in _LABELS:
                more = (u32(0), label.encode(), c_int(order), c_int(DATATYPES.index(datatype)))
                super().call("array_schema_add_dimension_label", args[0], *more)
        super().call(name, *args)


@fixture("dimension-labels", versions=(18, 22))
def _(uri, version):
    spec = dense([dim("d", "int32", (0, 9), 4)], plain(version))
    core = LabelledCore()
    create_array(core, uri, spec)
    core.close()
    labels = {
        "weight": fixed(np.linspace(-1, 1, 10)),
        "down": fixed(np.arange(50, 0, -5, dtype="<i4")),
        "name": var([bytes([97 + i]) * (i % 3 + 1) for i in range(10)]),
    }
    box(uri, version, spec, [[0, 9]], **labels)
    return spec
