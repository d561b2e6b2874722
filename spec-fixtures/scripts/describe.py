"""python describe.py TARGET [PREFIX ...]: writes what each fixture holds, as the newest official library reads it."""

import json
import os
import sys

import content
import tiledb
from fixture_list import READS, key_of
from libtiledb import encrypted


def save(path, value, rows=False):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        if rows:
            lines = (json.dumps(row, allow_nan=False) for row in value)
            file.write("[\n" + ",\n".join(lines) + "\n]\n")
        else:
            json.dump(value, file, allow_nan=False, default=int)
            file.write("\n")


def describe_array(folder, name):
    uri = os.path.join(folder, "array")
    save(os.path.join(folder, "schema.json"), content.schema_json(uri))
    save(os.path.join(folder, "cells.json"), content.cells_json(uri), rows=True)
    if name in READS:
        reads = [{"query": query, "cells": content.cells_json(uri, **query)} for query in READS[name]]
        save(os.path.join(folder, "reads.json"), reads, rows=True)


def _path(member, group):
    """From the group; of a member elsewhere its whole URI."""
    place = member.removeprefix("file://")
    return place if "://" in place else os.path.relpath(place, group)


def describe_group(folder):
    uri = os.path.join(folder, "group")
    with tiledb.Group(uri) as group:
        members = [
            {"path": _path(m.uri, uri), "type": m.type.__name__.lower(), "name": m.name}
            for m in group
        ]
        metadata = {key: group.meta[key] for key in sorted(group.meta)}
    described = {"members": sorted(members, key=lambda member: member["path"]), "metadata": metadata}
    save(os.path.join(folder, "group.json"), described)


target, prefixes = sys.argv[1], tuple(sys.argv[2:])
for name in sorted(os.listdir(target)):
    if prefixes and not name.startswith(prefixes):
        continue
    folder = os.path.join(target, name)
    if name.startswith("group."):
        describe_group(folder)
    else:
        with encrypted(key_of(name)):
            describe_array(folder, name)
