"""Query conditions through the official core, from the trees of QueryCondition (src/array/condition)."""

from ctypes import byref, c_int, c_void_p

import numpy as np
from core_schema import encode
from libtiledb import buffer_of, u64

OPERATORS = {"<": 0, "<=": 1, ">": 2, ">=": 3, "==": 4, "!=": 5}
IN, NOT_IN = 6, 7
AND, OR, NOT = 0, 1, 2


def build(core, schema, tree):
    """A condition handle."""
    kind = tree["kind"]
    if kind == "not":
        made = c_void_p()
        core.call("query_condition_negate", build(core, schema, tree["operand"]), byref(made))
        return made
    if kind in ("and", "or"):
        made, *others = [build(core, schema, operand) for operand in tree["operands"]]
        for other in others:
            made = core.new("query_condition_combine", made, other, c_int(AND if kind == "and" else OR))
        return made
    if kind == "in":
        return _membership(core, schema, tree)
    made = core.new("query_condition_alloc")
    name = tree["field"].encode()
    if kind == "null":
        core.call("query_condition_init", made, name, None, u64(0), c_int(OPERATORS["!=" if tree["negated"] else "=="]))
        return made
    value = encode(_datatype(schema, tree["field"]), tree["value"])
    core.call("query_condition_init", made, name, buffer_of(value), u64(len(value)), c_int(OPERATORS[tree["op"]]))
    return made


def _membership(core, schema, tree):
    cells = [encode(_datatype(schema, tree["field"]), value) for value in tree["values"]]
    starts = np.concatenate([[0], np.cumsum([len(cell) for cell in cells])])[:-1].astype("<u8").tobytes()
    data = b"".join(cells)
    return core.new(
        "query_condition_alloc_set_membership",
        tree["field"].encode(),
        buffer_of(data),
        u64(len(data)),
        buffer_of(starts),
        u64(len(starts)),
        c_int(NOT_IN if tree["negated"] else IN),
    )


def _datatype(schema, name):
    for field in [*schema["dimensions"], *schema["attributes"]]:
        if field["name"] == name:
            return field["datatype"]
    raise KeyError(name)
