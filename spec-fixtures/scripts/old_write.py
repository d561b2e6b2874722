"""python old_write.py VERSION TARGET [PREFIX ...]: the fixtures of a format version by the core in TILEDB_WHEEL.

Each is written to a temporary place and moved: URIs inside its files lead nowhere. own.json keeps what the writer
itself reads and when the writes happened; old_describe.py uses and removes it.
"""

import json
import os
import shutil
import sys
import tempfile

import old_core  # first: it chooses the library that the others load
import content  # isort: skip
from old_library import core_version
from old_list import FIXTURES
from old_wheels import WHEELS


def own_reading(uri, spec, encrypted):
    """As content.cells_json, by the writer."""
    found = old_core.read_cells(uri, spec, encrypted)
    if found["cellCount"] == 0:
        return []
    fields = old_core._fields(spec, spec["arrayType"] == "dense", True)
    columns = {
        name: content._column(field, found["columns"][name], found["cellCount"], None) for name, field in fields.items()
    }
    return [{name: values[i] for name, values in columns.items()} for i in range(found["cellCount"])]


def write(name, fixture, version, target):
    folder = os.path.join(target, name)
    shutil.rmtree(folder, ignore_errors=True)
    old_core.WRITTEN.clear()
    kind = "group" if name.startswith("group.") else "array"
    with tempfile.TemporaryDirectory() as place:
        os.environ["OLD_FIXTURES"] = os.path.dirname(target)
        spec = fixture.write(os.path.join(place, kind), version)
        own = own_reading(os.path.join(place, kind), spec, fixture.encrypted) if spec is not None else None
        shutil.copytree(os.path.join(place, kind), os.path.join(folder, kind))
    with open(os.path.join(folder, "own.json"), "w") as file:
        json.dump({"cells": own, "times": old_core.WRITTEN}, file)


def write_apart(name, fixture, version, target):
    """In a process of its own: old cores crash where later ones say no. Gives what went wrong, or None."""
    child = os.fork()
    if child == 0:
        try:
            write(name, fixture, version, target)
        except Exception as error:
            print(f"format {version}, {name}: {type(error).__name__} {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return None if status == 0 else os.waitstatus_to_exitcode(status)


def main(version, target, prefixes):
    failed = []
    if ".".join(map(str, core_version())) != WHEELS[version][3]:
        sys.exit(f"the core of format {version} should be {WHEELS[version][3]}, not {core_version()}")
    for name, fixture in FIXTURES.items():
        if version not in fixture.versions or (prefixes and not name.startswith(prefixes)):
            continue
        code = write_apart(name, fixture, version, target)
        if code is not None:
            shutil.rmtree(os.path.join(target, name), ignore_errors=True)
            failed.append(f"format {version}, {name}: exit code {code}")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]))
