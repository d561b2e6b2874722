"""What the writers of stores share: which arrays a store has, and the folder of a fixture."""

import json
import os
import shutil

import tiledb

FRAMES = ("gene_annotation", "sample_metadata", "cell_metadata")


def matrix_names(folder):
    """Arrays below the folder but for the frames."""
    names = [name for name in sorted(os.listdir(folder)) if name not in FRAMES]
    return [name for name in names if tiledb.object_type(f"{folder}/{name}") == "array"]


def write_stores(target, prefixes, builders, expected):
    """A folder for each builder whose name begins with one of the prefixes: its store, and what is expected of it."""
    for name, build in builders.items():
        if prefixes and not name.startswith(tuple(prefixes)):
            continue
        folder = os.path.join(target, name)
        store = os.path.join(folder, "dataset")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(store)
        build(store)
        with open(os.path.join(folder, "expected.json"), "w", newline="\n") as file:
            json.dump(expected(store), file, allow_nan=False, separators=(",", ":"))
            file.write("\n")
