"""Values between TypeScript and Python.

To Python: {"integer": "123"} is an int, {"base64": "..."} is bytes, everything else plain JSON.
To TypeScript: bytes are {"base64": ...}; an int beyond 2^53 is {"integer": "..."}; NaN and infinities are the strings
"NaN", "Infinity", "-Infinity"; a numpy array is {"dtype", "shape", "base64"} (little-endian, C order), or a list where
its dtype is object or text; datetimes and timedeltas in arrays travel as int64.
"""

import base64
import math

import numpy as np


def from_wire(item):
    if len(item) == 1:
        if "integer" in item:
            return int(item["integer"])
        if "base64" in item:
            return base64.b64decode(item["base64"])
    return item


def to_wire(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return to_wire(int(value.astype(np.int64)))
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return to_wire(value.item())
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"integer": str(value)}
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict):
        return {str(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(item) for item in value]
    raise TypeError(f"no wire form for {type(value)}")


def _float(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _array(array):
    if array.dtype.kind in "mM":
        array = array.astype(np.int64)
    if array.dtype.kind in "OSUV":
        return [to_wire(item) for item in array.tolist()]
    array = np.ascontiguousarray(array)
    array = array.astype(array.dtype.newbyteorder("<"))
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }
