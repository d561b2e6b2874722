"""Array schemas through the official core: from a plain dict (the shape of SchemaInput) and back.

{arrayType, dimensions: [{name, datatype, domain, tileExtent, filters}], attributes: [{name, datatype, cellValNum,
nullable, fill, filters, enumeration}], cellOrder, tileOrder, capacity, allowsDuplicates, coordsFilters, offsetsFilters,
validityFilters, enumerations: [{name, ordered, datatype, values}], currentDomain, labels: [{dimension (its number),
name, order, datatype}] (not given back)}. Filters are a list, or
{maxChunkSize, filters}, of names or {type, level, ...}.
"""

import ctypes
import time
from ctypes import byref, c_double, c_float, c_int, c_int32, c_uint8, c_uint32, c_uint64, c_void_p

import numpy as np
from libtiledb import DATATYPES, FILTER_CODES, FILTERS, LAYOUTS, VAR_NUM, CoreError, Range, buffer_of, has, kind, numpy_type, u32, u64

LEVEL, BIT_WINDOW, DELTA_WINDOW, FLOAT_BYTES, FLOAT_FACTOR, FLOAT_OFFSET, REINTERPRET = 0, 1, 2, 3, 4, 5, 9
WEBP_QUALITY, WEBP_FORMAT, WEBP_LOSSLESS = 6, 7, 8
WEBP_FORMATS = ("none", "rgb", "bgr", "rgba", "bgra")
LEVELLED = ("gzip", "zstd", "lz4", "rle", "bzip2", "double_delta", "delta", "dictionary")


