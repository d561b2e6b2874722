"""Makes test/python/libtiledb.py drive the core of an unpacked wheel: import this before it.

That module looks for the library beside the package `tiledb`. The old packages can't be imported by today's Python, so
a module that knows nothing but its folder, TILEDB_WHEEL, stands for them.
"""

import ctypes
import os
import sys
import types

stand_in = types.ModuleType("tiledb")
stand_in.__file__ = os.path.join(os.environ["TILEDB_WHEEL"], "tiledb", "__init__.py")
sys.modules["tiledb"] = stand_in

import libtiledb  # noqa: E402


def core_version():
    parts = [ctypes.c_int() for _ in range(3)]
    libtiledb._lib.tiledb_version(*map(ctypes.byref, parts))
    return tuple(part.value for part in parts)
