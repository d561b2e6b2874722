"""python old_describe.py TARGET WRITER [PREFIX ...]: what each fixture holds, as the newest official library reads it.

WRITER is the JSON of writer.json. Where the writer read something else than the newest library, it is an error.
"""

import json
import os
import sys

from old_reads import READS

KEY = "0123456789abcdefghijklmnopqrstuv"


def save(path, value, rows=False):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        if rows:
            lines = (json.dumps(row, allow_nan=False) for row in value)
            file.write("[\n" + ",\n".join(lines) + "\n]\n")
        else:
            json.dump(value, file, allow_nan=False, default=int)
            file.write("\n")


def keys_of_environment(encrypted):
    """The library takes its parameters from the environment too; the helpers here don't know about keys."""
    for name, value in (("TILEDB_SM_ENCRYPTION_TYPE", "AES_256_GCM"), ("TILEDB_SM_ENCRYPTION_KEY", KEY)):
        os.environ.pop(name, None)
        if encrypted:
            os.environ[name] = value


def timed(query, times, version):
    """Queries give times as 1, 2, 3: that of the first write and so on, where the writer didn't take ours."""
    if "timestamp" not in query or version >= 5:
        return query
    at = query["timestamp"]
    moved = [times[one - 1] for one in at] if isinstance(at, list) else times[at - 1]
    return {**query, "timestamp": moved}


def describe_array(folder, name, writer, own):
    import content

    uri = os.path.join(folder, "array")
    schema = content.schema_json(uri)
    save(os.path.join(folder, "schema.json"), schema)
    cells = content.cells_json(uri)
    save(os.path.join(folder, "cells.json"), cells, rows=True)
    reads = []
    for query in READS.get(name, []):
        query = timed(query, own["times"], writer["format"])
        reads.append({"query": query, "cells": content.cells_json(uri, **query)})
    if reads:
        save(os.path.join(folder, "reads.json"), reads, rows=True)
    labels = os.path.join(uri, "__labels")
    if os.path.isdir(labels):  # each is an array of its own
        told = {name: content.cells_json(os.path.join(labels, name)) for name in sorted(os.listdir(labels))}
        save(os.path.join(folder, "labels.json"), told)
    return differences(cells, own["cells"], var_fills(schema, writer["format"]))


def var_fills(schema, version):
    """Cores before 2.1 give whatever is in memory for variable-length cells that nobody wrote."""
    if version >= 6 or schema["arrayType"] == "sparse":
        return {}
    return {one["name"]: one["fill"] for one in schema["attributes"] if one["cellValNum"] == "var"}


def differences(cells, own, fills):
    """None, or the first row in which the writer's reading is another one; `fills` are not compared."""
    if own is None:
        return None
    pairs = zip(shared(cells, own), own, strict=False)
    known = [[{k: v for k, v in row.items() if k not in fills or fills[k] != ours[k]} for row in (ours, theirs)] for ours, theirs in pairs]
    ordered = [sorted(json.dumps(pair[side], sort_keys=True) for pair in known) for side in (0, 1)]
    if ordered[0] == ordered[1] and len(cells) == len(own):
        return None
    wrong = [pair for pair in zip(*ordered) if pair[0] != pair[1]]
    return f"{len(cells)} cells, the writer {len(own)}: {wrong[:1]}"


def shared(cells, own):
    """The writer doesn't tell coordinates of dense arrays."""
    names = own[0].keys() if own else []
    return [{name: row[name] for name in names} for row in cells]


def describe_group(folder):
    import tiledb

    uri = os.path.join(folder, "group")
    with tiledb.Group(uri) as group:
        members = [
            {"path": os.path.relpath(m.uri.removeprefix("file://"), uri), "type": m.type.__name__.lower(), "name": m.name}
            for m in group
        ]
        metadata = {key: group.meta[key] for key in sorted(group.meta)}
    described = {"members": sorted(members, key=lambda member: member["path"]), "metadata": metadata}
    save(os.path.join(folder, "group.json"), described)


def describe(target, name, writer):
    folder = os.path.join(target, name)
    with open(os.path.join(folder, "own.json")) as file:
        own = json.load(file)
    encrypted = name.startswith("encrypted")
    keys_of_environment(encrypted)
    if name.startswith("group."):
        describe_group(folder)
        other = None
    else:
        other = describe_array(folder, name, writer, own)
    if other is not None:
        raise RuntimeError(other)
    more = {"encryptionKey": KEY} if encrypted else {}
    save(os.path.join(folder, "writer.json"), {**writer, **more})
    os.remove(os.path.join(folder, "own.json"))


def main(target, writer, prefixes):
    failed = []
    for name in sorted(os.listdir(target)):
        if (prefixes and not name.startswith(prefixes)) or not os.path.exists(os.path.join(target, name, "own.json")):
            continue
        try:
            describe(target, name, writer)
        except Exception as error:
            failed.append(f"format {writer['format']}, {name}: {error}")
    if failed:
        sys.exit("\n".join(failed))


main(sys.argv[1], json.loads(sys.argv[2]), tuple(sys.argv[3:]))
