"""What an array holds as JSON, as the official library sees it: the expected content beside each fixture.

schema.json has the shape of `cellarr array inspect --json`, cells.json that of `cellarr array read --format ndjson`
(a list of the same objects): 64-bit integers and datetimes as decimal strings; NaN, Infinity, -Infinity as strings;
blobs as base64; null for null; several values of a cell as a list; an enumerated attribute as its value.
"""

import base64
import itertools
import math

import core_cells
import numpy as np
from core_schema import decode
from libtiledb import kind, numpy_type


def schema_json(uri, timestamp=None):
    with core_cells.OpenArray(uri, timestamp=timestamp) as array:
        schema = array.schema
        types = [d["datatype"] for d in schema["dimensions"]]
        return {
            "arrayType": schema["arrayType"],
            "formatVersion": schema["formatVersion"],
            "cellOrder": schema["cellOrder"],
            "tileOrder": schema["tileOrder"],
            "capacity": schema["capacity"],
            "allowsDuplicates": schema["allowsDuplicates"],
            "coordsFilters": schema["coordsFilters"]["filters"],
            "offsetsFilters": schema["offsetsFilters"]["filters"],
            "validityFilters": schema["validityFilters"]["filters"],
            "dimensions": [_dimension(d) for d in schema["dimensions"]],
            "attributes": [_attribute(a) for a in schema["attributes"]],
            "enumerations": [_enumeration(e) for e in schema["enumerations"]],
            "currentDomain": _ranges(types, schema["currentDomain"]),
            "nonEmptyDomain": _ranges(types, core_cells.non_empty_domain(array)),
            "fragments": [_fragment(f, types) for f in core_cells.fragments_of(uri, schema["dimensions"])],
            "metadata": {key: _metadata(entry) for key, entry in sorted(core_cells.metadata_of(array).items())},
        }


def cells_json(uri, ranges=None, timestamp=None, order="row-major"):
    with core_cells.OpenArray(uri, timestamp=timestamp) as array:
        schema, dense = array.schema, array.schema["arrayType"] == "dense"
        box = core_cells.non_empty_domain(array)
        if box is None:
            return []
        if dense:
            whole = {d["name"]: [ends] for d, ends in zip(schema["dimensions"], box)}
            ranges = {**whole, **(ranges or {})}
        found = core_cells.read_cells(array, ranges, order)
        count, columns = found["cellCount"], {}
        if dense:
            sides = [list(_points(ranges[d["name"]])) for d in schema["dimensions"]]
            lists = zip(*itertools.product(*sides))
            if order == "col-major":
                lists = reversed(list(zip(*itertools.product(*reversed(sides)))))
            for dimension, values in zip(schema["dimensions"], lists):
                columns[dimension["name"]] = [_value(dimension["datatype"], value) for value in values]
        enumerations = {e["name"]: _enumeration(e)["values"] for e in schema["enumerations"]}
        for field in [*schema["dimensions"], *schema["attributes"]]:
            if field["name"] in found["columns"]:
                column = found["columns"][field["name"]]
                columns[field["name"]] = _column(field, column, count, enumerations.get(field.get("enumeration")))
        return [{name: values[i] for name, values in columns.items()} for i in range(count)]


def _points(ranges):
    return itertools.chain.from_iterable(range(low, high + 1) for low, high in ranges)


def _column(field, column, count, enumeration):
    size = None if core_cells.is_var(field) else field.get("cellValNum", 1) * _size(field["datatype"])
    offsets = np.frombuffer(column["offsets"], "<u4").tolist() if "offsets" in column else None
    values = []
    for i in range(count):
        if column.get("validity") is not None and column["validity"][i] == 0:
            values.append(None)
            continue
        low, high = (i * size, (i + 1) * size) if offsets is None else (offsets[i], offsets[i + 1])
        data = column["values" if offsets is None else "data"][low:high]
        if enumeration is not None:
            index = decode(field["datatype"], data)[0]
            values.append(enumeration[index] if 0 <= index < len(enumeration) else None)
        else:
            values.append(_cell(field, data))
    return values


def _cell(field, data):
    """One cell's bytes: text, base64, a number, or a list where a cell has several values."""
    datatype = field["datatype"]
    value = decode(datatype, data)
    if kind(datatype) == "text":
        return value if core_cells.is_var(field) else value.rstrip("\0")
    if kind(datatype) == "blob":
        return base64.b64encode(value).decode("ascii")
    values = [_value(datatype, item) for item in value]
    several = core_cells.is_var(field) or field.get("cellValNum", 1) != 1
    return values if several else values[0]


def _size(datatype):
    return np.dtype(numpy_type(datatype)).itemsize


def _value(datatype, value):
    if kind(datatype) == "bool":
        return bool(value)
    if numpy_type(datatype) in ("<i8", "<u8"):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def _ranges(types, ranges):
    if ranges is None:
        return None
    return [[_value(datatype, end) for end in ends] for datatype, ends in zip(types, ranges)]


def _dimension(spec):
    datatype, domain, extent = spec["datatype"], spec["domain"], spec["tileExtent"]
    return {
        "name": spec["name"],
        "type": datatype,
        "domain": None if domain is None else [_value(datatype, end) for end in domain],
        "tileExtent": None if extent is None else _value(datatype, extent),
        "filters": spec["filters"]["filters"],
    }


def _attribute(spec):
    return {
        "name": spec["name"],
        "type": spec["datatype"],
        "cellValNum": spec["cellValNum"],
        "nullable": spec["nullable"],
        "fill": _cell(spec, spec["fill"]),
        "enumeration": spec["enumeration"],
        "filters": spec["filters"]["filters"],
    }


def _enumeration(spec):
    datatype = spec["datatype"]
    values = spec["values"]
    if kind(datatype) == "blob":
        values = [base64.b64encode(value).decode("ascii") for value in values]
    elif kind(datatype) != "text":
        values = [_value(datatype, value) for value in values]
    return {"name": spec["name"], "type": datatype, "ordered": spec["ordered"], "values": values}


def _fragment(info, types):
    return {
        "name": info["uri"].rstrip("/").rsplit("/", 1)[-1],
        "formatVersion": info["formatVersion"],
        "timestampRange": info["timestampRange"],
        "nonEmptyDomain": _ranges(types, info["nonEmptyDomain"]),
        "cellCount": info["cellCount"],
        "bytes": info["bytes"],
    }


def _metadata(entry):
    """Text and blobs as such; one number as a value, several as a list."""
    value = decode(entry["datatype"], entry["data"])
    if kind(entry["datatype"]) == "text":
        return value
    if kind(entry["datatype"]) == "blob":
        return base64.b64encode(value).decode("ascii")
    values = [_value(entry["datatype"], item) for item in value]
    return values[0] if len(values) == 1 else values
