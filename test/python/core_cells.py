"""Cells and metadata through the official core.

A column is {"values": bytes} of a fixed field or {"offsets": uint32 bytes (cells + 1), "data": bytes} of a
variable-length one, with "validity" (a byte a cell) where it is nullable: the bytes of a Column of src/array.
"""

import ctypes
from ctypes import byref, c_char_p, c_int, c_uint32, c_uint64, c_void_p

import core_condition
import numpy as np
from core_schema import decode, encode, schema_of
from libtiledb import COMPLETED, DATATYPES, LAYOUTS, READ, WRITE, Core, CoreError, buffer_of, numpy_type, u32, u64

FIRST_BUFFER = 1 << 16


class OpenArray:
    def __init__(self, uri, mode=READ, timestamp=None, config=None):
        self.core = Core(config)
        self.handle = self.core.new("array_alloc", uri.encode())
        if timestamp is not None:
            start, end = timestamp if isinstance(timestamp, (list, tuple)) else (0, timestamp)
            self.core.call("array_set_open_timestamp_start", self.handle, u64(start))
            self.core.call("array_set_open_timestamp_end", self.handle, u64(end))
        self.core.call("array_open", self.handle, c_int(mode))
        self._schema = None

    @property
    def schema(self):
        if self._schema is None:
            self._schema = schema_of(self.core, self.handle)
        return self._schema

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.core.call("array_close", self.handle)
        self.core.free("array", self.handle)
        self.core.close()


def write_cells(uri, cells, subarray=None, timestamp=None, order=None):
    """One fragment. Sparse: cells in any order (or order="global-order"). Dense: row-major (or `order`) of `subarray`."""
    with OpenArray(uri, WRITE, None if timestamp is None else (timestamp, timestamp)) as array:
        core, schema = array.core, array.schema
        query = core.new("query_alloc", array.handle, c_int(WRITE))
        default = "unordered" if schema["arrayType"] == "sparse" else "row-major"
        core.call("query_set_layout", query, c_int(LAYOUTS.index(order or default)))
        if subarray is not None:
            box = core.new("subarray_alloc", array.handle)
            for index, (low, high) in enumerate(subarray):
                add_range(core, box, index, schema["dimensions"][index], low, high)
            core.call("query_set_subarray_t", query, box)
        kept = [_set_column(core, query, name, column) for name, column in cells.items()]
        core.call("query_submit", query)
        core.call("query_finalize", query)
        core.free("query", query)
        del kept


def _set_column(core, query, name, column):
    kept = []

    def give(function, data):
        buffer, size = buffer_of(data), c_uint64(len(data))
        kept.append((buffer, size))
        core.call(function, query, name.encode(), buffer, byref(size))

    if "offsets" in column:
        give("query_set_data_buffer", column["data"])
        starts = np.frombuffer(column["offsets"], "<u4")[:-1].astype("<u8")
        give("query_set_offsets_buffer", starts.tobytes())
    else:
        give("query_set_data_buffer", column["values"])
    if column.get("validity") is not None:
        give("query_set_validity_buffer", column["validity"])
    return kept


def add_range(core, subarray, index, dimension, low, high):
    ends = [encode(dimension["datatype"], end) for end in (low, high)]
    buffers = [buffer_of(end) for end in ends]
    if dimension["domain"] is None:
        sized = (buffers[0], u64(len(ends[0])), buffers[1], u64(len(ends[1])))
        core.call("subarray_add_range_var", subarray, u32(index), *sized)
    else:
        core.call("subarray_add_range", subarray, u32(index), buffers[0], buffers[1], None)


def read_cells(array, ranges=None, order="row-major", attributes=None, dimensions=None, condition=None):
    """{cellCount, columns}; `ranges` is dimension name -> list of [low, high] (inclusive). Dense: give ranges."""
    size = FIRST_BUFFER
    while True:
        result = _try_read(array, ranges or {}, order, attributes, dimensions, condition, size)
        if result is not None:
            return result
        size *= 4
        if size > 1 << 30:
            raise CoreError("the result does not fit in 1 GiB a field")


