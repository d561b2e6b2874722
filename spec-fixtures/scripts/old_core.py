"""Writing and reading through whatever calls a core has, from 1.6 to the newest: the C API changed underneath.

Before 2.0 coordinates are one interleaved buffer `__coords`, the time of a write is the time it happens, and
consolidation deletes what it merged. Buffers of one name each came with 2.3, subarray objects with 2.6.
"""

import ctypes
import os
import time
from ctypes import byref, c_int, c_uint64, c_void_p

import numpy as np
import old_library  # noqa: F401  first: the others look for the library
from core_cells import _add_range, is_var
from core_schema import create_array
from libtiledb import COMPLETED, DATATYPES, LAYOUTS, READ, WRITE, Core, CoreError, buffer_of, has, numpy_type, u32, u64

KEY = b"0123456789abcdefghijklmnopqrstuv"
AES_256_GCM = 1
DELETE = 2
RESULT_BYTES = 1 << 16
SPLIT_COORDINATES = old_library.core_version() >= (2, 0)
TIMED_WRITES = SPLIT_COORDINATES

# Times of the writes so far in the order of writing, where the core doesn't take them from us.
WRITTEN = []


class OldCore(Core):
    """A context; with a key, the calls that need it go to their twins `..._with_key` or it is in the configuration."""

    def __init__(self, config=None, encrypted=False):
        self.encrypted = encrypted
        self.by_call = encrypted and has("array_open_with_key")
        config = dict(config or {})
        if encrypted and not self.by_call:
            config.update({"sm.encryption_type": "AES_256_GCM", "sm.encryption_key": KEY.decode()})
        super().__init__(config)

    def call(self, name, *args):
        if self.by_call and has(f"{name}_with_key"):
            key = (c_int(AES_256_GCM), KEY, u32(len(KEY)))
            last = len(args) - 1 if name in ("array_consolidate", "array_open_at") else len(args)
            name, args = f"{name}_with_key", (*args[:last], *key, *args[last:])
        super().call(name, *args)


def create(uri, spec, encrypted=False):
    core = OldCore(encrypted=encrypted)
    create_array(core, uri, spec)
    core.close()


class OldArray:
    def __init__(self, uri, mode, timestamp=None, encrypted=False):
        self.core = OldCore(encrypted=encrypted)
        self.handle = self.core.new("array_alloc", uri.encode())
        if timestamp is None or (mode == WRITE and not TIMED_WRITES):
            self.core.call("array_open", self.handle, c_int(mode))
        elif has("array_set_open_timestamp_end"):
            if mode != READ:
                self.core.call("array_set_open_timestamp_start", self.handle, u64(timestamp))
            self.core.call("array_set_open_timestamp_end", self.handle, u64(timestamp))
            self.core.call("array_open", self.handle, c_int(mode))
        else:
            self.core.call("array_open_at", self.handle, c_int(mode), u64(timestamp))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.core.call("array_close", self.handle)
        self.core.free("array", self.handle)
        self.core.close()


def write_cells(uri, spec, cells, subarray=None, timestamp=1, order=None, encrypted=False):
    """One fragment: dense with a subarray, else sparse (into a dense array too, where the core still allows it).

    Without a timestamp it is that of the clock.
    """
    if not TIMED_WRITES:
        time.sleep(0.005)
    with OldArray(uri, WRITE, timestamp, encrypted) as array:
        core = array.core
        query = core.new("query_alloc", array.handle, c_int(WRITE))
        layout = order or ("unordered" if subarray is None else "row-major")
        core.call("query_set_layout", query, c_int(LAYOUTS.index(layout)))
        kept = [_set_subarray(core, array, query, spec, subarray)] if subarray is not None else []
        for name, column in _joined(spec, cells).items():
            kept.append(_set_column(core, query, name, column))
        core.call("query_submit", query)
        core.call("query_finalize", query)
        core.free("query", query)
        del kept
    WRITTEN.append(timestamp if TIMED_WRITES else _newest_time(uri))


def _newest_time(uri):
    names = [name for name in os.listdir(uri) if name.startswith("__") and name.count("_") >= 4]
    return max(int(name.split("_")[3]) for name in names)


def _set_subarray(core, array, query, spec, box):
    if has("query_set_subarray"):
        datatype = spec["dimensions"][0]["datatype"]
        flat = buffer_of(np.array(box, numpy_type(datatype)).tobytes())
        core.call("query_set_subarray", query, flat)
        return flat
    subarray = core.new("subarray_alloc", array.handle)
    for index, (low, high) in enumerate(box):
        _add_range(core, subarray, index, spec["dimensions"][index], low, high)
    core.call("query_set_subarray_t", query, subarray)
    return subarray


