"""Public functions, classes, methods and their parameters of the installed cellarr, by its source: no torch is needed."""

import ast
import importlib.util
import json
import os


def parameters(function):
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return [one.arg for one in arguments if one.arg not in ("self", "cls")]


def of_class(node):
    fields = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign)]
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    made = next((one for one in methods if one.name == "__init__"), None)
    yield node.name, fields + (parameters(made) if made else [])
    for one in methods:
        if one.name != "__init__" and (not one.name.startswith("_") or one.name.startswith("__")):
            yield f"{node.name}.{one.name}", parameters(one)


def of_module(tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, parameters(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from of_class(node)


def main():
    root = os.path.dirname(importlib.util.find_spec("cellarr").origin)
    found = []
    for folder, _, files in sorted(os.walk(root)):
        for file in sorted(files):
            if file.endswith(".py"):
                with open(os.path.join(folder, file)) as source:
                    found.extend(of_module(ast.parse(source.read())))
    print(json.dumps([{"name": name, "parameters": list(names)} for name, names in found]))


if __name__ == "__main__":
    main()
