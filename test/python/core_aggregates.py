"""Aggregates through the official core, of every datatype that it takes: TileDB-Py gives those of numbers alone."""

import ctypes
from ctypes import byref, c_int, c_uint64

import core_condition
import numpy as np
from core_cells import OpenArray, add_range, is_var
from libtiledb import COMPLETED, LAYOUTS, READ, CoreError, kind, numpy_type

UNARY = ("null_count", "min", "max", "sum", "mean")
ROOM = 1 << 12


def aggregates(uri, queries, operations=("count", *UNARY)):
    """Of each query ({ranges, condition?, timestamp?}) attribute or dimension (of sparse arrays) -> operation -> a number, text as bytes, None where it is
    null, or {"refused": complaint}; "count" is of the cells. Each in a query of its own: what one refuses says nothing of
    others. `ranges` as in core_cells.read_cells."""
    return [_of_query(uri, operations, **query) for query in queries]


def _of_query(uri, operations, ranges, condition=None, timestamp=None):
    with OpenArray(uri, timestamp=timestamp) as array:
        dimensions = array.schema["dimensions"] if array.schema["arrayType"] == "sparse" else []
        fields = [{**one, "cellValNum": _number(one), "nullable": False} for one in dimensions]
        return {
            field["name"]: {one: _answer(array, field, one, ranges, condition) for one in operations}
            for field in [*fields, *array.schema["attributes"]]
        }


def _number(dimension):
    return "var" if kind(dimension["datatype"]) == "text" else 1


def _answer(array, field, operation, ranges, condition):
    try:
        return _ask(array, field, operation, ranges, condition)
    except CoreError as error:
        return {"refused": str(error)}


def _ask(array, field, operation, ranges, condition):
    core, schema = array.core, array.schema
    query = core.new("query_alloc", array.handle, c_int(READ))
    # In another order than that of the cells, conditions on dense arrays look at other cells than they are about.
    order = "unordered" if schema["arrayType"] == "sparse" else schema["cellOrder"]
    core.call("query_set_layout", query, c_int(LAYOUTS.index(order)))
    subarray = core.new("subarray_alloc", array.handle)
    for index, dimension in enumerate(schema["dimensions"]):
        for low, high in ranges.get(dimension["name"], []):
            add_range(core, subarray, index, dimension, low, high)
    core.call("query_set_subarray_t", query, subarray)
    if condition is not None:
        core.call("query_set_condition", query, core_condition.build(core, schema, condition))
    channel = core.new("query_get_default_channel", query)
    core.call("channel_apply_aggregate", channel, b"result", _operation(core, query, field, operation))
    result = _Result(core, query, field, operation)
    core.call("query_submit", query)
    if core.value(c_int, "query_get_status", query) != COMPLETED:
        raise RuntimeError("the aggregate is not complete")
    value = result.value()
    core.free("query", query)
    return value


def _operation(core, query, field, operation):
    if operation == "count":
        return core.new("aggregate_count_get")
    operator = core.new(f"channel_operator_{operation}_get")
    return core.new("create_unary_aggregate", query, operator, field["name"].encode())


class _Result:
    """The buffers of one result, and its value."""

    def __init__(self, core, query, field, operation):
        self.field, self.operation = field, operation
        self.is_text = operation in ("min", "max") and kind(field["datatype"]) == "text"
        is_var_text = self.is_text and is_var(field)
        self.data = ctypes.create_string_buffer(ROOM)
        self.size = c_uint64(ROOM if is_var_text else self._bytes())
        core.call("query_set_data_buffer", query, b"result", self.data, byref(self.size))
        self.validity = None
        if is_var_text:
            self.offsets, self.offsets_size = ctypes.create_string_buffer(8), c_uint64(8)
            core.call("query_set_offsets_buffer", query, b"result", self.offsets, byref(self.offsets_size))
        if field["nullable"] and operation not in ("count", "null_count"):
            self.validity, self.validity_size = ctypes.create_string_buffer(1), c_uint64(1)
            core.call("query_set_validity_buffer", query, b"result", self.validity, byref(self.validity_size))

    def _type(self):
        datatype = self.field["datatype"]
        if self.operation in ("count", "null_count"):
            return "<u8"
        if self.operation == "mean":
            return "<f8"
        own = numpy_type(datatype)
        if self.operation != "sum":
            return own
        return {"f": "<f8", "i": "<i8", "u": "<u8"}[np.dtype(own).kind]

    def _bytes(self):
        number = self.field["cellValNum"] if self.is_text and not is_var(self.field) else 1
        return np.dtype(self._type()).itemsize * number

    def value(self):
        if self.validity is not None and self.validity.raw[0] == 0:
            return None
        data = self.data.raw[: self.size.value]
        return data if self.is_text else np.frombuffer(data, self._type())[0]