def _try_read(array, ranges, order, attributes, dimensions, condition, size):
    core, schema = array.core, array.schema
    query = core.new("query_alloc", array.handle, c_int(READ))
    core.call("query_set_layout", query, c_int(LAYOUTS.index(order)))
    subarray = core.new("subarray_alloc", array.handle)
    for index, dimension in enumerate(schema["dimensions"]):
        for low, high in ranges.get(dimension["name"], []):
            add_range(core, subarray, index, dimension, low, high)
    core.call("query_set_subarray_t", query, subarray)
    if condition is not None:
        core.call("query_set_condition", query, core_condition.build(core, schema, condition))
    fields = _fields(schema, attributes, dimensions)
    buffers = {name: _ResultBuffers(core, query, name, field, size) for name, field in fields.items()}
    core.call("query_submit", query)
    complete = core.value(c_int, "query_get_status", query) == COMPLETED
    columns = {name: taken.column() for name, taken in buffers.items()}
    core.free("query", query)
    if not complete:
        return None
    counts = {taken.count() for taken in buffers.values()}
    if len(counts) != 1:
        raise CoreError(f"fields of different lengths: {counts}")
    return {"cellCount": counts.pop(), "columns": columns}


def read_by_labels(uri, labels, ranges=None, timestamp=None, size=FIRST_BUFFER):
    """{dimension or attribute: bytes} of a fixed length, in row-major order, of the cells in `labels`: name -> [low, high]
    ranges as bytes; `ranges` is that of other dimensions, as in `read_cells`."""
    with OpenArray(uri, timestamp=timestamp) as array:
        core, schema = array.core, array.schema
        query = core.new("query_alloc", array.handle, c_int(READ))
        core.call("query_set_layout", query, c_int(LAYOUTS.index("row-major")))
        subarray, kept = core.new("subarray_alloc", array.handle), []
        for index, dimension in enumerate(schema["dimensions"]):
            for low, high in (ranges or {}).get(dimension["name"], []):
                add_range(core, subarray, index, dimension, low, high)
        for name, label in labels.items():
            for ends in label["ranges"]:
                low, high = map(buffer_of, ends)
                kept += [low, high]
                sized = (low, u64(len(ends[0])), high, u64(len(ends[1]))) if label["var"] else (low, high, None)
                function = "subarray_add_label_range_var" if label["var"] else "subarray_add_label_range"
                core.call(function, subarray, name.encode(), *sized)
        core.call("query_set_subarray_t", query, subarray)
        fields = _fields(schema, None, [d["name"] for d in schema["dimensions"]])
        buffers = {name: _ResultBuffers(core, query, name, field, size) for name, field in fields.items()}
        core.call("query_submit", query)
        if core.value(c_int, "query_get_status", query) != COMPLETED:
            raise RuntimeError("the result does not fit")
        return {name: taken.column()["values"] for name, taken in buffers.items()}


def _fields(schema, attributes, dimensions):
    by_default = [d["name"] for d in schema["dimensions"]] if schema["arrayType"] == "sparse" else []
    wanted = by_default if dimensions is None else dimensions
    fields = {d["name"]: d for d in schema["dimensions"] if d["name"] in wanted}
    for attribute in schema["attributes"]:
        if attributes is None or attribute["name"] in attributes:
            fields[attribute["name"]] = attribute
    return fields


def is_var(field):
    """Whether a dimension or attribute of `schema_of` has variable-length cells."""
    return field["cellValNum"] == "var" if "cellValNum" in field else field["domain"] is None