def encode(datatype, value):
    """Bytes of one cell: text, bytes, a number, or a list of numbers."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str) and kind(datatype) in ("text", "blob"):
        return value.encode({"<u2": "utf-16-le", "<u4": "utf-32-le"}.get(numpy_type(datatype), "utf-8"))
    return np.asarray(value, numpy_type(datatype)).tobytes()


def decode(datatype, data):
    """Values of bytes: text, bytes for blobs, or a list of numbers."""
    if kind(datatype) == "text":
        codec = {"<u2": "utf-16-le", "<u4": "utf-32-le"}.get(numpy_type(datatype), "utf-8")
        return data.decode(codec, "surrogatepass" if codec != "utf-8" else "surrogateescape")
    if kind(datatype) == "blob":
        return data
    return np.frombuffer(data, numpy_type(datatype)).tolist()


# --- writing -----------------------------------------------------------------------------------------------------


def create_array(core, uri, spec):
    sparse = spec["arrayType"] == "sparse"
    schema = core.new("array_schema_alloc", c_int(1 if sparse else 0))
    if "cellOrder" in spec:
        core.call("array_schema_set_cell_order", schema, c_int(LAYOUTS.index(spec["cellOrder"])))
    if "tileOrder" in spec:
        core.call("array_schema_set_tile_order", schema, c_int(LAYOUTS.index(spec["tileOrder"])))
    if "capacity" in spec:
        core.call("array_schema_set_capacity", schema, u64(spec["capacity"]))
    if spec.get("allowsDuplicates"):
        core.call("array_schema_set_allows_dups", schema, c_int(1))
    for key, name in (("coordsFilters", "coords"), ("offsetsFilters", "offsets"), ("validityFilters", "validity")):
        if key in spec:
            core.call(f"array_schema_set_{name}_filter_list", schema, _filter_list(core, spec[key]))
    domain = core.new("domain_alloc")
    for dimension in spec["dimensions"]:
        core.call("domain_add_dimension", domain, _dimension(core, dimension))
    core.call("array_schema_set_domain", schema, domain)
    for enumeration in spec.get("enumerations", []):
        core.call("array_schema_add_enumeration", schema, _enumeration(core, enumeration))
    for attribute in spec["attributes"]:
        core.call("array_schema_add_attribute", schema, _attribute(core, attribute))
    for label in spec.get("labels", []):
        order = c_int(("unordered", "increasing", "decreasing").index(label["order"]))
        code = c_int(DATATYPES.index(label["datatype"]))
        name = label["name"].encode()
        core.call("array_schema_add_dimension_label", schema, u32(label["dimension"]), name, order, code)
    if spec.get("currentDomain"):
        _set_current_domain(core, schema, domain, spec)
    core.call("array_schema_check", schema)
    core.call("array_create", uri.encode(), schema)


def evolve(core, uri, add=(), drop=()):
    """Attributes added (as create_array takes them) and dropped, now."""
    # Schemas of one millisecond have no order.
    time.sleep(0.003)
    evolution = core.new("array_schema_evolution_alloc")
    for attribute in add:
        core.call("array_schema_evolution_add_attribute", evolution, _attribute(core, attribute))
    for name in drop:
        core.call("array_schema_evolution_drop_attribute", evolution, name.encode())
    core.call("array_evolve", uri.encode(), evolution)
    time.sleep(0.003)


def _dimension(core, spec):
    datatype = spec["datatype"]
    ends = extent = None
    if spec.get("domain") is not None:
        ends = buffer_of(encode(datatype, spec["domain"]))
    if spec.get("tileExtent") is not None:
        extent = buffer_of(encode(datatype, spec["tileExtent"]))
    name = spec["name"].encode()
    dimension = core.new("dimension_alloc", name, c_int(DATATYPES.index(datatype)), ends, extent)
    if "filters" in spec:
        core.call("dimension_set_filter_list", dimension, _filter_list(core, spec["filters"]))
    return dimension


def _attribute(core, spec):
    datatype = spec["datatype"]
    attribute = core.new("attribute_alloc", spec["name"].encode(), c_int(DATATYPES.index(datatype)))
    number = spec.get("cellValNum", "var" if datatype.startswith("string") else 1)
    core.call("attribute_set_cell_val_num", attribute, u32(VAR_NUM if number == "var" else number))
    nullable = spec.get("nullable", False)
    if nullable:
        core.call("attribute_set_nullable", attribute, c_uint8(1))
    if spec.get("fill") is not None:
        fill = encode(datatype, spec["fill"])
        if nullable:
            valid = c_uint8(1 if spec.get("fillValid") else 0)
            core.call("attribute_set_fill_value_nullable", attribute, buffer_of(fill), u64(len(fill)), valid)
        else:
            core.call("attribute_set_fill_value", attribute, buffer_of(fill), u64(len(fill)))
    if "filters" in spec:
        core.call("attribute_set_filter_list", attribute, _filter_list(core, spec["filters"]))
    if spec.get("enumeration") is not None:
        core.call("attribute_set_enumeration_name", attribute, spec["enumeration"].encode())
    return attribute


def _filter_list(core, spec):
    filters = core.new("filter_list_alloc")
    chunk = None
    if isinstance(spec, dict):
        chunk, spec = spec["maxChunkSize"], spec["filters"]
    for item in spec:
        core.call("filter_list_add_filter", filters, _filter(core, {"type": item} if isinstance(item, str) else item))
    if chunk is not None:
        core.call("filter_list_set_max_chunk_size", filters, u32(chunk))
    return filters


def _filter(core, spec):
    made = core.new("filter_alloc", c_int(FILTER_CODES[spec["type"]]))

    def option(code, value):
        core.call("filter_set_option", made, c_int(code), byref(value))

    if "level" in spec:
        option(LEVEL, c_int32(spec["level"]))
    if "maxWindow" in spec:
        option(BIT_WINDOW if spec["type"] == "bit_width_reduction" else DELTA_WINDOW, c_uint32(spec["maxWindow"]))
    if "reinterpret" in spec:
        option(REINTERPRET, c_uint8(DATATYPES.index(spec["reinterpret"])))
    if "factor" in spec:
        option(FLOAT_FACTOR, c_double(spec["factor"]))
        option(FLOAT_OFFSET, c_double(spec["offset"]))
        option(FLOAT_BYTES, c_uint64(spec["byteWidth"]))
    if spec["type"] == "webp":
        option(WEBP_QUALITY, c_float(spec["quality"]))
        option(WEBP_FORMAT, c_uint8(WEBP_FORMATS.index(spec["format"])))
        option(WEBP_LOSSLESS, c_uint8(spec["lossless"]))
    return made


def _enumeration(core, spec):
    values, datatype = spec["values"], spec.get("datatype", "string_utf8")
    cells = [encode(datatype, value) for value in values]
    data = b"".join(cells)
    number, offsets, offsets_size = 1, None, 0
    if kind(datatype) in ("text", "blob"):
        number = VAR_NUM
        starts = np.concatenate([[0], np.cumsum([len(cell) for cell in cells])])[: len(cells)].astype("<u8")
        offsets, offsets_size = buffer_of(starts.tobytes()), starts.nbytes
    ordered = c_int(1 if spec.get("ordered") else 0)
    sized = (buffer_of(data) if cells else None, u64(len(data)), offsets if cells else None, u64(offsets_size))
    code = c_int(DATATYPES.index(datatype))
    return core.new("enumeration_alloc", spec["name"].encode(), code, u32(number), ordered, *sized)


def _set_current_domain(core, schema, domain, spec):
    rectangle = core.new("ndrectangle_alloc", domain)
    kept = []
    for index, (dimension, (low, high)) in enumerate(zip(spec["dimensions"], spec["currentDomain"])):
        ends = [encode(dimension["datatype"], end) for end in (low, high)]
        buffers = [buffer_of(end) for end in ends]
        kept.append(buffers)
        box = Range(ctypes.addressof(buffers[0]), len(ends[0]), ctypes.addressof(buffers[1]), len(ends[1]))
        core.call("ndrectangle_set_range", rectangle, u32(index), byref(box))
    current = core.new("current_domain_create")
    core.call("current_domain_set_ndrectangle", current, rectangle)
    core.call("array_schema_set_current_domain", schema, current)


# --- reading -----------------------------------------------------------------------------------------------------


def schema_of(core, array):
    """The schema of an open array, in the shape above with every field filled in; `fill` is bytes."""
    schema = core.new("array_get_schema", array)
    domain = core.new("array_schema_get_domain", schema)
    dimensions = [
        _read_dimension(core, core.new("domain_get_dimension_from_index", domain, u32(index)))
        for index in range(core.value(c_uint32, "domain_get_ndim", domain))
    ]
    attributes = [
        _read_attribute(core, core.new("array_schema_get_attribute_from_index", schema, u32(index)))
        for index in range(core.value(c_uint32, "array_schema_get_attribute_num", schema))
    ]
    names = dict.fromkeys(a["enumeration"] for a in attributes if a["enumeration"] is not None)

    def pipeline(name):
        return _read_filters(core, core.new(f"array_schema_get_{name}_filter_list", schema))

    return {
        "arrayType": ["dense", "sparse"][core.value(c_int, "array_schema_get_array_type", schema)],
        "formatVersion": core.value(c_uint32, "array_schema_get_version", schema),
        "cellOrder": LAYOUTS[core.value(c_int, "array_schema_get_cell_order", schema)],
        "tileOrder": LAYOUTS[core.value(c_int, "array_schema_get_tile_order", schema)],
        "capacity": core.value(c_uint64, "array_schema_get_capacity", schema),
        "allowsDuplicates": bool(core.value(c_int, "array_schema_get_allows_dups", schema)),
        "coordsFilters": pipeline("coords"),
        "offsetsFilters": pipeline("offsets"),
        "validityFilters": pipeline("validity"),
        "dimensions": dimensions,
        "attributes": attributes,
        "enumerations": [_read_enumeration(core, array, name) for name in names],
        "currentDomain": _read_current_domain(core, schema, dimensions),
    }


def _read_dimension(core, dimension):
    datatype = DATATYPES[core.value(c_int, "dimension_get_type", dimension)]
    size = np.dtype(numpy_type(datatype)).itemsize
    ends = core.value(c_void_p, "dimension_get_domain", dimension)
    extent = core.value(c_void_p, "dimension_get_tile_extent", dimension)
    return {
        "name": core.text("dimension_get_name", dimension),
        "datatype": datatype,
        "domain": decode(datatype, ctypes.string_at(ends, 2 * size)) if ends else None,
        "tileExtent": decode(datatype, ctypes.string_at(extent, size))[0] if extent else None,
        "filters": _read_filters(core, core.new("dimension_get_filter_list", dimension)),
    }


def _read_attribute(core, attribute):
    datatype = DATATYPES[core.value(c_int, "attribute_get_type", attribute)]
    number = core.value(c_uint32, "attribute_get_cell_val_num", attribute)
    nullable = bool(core.value(c_uint8, "attribute_get_nullable", attribute))
    fill, size, valid = c_void_p(), c_uint64(), c_uint8()
    if nullable:
        core.call("attribute_get_fill_value_nullable", attribute, byref(fill), byref(size), byref(valid))
    else:
        core.call("attribute_get_fill_value", attribute, byref(fill), byref(size))
    return {
        "name": core.text("attribute_get_name", attribute),
        "datatype": datatype,
        "cellValNum": "var" if number == VAR_NUM else number,
        "nullable": nullable,
        "fill": ctypes.string_at(fill, size.value),
        "fillValid": bool(valid.value),
        "filters": _read_filters(core, core.new("attribute_get_filter_list", attribute)),
        "enumeration": _enumeration_name(core, attribute),
    }


def _string(core, handle):
    data, size = c_void_p(), c_uint64()
    # A handle of its own kind, whose functions take no context.
    from libtiledb import _lib

    _lib.tiledb_string_view(handle, byref(data), byref(size))
    return ctypes.string_at(data, size.value).decode()


def _enumeration_name(core, attribute):
    if not has("attribute_get_enumeration_name"):
        return None
    handle = core.new("attribute_get_enumeration_name", attribute)
    return _string(core, handle) if handle else None


def _read_enumeration(core, array, name):
    enumeration = core.new("array_get_enumeration", array, name.encode())
    datatype = DATATYPES[core.value(c_int, "enumeration_get_type", enumeration)]
    data, size, offsets, offsets_size = c_void_p(), c_uint64(), c_void_p(), c_uint64()
    core.call("enumeration_get_data", enumeration, byref(data), byref(size))
    core.call("enumeration_get_offsets", enumeration, byref(offsets), byref(offsets_size))
    raw = ctypes.string_at(data, size.value) if size.value else b""
    if core.value(c_uint32, "enumeration_get_cell_val_num", enumeration) == VAR_NUM:
        starts = np.frombuffer(ctypes.string_at(offsets, offsets_size.value) if offsets_size.value else b"", "<u8")
        ends = [*starts.tolist(), len(raw)]
        values = [decode(datatype, raw[ends[i] : ends[i + 1]]) for i in range(len(starts))]
    else:
        values = decode(datatype, raw)
    ordered = bool(core.value(c_int, "enumeration_get_ordered", enumeration))
    return {"name": name, "datatype": datatype, "ordered": ordered, "values": values}


def _read_current_domain(core, schema, dimensions):
    if not has("array_schema_get_current_domain"):
        return None
    current = core.new("array_schema_get_current_domain", schema)
    if core.value(c_uint32, "current_domain_get_is_empty", current):
        return None
    rectangle = core.new("current_domain_get_ndrectangle", current)
    ranges = []
    for index, dimension in enumerate(dimensions):
        box = Range()
        core.call("ndrectangle_get_range", rectangle, u32(index), byref(box))
        ends = [(box.min, box.min_size), (box.max, box.max_size)]
        values = [decode(dimension["datatype"], ctypes.string_at(at, size) if size else b"") for at, size in ends]
        ranges.append([value[0] if isinstance(value, list) else value for value in values])
    return ranges


def _read_filters(core, filters):
    count = core.value(c_uint32, "filter_list_get_nfilters", filters)
    return {
        "maxChunkSize": core.value(c_uint32, "filter_list_get_max_chunk_size", filters),
        "filters": [
            _read_filter(core, core.new("filter_list_get_filter_from_index", filters, u32(index)))
            for index in range(count)
        ],
    }


def _has_reinterpret(core, handle):
    try:
        core.call("filter_get_option", handle, c_int(REINTERPRET), byref(c_uint8()))
    except CoreError:
        return False
    return True


def _read_filter(core, handle):
    name = FILTERS[core.value(c_int, "filter_get_type", handle)]
    spec = {"type": name}

    def option(code, kind_of_value):
        value = kind_of_value()
        core.call("filter_get_option", handle, c_int(code), byref(value))
        return value.value

    if name in LEVELLED:
        spec["level"] = option(LEVEL, c_int32)
    if name in ("double_delta", "delta"):
        # Double delta has the option since core 2.16; "any" is not set.
        known = _has_reinterpret(core, handle)
        spec["reinterpret"] = DATATYPES[option(REINTERPRET, c_uint8)] if known else "any"
    if name == "bit_width_reduction":
        spec["maxWindow"] = option(BIT_WINDOW, c_uint32)
    if name == "positive_delta":
        spec["maxWindow"] = option(DELTA_WINDOW, c_uint32)
    if name == "scale_float":
        spec["factor"] = option(FLOAT_FACTOR, c_double)
        spec["offset"] = option(FLOAT_OFFSET, c_double)
        spec["byteWidth"] = option(FLOAT_BYTES, c_uint64)
    if name == "webp":
        spec["quality"] = option(WEBP_QUALITY, c_float)
        spec["format"] = WEBP_FORMATS[option(WEBP_FORMAT, c_uint8)]
        spec["lossless"] = bool(option(WEBP_LOSSLESS, c_uint8))
    return spec