def _joined(spec, cells):
    """Before 2.0 the dimensions' columns are one, interleaved."""
    names = [dimension["name"] for dimension in spec["dimensions"]]
    if SPLIT_COORDINATES or names[0] not in cells:
        return cells
    dtype = numpy_type(spec["dimensions"][0]["datatype"])
    columns = [np.frombuffer(cells[name]["values"], dtype) for name in names]
    rest = {name: column for name, column in cells.items() if name not in names}
    return {**rest, "__coords": {"values": np.stack(columns, 1).tobytes()}}


def _set_column(core, query, name, column):
    fixed = "values" in column
    parts = [("data", column["values"] if fixed else column["data"])]
    if not fixed:
        starts = np.frombuffer(column["offsets"], "<u4")[:-1].astype("<u8")
        parts.insert(0, ("offsets", starts.tobytes()))
    if column.get("validity") is not None:
        parts.append(("validity", column["validity"]))
    kept = [(part, buffer_of(data), c_uint64(len(data))) for part, data in parts]
    give_buffers(core, query, name, kept)
    return kept


def give_buffers(core, query, name, parts):
    """`parts`: (offsets | data | validity, buffer, size) in this order."""
    if has("query_set_data_buffer"):
        for part, buffer, size in parts:
            core.call(f"query_set_{part}_buffer", query, name.encode(), buffer, byref(size))
        return
    kinds = [part for part, _buffer, _size in parts]
    call = "query_set_buffer" + ("_var" if "offsets" in kinds else "") + ("_nullable" if "validity" in kinds else "")
    flat = [item for _part, buffer, size in parts for item in (buffer, byref(size))]
    core.call(call, query, name.encode(), *flat)


# --- the writer's own reading -------------------------------------------------------------------------------------


def read_cells(uri, spec, encrypted=False):
    """{cellCount, columns, box} of the whole array in row-major order; box is the non-empty domain of a dense one."""
    with OldArray(uri, READ, None, encrypted) as array:
        core, dense = array.core, spec["arrayType"] == "dense"
        box = non_empty_box(array, spec) if dense else None
        if dense and box is None:
            return {"cellCount": 0, "columns": {}, "box": None}
        query = core.new("query_alloc", array.handle, c_int(READ))
        core.call("query_set_layout", query, c_int(LAYOUTS.index("row-major")))
        kept = _set_subarray(core, array, query, spec, box) if dense else _all_text(core, query, spec)
        fields = _fields(spec, dense)
        buffers = {name: _result_buffers(core, query, name, field) for name, field in fields.items()}
        core.call("query_submit", query)
        if core.value(c_int, "query_get_status", query) != COMPLETED:
            raise CoreError(f"{uri} is too large to be read at once")
        columns = {name: _result_column(fields[name], parts) for name, parts in buffers.items()}
        del kept
        columns = _parted(spec, columns)
    sizes = {_count(field, columns[field["name"]]) for field in _fields(spec, dense, True).values()}
    return {"cellCount": sizes.pop(), "columns": columns, "box": box}


def _all_text(core, query, spec):
    """Cores 2.0 and 2.1 take an unset range of a string dimension for the empty string."""
    if old_library.core_version() >= (2, 2):
        return None
    low, high = buffer_of(b"\x01"), buffer_of(b"\x7f" * 8)
    for index, dimension in enumerate(spec["dimensions"]):
        if dimension["datatype"] == "string_ascii":
            core.call("query_add_range_var", query, u32(index), low, u64(1), high, u64(8))
    return low, high


def non_empty_box(array, spec):
    """[[low, high]] per dimension of one type, None where nothing was written."""
    dtype = np.dtype(numpy_type(spec["dimensions"][0]["datatype"]))
    count = len(spec["dimensions"])
    ends, empty = ctypes.create_string_buffer(2 * count * dtype.itemsize), c_int()
    array.core.call("array_get_non_empty_domain", array.handle, ends, byref(empty))
    return None if empty.value else np.frombuffer(ends.raw, dtype).reshape(count, 2).tolist()


