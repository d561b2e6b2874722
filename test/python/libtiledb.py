"""The official core's C API, called through ctypes in the library that TileDB-Py brings.

TileDB-Py itself cannot say everything the format can (types that numpy lacks, raw offsets, cells in global order), and
its interface differs from release to release; the C API is the same in all of them. Cells are plain bytes here.
"""

import contextlib
import ctypes
import glob
import os
from ctypes import byref, c_char_p, c_int32, c_uint8, c_uint32, c_uint64, c_void_p

import tiledb

DATATYPES = (
    "int32 int64 float32 float64 char int8 uint8 int16 uint16 uint32 uint64 string_ascii string_utf8 string_utf16 "
    "string_utf32 string_ucs2 string_ucs4 any datetime_year datetime_month datetime_week datetime_day datetime_hr "
    "datetime_min datetime_sec datetime_ms datetime_us datetime_ns datetime_ps datetime_fs datetime_as time_hr time_min "
    "time_sec time_ms time_us time_ns time_ps time_fs time_as blob bool geom_wkb geom_wkt"
).split()
LAYOUTS = ["row-major", "col-major", "global-order", "unordered", "hilbert"]
FILTERS = {
    0: "none", 1: "gzip", 2: "zstd", 3: "lz4", 4: "rle", 5: "bzip2", 6: "double_delta", 7: "bit_width_reduction",
    8: "bitshuffle", 9: "byteshuffle", 10: "positive_delta", 12: "checksum_md5", 13: "checksum_sha256",
    14: "dictionary", 15: "scale_float", 16: "xor", 18: "webp", 19: "delta",
}  # fmt: skip
FILTER_CODES = {name: code for code, name in FILTERS.items()}
VAR_NUM = 0xFFFFFFFF
READ, WRITE = 0, 1
COMPLETED, INCOMPLETE = 1, 3

_NUMPY = {
    "int32": "<i4", "int64": "<i8", "float32": "<f4", "float64": "<f8", "int8": "<i1", "uint8": "<u1", "int16": "<i2",
    "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "string_utf16": "<u2", "string_ucs2": "<u2",
    "string_utf32": "<u4", "string_ucs4": "<u4",
}  # fmt: skip


def numpy_type(datatype):
    """The numpy dtype of one value; bytes for text, blobs and bool, int64 for datetimes and times."""
    if datatype.startswith(("datetime_", "time_")):
        return "<i8"
    return _NUMPY.get(datatype, "<u1")


def kind(datatype):
    if datatype.startswith("string_") or datatype == "char":
        return "text"
    if datatype in ("blob", "any", "geom_wkb", "geom_wkt"):
        return "blob"
    if datatype == "bool":
        return "bool"
    return "float" if datatype.startswith("float") else "integer"


def _load():
    package = os.path.dirname(tiledb.__file__)
    found = [
        *glob.glob(os.path.join(package, "libtiledb.so*")),
        *glob.glob(os.path.join(package, "..", "tiledb.libs", "libtiledb-*.so*")),
        *glob.glob(os.path.join(package, "libtiledb*.dylib")),
        *glob.glob(os.path.join(package, ".dylibs", "libtiledb*.dylib")),
    ]
    if not found:
        raise RuntimeError(f"no libtiledb beside {package}")
    return ctypes.CDLL(found[0])


_lib = _load()


class Range(ctypes.Structure):
    _fields_ = [
        ("min", c_void_p),
        ("min_size", c_uint64),
        ("max", c_void_p),
        ("max_size", c_uint64),
    ]


class CoreError(Exception):
    pass


class Core:
    """A context. `core.call("array_open", array, 0)` is tiledb_array_open(ctx, array, 0) with its status checked."""

    # What every context gets: the encryption of the arrays at hand, see `encrypted`.
    defaults = {}

    def __init__(self, config=None):
        self.ctx = c_void_p()
        self.config = self.make_config({**Core.defaults, **(config or {})})
        if _lib.tiledb_ctx_alloc(self.config, byref(self.ctx)) != 0:
            raise CoreError("tiledb_ctx_alloc failed")

    @staticmethod
    def make_config(values):
        config, error = c_void_p(), c_void_p()
        _lib.tiledb_config_alloc(byref(config), byref(error))
        for key, value in values.items():
            if (
                _lib.tiledb_config_set(
                    config, key.encode(), str(value).encode(), byref(error)
                )
                != 0
            ):
                raise CoreError(f"config {key}={value}")
        return config

    def call(self, name, *args):
        if getattr(_lib, f"tiledb_{name}")(self.ctx, *args) != 0:
            raise CoreError(f"tiledb_{name}: {self._last_error()}")

    def new(self, name, *args):
        """A handle that the function writes to its last argument."""
        handle = c_void_p()
        self.call(name, *args, byref(handle))
        return handle

    def value(self, kind_of_value, name, *args):
        """A plain value that the function writes to its last argument."""
        result = kind_of_value()
        self.call(name, *args, byref(result))
        return result.value

    def text(self, name, *args):
        return self.value(c_char_p, name, *args).decode()

    def free(self, name, handle):
        getattr(_lib, f"tiledb_{name}_free")(byref(handle))

    def close(self):
        _lib.tiledb_ctx_free(byref(self.ctx))
        _lib.tiledb_config_free(byref(self.config))

    def _last_error(self):
        error, message = c_void_p(), c_char_p()
        _lib.tiledb_ctx_get_last_error(self.ctx, byref(error))
        _lib.tiledb_error_message(error, byref(message))
        return (message.value or b"").decode(errors="replace")


@contextlib.contextmanager
def encrypted(key):
    """Contexts made within have that key (32 characters); None for none."""
    if key is not None:
        Core.defaults = {"sm.encryption_type": "AES_256_GCM", "sm.encryption_key": key}
    try:
        yield
    finally:
        Core.defaults = {}


def has(name):
    """Whether this core has the function."""
    return hasattr(_lib, f"tiledb_{name}")


def buffer_of(data):
    """A ctypes buffer that owns a copy of the bytes (never empty: the core refuses null pointers)."""
    return ctypes.create_string_buffer(bytes(data), max(len(data), 1))


def u8(value):
    return c_uint8(value)


def u32(value):
    return c_uint32(value)


def u64(value):
    return c_uint64(value)


def i32(value):
    return c_int32(value)