class _ResultBuffers:
    def __init__(self, core, query, name, field, size):
        number = field.get("cellValNum", 1)
        self.cell_bytes = None if is_var(field) else number * np.dtype(numpy_type(field["datatype"])).itemsize
        self.data, self.data_size = ctypes.create_string_buffer(size), c_uint64(size)
        core.call("query_set_data_buffer", query, name.encode(), self.data, byref(self.data_size))
        self.offsets = self.validity = None
        if self.cell_bytes is None:
            self.offsets, self.offsets_size = ctypes.create_string_buffer(size), c_uint64(size)
            core.call("query_set_offsets_buffer", query, name.encode(), self.offsets, byref(self.offsets_size))
        if field.get("nullable"):
            self.validity, self.validity_size = ctypes.create_string_buffer(size), c_uint64(size)
            core.call("query_set_validity_buffer", query, name.encode(), self.validity, byref(self.validity_size))

    def count(self):
        return self.data_size.value // self.cell_bytes if self.offsets is None else self.offsets_size.value // 8

    def column(self):
        data = self.data.raw[: self.data_size.value]
        if self.offsets is None:
            column = {"values": data}
        else:
            starts = np.frombuffer(self.offsets.raw[: self.offsets_size.value], "<u8")
            column = {"offsets": np.append(starts, len(data)).astype("<u4").tobytes(), "data": data}
        if self.validity is not None:
            column["validity"] = self.validity.raw[: self.validity_size.value]
        return column


def non_empty_domain(array):
    """[[low, high]] per dimension, or None where nothing was written."""
    core, ranges = array.core, []
    for index, dimension in enumerate(array.schema["dimensions"]):
        empty = c_int()
        if dimension["domain"] is None:
            sizes = c_uint64(), c_uint64()
            name = "array_get_non_empty_domain_var"
            core.call(f"{name}_size_from_index", array.handle, u32(index), *map(byref, sizes), byref(empty))
            if empty.value:
                return None
            ends = [ctypes.create_string_buffer(max(size.value, 1)) for size in sizes]
            core.call(f"{name}_from_index", array.handle, u32(index), *ends, byref(empty))
            ranges.append([decode(dimension["datatype"], e.raw[: s.value]) for e, s in zip(ends, sizes)])
        else:
            size = np.dtype(numpy_type(dimension["datatype"])).itemsize
            both = ctypes.create_string_buffer(2 * size)
            core.call("array_get_non_empty_domain_from_index", array.handle, u32(index), both, byref(empty))
            if empty.value:
                return None
            ranges.append(decode(dimension["datatype"], both.raw))
    return ranges


def fragments_of(uri, dimensions):
    """What the core says of each fragment, oldest first."""
    core = Core()
    info = core.new("fragment_info_alloc", uri.encode())
    core.call("fragment_info_load", info)
    found = []
    for index in range(core.value(c_uint32, "fragment_info_get_fragment_num", info)):
        start, end = c_uint64(), c_uint64()
        core.call("fragment_info_get_timestamp_range", info, u32(index), byref(start), byref(end))
        found.append(
            {
                "uri": core.text("fragment_info_get_fragment_uri", info, u32(index)),
                "formatVersion": core.value(c_uint32, "fragment_info_get_version", info, u32(index)),
                "timestampRange": [start.value, end.value],
                "nonEmptyDomain": [
                    _fragment_domain(core, info, index, number, dimension)
                    for number, dimension in enumerate(dimensions)
                ],
                "cellCount": core.value(c_uint64, "fragment_info_get_cell_num", info, u32(index)),
                "bytes": core.value(c_uint64, "fragment_info_get_fragment_size", info, u32(index)),
            }
        )
    core.free("fragment_info", info)
    core.close()
    return found


def _fragment_domain(core, info, fragment, number, dimension):
    name = "fragment_info_get_non_empty_domain"
    place = (info, u32(fragment), u32(number))
    if dimension["domain"] is None:
        sizes = c_uint64(), c_uint64()
        core.call(f"{name}_var_size_from_index", *place, *map(byref, sizes))
        ends = [ctypes.create_string_buffer(max(size.value, 1)) for size in sizes]
        core.call(f"{name}_var_from_index", *place, *ends)
        return [decode(dimension["datatype"], e.raw[: s.value]) for e, s in zip(ends, sizes)]
    both = ctypes.create_string_buffer(2 * np.dtype(numpy_type(dimension["datatype"])).itemsize)
    core.call(f"{name}_from_index", *place, both)
    return decode(dimension["datatype"], both.raw)