def _fields(spec, dense, split=SPLIT_COORDINATES):
    fields = {attribute["name"]: _whole(attribute) for attribute in spec["attributes"]}
    if dense:
        return fields
    if split:
        dimensions = {d["name"]: {"domain": None, **d, "filters": None} for d in spec["dimensions"]}
        return {**dimensions, **fields}
    count = len(spec["dimensions"])
    return {"__coords": {**spec["dimensions"][0], "cellValNum": count}, **fields}


def _whole(attribute):
    datatype = attribute["datatype"]
    number = attribute.get("cellValNum", "var" if datatype.startswith("string") else 1)
    return {**attribute, "cellValNum": number}


def _result_buffers(core, query, name, field):
    kinds = (["offsets"] if is_var(field) else []) + ["data"] + (["validity"] if field.get("nullable") else [])
    parts = [(kind, ctypes.create_string_buffer(RESULT_BYTES), c_uint64(RESULT_BYTES)) for kind in kinds]
    give_buffers(core, query, name, parts)
    return parts


def _result_column(field, parts):
    raw = {kind: buffer.raw[: size.value] for kind, buffer, size in parts}
    column = {"values": raw["data"]}
    if is_var(field):
        starts = np.frombuffer(raw["offsets"], "<u8")
        column = {"offsets": np.append(starts, len(raw["data"])).astype("<u4").tobytes(), "data": raw["data"]}
    return {**column, "validity": raw["validity"]} if "validity" in raw else column


def _parted(spec, columns):
    if "__coords" not in columns:
        return columns
    dtype = numpy_type(spec["dimensions"][0]["datatype"])
    table = np.frombuffer(columns.pop("__coords")["values"], dtype).reshape(-1, len(spec["dimensions"]))
    split = {d["name"]: {"values": table[:, i].tobytes()} for i, d in enumerate(spec["dimensions"])}
    return {**split, **columns}


def _count(field, column):
    if "offsets" in column:
        return len(column["offsets"]) // 4 - 1
    size = field.get("cellValNum", 1) * np.dtype(numpy_type(field["datatype"])).itemsize
    return len(column["values"]) // size


# --- everything else ----------------------------------------------------------------------------------------------


def consolidate(uri, config=None, encrypted=False):
    core = OldCore(config, encrypted)
    core.call("array_consolidate", uri.encode(), core.config)
    core.close()


def vacuum(uri, config=None):
    """Nothing before 2.0, whose consolidation deletes by itself."""
    if not has("array_vacuum"):
        return
    core = OldCore(config)
    core.call("array_vacuum", uri.encode(), core.config)
    core.close()


def consolidate_metadata(uri):
    """Array metadata into one file: a call of its own in 1.7, a mode since."""
    if SPLIT_COORDINATES:
        consolidate(uri, {"sm.consolidation.mode": "array_meta"})
        return
    core = OldCore()
    core.call("array_consolidate_metadata", uri.encode(), core.config)
    core.close()


def put_metadata(uri, entries, timestamp=1):
    """key -> None (deletes it) or (datatype, bytes)."""
    if not TIMED_WRITES:
        time.sleep(0.005)
    with OldArray(uri, WRITE, timestamp) as array:
        for key, entry in entries.items():
            if entry is None:
                array.core.call("array_delete_metadata", array.handle, key.encode())
                continue
            datatype, data = entry
            count = u32(len(data) // np.dtype(numpy_type(datatype)).itemsize)
            code = c_int(DATATYPES.index(datatype))
            array.core.call("array_put_metadata", array.handle, key.encode(), code, count, buffer_of(data))


def new_condition(core, field, operator, value):
    """`field` operator value, where value is bytes; operators are lt le gt ge eq ne."""
    condition = core.new("query_condition_alloc")
    code = ("lt", "le", "gt", "ge", "eq", "ne").index(operator)
    core.call("query_condition_init", condition, field.encode(), buffer_of(value), u64(len(value)), c_int(code))
    return condition


def delete_where(uri, conditions, timestamp):
    """Deletes the cells that satisfy all of `conditions`, (field, operator, bytes) each."""
    with OldArray(uri, DELETE, timestamp) as array:
        core = array.core
        made = [new_condition(core, *one) for one in conditions]
        while len(made) > 1:
            second, first = made.pop(), made.pop()
            both = c_void_p()
            core.call("query_condition_combine", first, second, c_int(0), byref(both))
            made.append(both)
        query = core.new("query_alloc", array.handle, c_int(DELETE))
        core.call("query_set_condition", query, made[0])
        core.call("query_submit", query)
        core.call("query_finalize", query)
        core.free("query", query)
