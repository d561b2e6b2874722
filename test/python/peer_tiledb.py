"""Arrays through the official core (see core_schema.py and core_cells.py for the shapes) and through TileDB-Py."""

import os

import core_aggregates
import core_cells
import core_schema
import tiledb
from libtiledb import Core, CoreError


def echo(value):
    """The value back: tests of the wire."""
    return value


def end_process():
    """Ends as a crash of the library would: tests of what the tests say then."""
    os._exit(3)


def create_array(uri, schema):
    core = Core()
    core_schema.create_array(core, uri, schema)
    core.close()


def write_cells(uri, cells, subarray=None, timestamp=None, order=None):
    core_cells.write_cells(uri, cells, subarray, timestamp, order)


def write_array(uri, schema, fragments):
    """Creates an array and writes fragments: [{cells, subarray?, timestamp?, order?}]."""
    create_array(uri, schema)
    for fragment in fragments:
        core_cells.write_cells(uri, **fragment)


def read_array(uri, ranges=None, timestamp=None, order="row-major", attributes=None, dimensions=None, condition=None):
    """{cellCount, columns: name -> column}. A dense array without ranges: its non-empty domain."""
    with core_cells.OpenArray(uri, timestamp=timestamp) as array:
        if ranges is None and array.schema["arrayType"] == "dense":
            box = core_cells.non_empty_domain(array)
            ranges = {d["name"]: [ends] for d, ends in zip(array.schema["dimensions"], box)}
        return core_cells.read_cells(array, ranges, order, attributes, dimensions, condition)


def array_info(uri, timestamp=None):
    """The schema with `nonEmptyDomain`, `fragments` and `metadata` (key -> datatype, count, data)."""
    with core_cells.OpenArray(uri, timestamp=timestamp) as array:
        info = dict(array.schema)
        info["nonEmptyDomain"] = core_cells.non_empty_domain(array)
        info["fragments"] = core_cells.fragments_of(uri, info["dimensions"])
        info["metadata"] = core_cells.metadata_of(array)
        return info


def put_metadata(uri, entries, timestamp=None):
    core_cells.put_metadata(uri, entries, timestamp)


def consolidate(uri, config=None):
    core_cells.consolidate(uri, config)


def vacuum(uri, config=None):
    core_cells.vacuum(uri, config)


def python_read(uri, attributes=None):
    """name -> values of the whole array as TileDB-Py gives them: the same library through its everyday face."""
    with tiledb.open(uri) as array:
        options = {} if attributes is None else {"attrs": attributes}
        order = {"order": "C"}
        found = array.query(**order, **options)[:]
        return dict(found) if isinstance(found, dict) else {"": found}


def python_metadata(uri):
    """key -> value of an array's metadata as TileDB-Py gives them."""
    with tiledb.open(uri) as array:
        return {key: array.meta[key] for key in array.meta.keys()}


def object_type(uri):
    return tiledb.object_type(uri)


def group_members(uri):
    """[{uri, type, name}] of a group."""
    with tiledb.Group(uri) as group:
        return [{"uri": m.uri, "type": m.type.__name__.lower(), "name": m.name} for m in group]


def delete_cells(uri, condition, timestamp):
    """A delete commit; the condition is in TileDB-Py's syntax."""
    with tiledb.open(uri, "d", timestamp=timestamp) as array:
        array.query(cond=condition).submit()


def aggregates(uri, attribute):
    """{sum, min, max, mean, count, null_count (of nullable ones)} of an attribute over the whole array."""
    with tiledb.open(uri) as array:
        asked = ["sum", "min", "max", "mean", "count"]
        if array.schema.attr(attribute).isnullable:
            asked.append("null_count")
        found = array.query().agg({attribute: asked})[:]
        return {name: float(value) for name, value in found.items()}


def core_aggregates_of(uri, queries):
    return core_aggregates.aggregates(uri, queries)


def make_objects(root, objects):
    """objects: [{path, type}], made in this order; then of groups `members`: [{uri, relative, name}]."""
    for one in objects:
        uri = os.path.join(root, one["path"])
        os.makedirs(os.path.dirname(uri), exist_ok=True)
        if one["type"] == "group":
            tiledb.Group.create(uri)
        elif one["type"] == "array":
            dimension = tiledb.Dim("d", domain=(0, 3), tile=2, dtype="int32")
            attribute = tiledb.Attr("a", dtype="int32")
            tiledb.Array.create(uri, tiledb.ArraySchema(tiledb.Domain(dimension), [attribute]))
        else:
            os.makedirs(uri)
    for one in objects:
        for member in one.get("members", []):
            with tiledb.Group(os.path.join(root, one["path"]), "w") as group:
                group.add(member["uri"], relative=member.get("relative", False), name=member.get("name"))


def list_objects(uri):
    """What tiledb.ls says: [[uri, type]]."""
    found = []
    tiledb.ls(uri, lambda path, kind: found.append([path, kind]))
    return found


def walk_objects(uri, order):
    """What tiledb.walk says, "preorder" or "postorder": [[uri, type]]."""
    found = []
    tiledb.walk(uri, lambda path, kind: found.append([path, kind]), order)
    return found


def walk_members(uri):
    """Groups by what they say, each before its members: [[uri, type, name]]."""
    found = []
    with tiledb.Group(uri) as group:
        for member in group:
            kind = member.type.__name__.lower()
            found.append([member.uri, kind, member.name])
            if kind == "group":
                found += walk_members(member.uri)
    return found


def matching_cells(uri, conditions, key):
    return core_cells.matching(uri, conditions, key)


def labelled_cells(uri, queries):
    """Of each query ({labels, ranges?, timestamp?}) the cells, or the core's complaint."""
    answers = []
    for query in queries:
        try:
            answers.append(core_cells.read_by_labels(uri, **query))
        except CoreError as error:
            answers.append(str(error))
    return answers