def put_metadata(uri, entries, timestamp=None):
    """`entries`: key -> None (deletes it) or {"datatype", "value"}, where value is text, bytes or a list of numbers."""
    with OpenArray(uri, WRITE, None if timestamp is None else (timestamp, timestamp)) as array:
        for key, entry in entries.items():
            if entry is None:
                array.core.call("array_delete_metadata", array.handle, key.encode())
                continue
            datatype = entry["datatype"]
            data = encode(datatype, entry["value"])
            count = u32(len(data) // np.dtype(numpy_type(datatype)).itemsize)
            pointer = buffer_of(data) if data else None
            code = c_int(DATATYPES.index(datatype))
            array.core.call("array_put_metadata", array.handle, key.encode(), code, count, pointer)


def metadata_of(array):
    """key -> {"datatype", "count", "data": bytes}."""
    core, found = array.core, {}
    for index in range(core.value(c_uint64, "array_get_metadata_num", array.handle)):
        key, key_size, code, count, data = c_char_p(), c_uint32(), c_int(), c_uint32(), c_void_p()
        out = [byref(item) for item in (key, key_size, code, count, data)]
        core.call("array_get_metadata_from_index", array.handle, u64(index), *out)
        datatype = DATATYPES[code.value]
        size = count.value * np.dtype(numpy_type(datatype)).itemsize
        name = ctypes.string_at(key, key_size.value).decode(errors="surrogateescape")
        raw = ctypes.string_at(data, size) if data.value and size else b""
        found[name] = {"datatype": datatype, "count": count.value, "data": raw}
    return found


def consolidate(uri, config=None):
    core = Core(config)
    core.call("array_consolidate", uri.encode(), core.config)
    core.close()


def vacuum(uri, config=None):
    core = Core(config)
    core.call("array_vacuum", uri.encode(), core.config)
    core.close()



OPERATORS = ("<", "<=", ">", ">=", "==", "!=")


def matching(uri, conditions, key):
    """For each {field, op, value | values} what the values of attribute `key` (int32) of the matching cells are, or the
    core's complaint. `value` is bytes, or None for a null test; `values` (of "in" and "not in") are bytes of equal length.
    """
    answers = []
    for condition in conditions:
        try:
            answers.append(_matching(uri, condition, key))
        except CoreError as error:
            answers.append(str(error))
    return answers


def _matching(uri, condition, key):
    with OpenArray(uri) as array:
        core, size = array.core, c_uint64(FIRST_BUFFER)
        query = core.new("query_alloc", array.handle, c_int(READ))
        core.call("query_set_layout", query, c_int(LAYOUTS.index("unordered")))
        made = _condition(core, **condition)
        core.call("query_set_condition", query, made)
        data = ctypes.create_string_buffer(FIRST_BUFFER)
        core.call("query_set_data_buffer", query, key.encode(), data, byref(size))
        core.call("query_submit", query)
        if core.value(c_int, "query_get_status", query) != COMPLETED:
            raise RuntimeError("the result does not fit")
        core.free("query", query)
        return np.frombuffer(data.raw[: size.value], "<i4").tolist()


def _condition(core, field, op, value=None, values=None):
    if values is None:
        condition = core.new("query_condition_alloc")
        given = (None, u64(0)) if value is None else (buffer_of(value), u64(len(value)))
        core.call("query_condition_init", condition, field.encode(), *given, c_int(OPERATORS.index(op)))
        return condition
    data = b"".join(values)
    starts = np.concatenate([[0], np.cumsum([len(one) for one in values])])[:-1].astype("<u8").tobytes()
    sized = (buffer_of(data), u64(len(data)), buffer_of(starts), u64(len(starts)))
    code = c_int(6 if op == "in" else 7)
    return core.new("query_condition_alloc_set_membership", field.encode(), *sized, code)
