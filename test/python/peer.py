"""A process that answers calls: a JSON line {id, function, args} in, a JSON line {id, result | error} out.

The functions are those of the modules below whose names don't start with an underscore. Values on the wire: see wire.py.
"""

import faulthandler
import importlib
import json
import os
import sys
import traceback

import wire

MODULES = ("peer_tiledb", "peer_frames", "peer_multi_index", "peer_cellarr", "peer_conditions", "peer_described", "peer_s3")


def load():
    functions = {}
    for name in MODULES:
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            if callable(value) and not key.startswith("_") and getattr(value, "__module__", None) == name:
                if key in functions:
                    raise RuntimeError(f"two functions named {key}")
                functions[key] = value
    return functions


def answer(functions, line):
    request = json.loads(line, object_hook=wire.from_wire)
    try:
        function = functions.get(request["function"])
        if function is None:
            raise KeyError(f"no function {request['function']!r}; there are {sorted(functions)}")
        return {"id": request["id"], "result": wire.to_wire(function(**request["args"]))}
    except BaseException:
        return {"id": request["id"], "error": traceback.format_exc()}


def main():
    # Answers keep the real stdout to themselves: what libraries print goes to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    faulthandler.enable()  # a crash of the core tells which call it was
    functions = load()
    for line in sys.stdin:
        answers.write(json.dumps(answer(functions, line), allow_nan=False) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
