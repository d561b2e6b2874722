"""Writes spec-fixtures/read: arrays with query conditions and deletes, and what the official library answers.

    python3.11 -m pip install tiledb==0.36.1 numpy==2.4.6 pandas==2.3.3
    python3.11 spec-fixtures/generate_read.py

    read/<name>/array/            the array
    read/<name>/conditions.json   [{condition, ids}]: values of attribute `id` of the cells kept; of the dense array all
                                  cells of `x`, those left out as null (they hold the fill value)

Cells are the same in every run; names and times of files are not.
"""

import json
import os
import shutil

import numpy as np
import pandas as pd
import tiledb

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "read")

CELLS = 40
TISSUES = ["lung", "heart", "", "naïve", "T cell"]
STAGES = ["low", "mid", "high"]

CONDITIONS = [
    "x > 5",
    "x == 5",
    "5 < x <= 20",
    "x != 5 and x < 30",
    "x < 5 or x > 35",
    "f > 0.1",
    "f == 0.1",
    "f != 0.1",
    "big == 9007199254740993",
    "big >= 9007199254740993",
    "flag == True",
    "flag != True",
    "tissue == 'lung'",
    "tissue != 'lung'",
    "tissue > 'lung'",
    "tissue <= 'heart'",
    "tissue == ''",
    "tissue in ['lung', 'naïve']",
    "tissue not in ['lung', 'naïve']",
    "x in [1, 2, 39, 1000]",
    "x not in [1, 2, 39]",
    "maybe == 3",
    "maybe != 3",
    "not (maybe == 3)",
    "maybe > 3 or x < 3",
    "maybe == None",
    "maybe != None",
    "label == 'a'",
    "label != 'a'",
    "label == None",
    "stage == 'mid'",
    "stage != 'mid'",
    "stage > 'low'",
    "stage <= 'mid'",
    "stage == 'missing'",
    "stage != 'missing'",
    "stage > 'missing'",
    "stage in ['low', 'missing']",
    "stage not in ['low', 'missing']",
    "kind == 'b'",
    "kind != 'b'",
    "kind != 'missing'",
    "kind == None",
    "kind in ['a', 'missing']",
    "attr('odd name') > 3",
    "d > 10 and d < 20",
    "d in [3, 4]",
    "(x > 5) & (tissue == 'lung')",
    "x > 3 and (tissue == 'lung' or maybe == 2) and not (flag == True)",
]


def cells():
    random = np.random.default_rng(11)
    x = np.arange(CELLS, dtype=np.int32)
    random.shuffle(x)
    valid = random.random(CELLS) < 0.7
    text = np.array([TISSUES[i] for i in random.integers(0, len(TISSUES), CELLS)], dtype=object)
    label = np.array([["a", "b"][i] for i in random.integers(0, 2, CELLS)], dtype=object)
    return {
        "id": np.arange(CELLS, dtype=np.int32),
        "x": x,
        "f": random.choice(np.array([0.1, -1.5, 7.25, np.nan], dtype=np.float32), CELLS),
        "big": np.array(random.integers(2**53 - 2, 2**53 + 4, CELLS), dtype=np.int64),
        "flag": random.random(CELLS) < 0.5,
        "tissue": text,
        "maybe": (random.integers(0, 5, CELLS).astype(np.uint8), valid),
        "label": (label, random.random(CELLS) < 0.7),
        "stage": random.integers(0, 3, CELLS).astype(np.int8),
        "kind": (random.integers(0, 2, CELLS).astype(np.int32), random.random(CELLS) < 0.7),
        "odd name": random.integers(0, 8, CELLS).astype(np.uint64),
    }


def attributes():
    return [
        tiledb.Attr("id", dtype=np.int32),
        tiledb.Attr("x", dtype=np.int32),
        tiledb.Attr("f", dtype=np.float32),
        tiledb.Attr("big", dtype=np.int64),
        tiledb.Attr("flag", dtype=bool),
        tiledb.Attr("tissue", dtype=np.str_, var=True),
        tiledb.Attr("maybe", dtype=np.uint8, nullable=True),
        tiledb.Attr("label", dtype=np.str_, var=True, nullable=True),
        tiledb.Attr("stage", dtype=np.int8, enum_label="stages"),
        tiledb.Attr("kind", dtype=np.int32, nullable=True, enum_label="kinds"),
        tiledb.Attr("odd name", dtype=np.uint64),
    ]


def column(value):
    if not isinstance(value, tuple):
        return value
    data, valid = value
    if data.dtype == object:
        return np.where(valid, data, None)
    values = [int(v) if ok else None for v, ok in zip(data, valid)]
    return pd.array(values, dtype={"uint8": "UInt8", "int32": "Int32"}[data.dtype.name])


def conditions():
    path = os.path.join(HERE, "conditions", "array")
    dimension = tiledb.Dim("d", domain=(0, 1000), tile=10, dtype=np.int64)
    schema = tiledb.ArraySchema(
        domain=tiledb.Domain(dimension),
        attrs=attributes(),
        sparse=True,
        capacity=7,
        enums=[
            tiledb.Enumeration("stages", True, values=STAGES),
            tiledb.Enumeration("kinds", False, values=["a", "b"]),
        ],
    )
    os.makedirs(path)
    tiledb.Array.create(path, schema)
    data = {name: column(value) for name, value in cells().items()}
    half = CELLS // 2
    for part, time in ((slice(0, half), 1), (slice(half, CELLS), 2)):
        with tiledb.open(path, "w", timestamp=time) as array:
            array[np.arange(CELLS)[part]] = {name: value[part] for name, value in data.items()}
    answers = []
    for condition in CONDITIONS:
        with tiledb.open(path) as array:
            try:
                ids = sorted(array.query(cond=condition, attrs=["id"])[:]["id"].tolist())
                answers.append({"condition": condition, "ids": ids})
            except tiledb.TileDBError as error:
                answers.append({"condition": condition, "error": str(error).splitlines()[-1]})
    write(os.path.join(HERE, "conditions"), answers)


def dense():
    path = os.path.join(HERE, "conditions-dense", "array")
    dimension = tiledb.Dim("d", domain=(0, 19), tile=6, dtype=np.int32)
    schema = tiledb.ArraySchema(
        domain=tiledb.Domain(dimension),
        attrs=[tiledb.Attr("x", dtype=np.int32), tiledb.Attr("s", dtype=np.str_, var=True)],
    )
    os.makedirs(path)
    tiledb.Array.create(path, schema)
    with tiledb.open(path, "w", timestamp=1) as array:
        array[:] = {
            "x": np.arange(20, dtype=np.int32),
            "s": np.array([["a", "bb", "ccc"][i % 3] for i in range(20)], dtype=object),
        }
    answers = []
    fill = np.iinfo(np.int32).min
    for condition in ["x > 5", "s == 'bb'", "x < 3 or s == 'ccc'", "x > 100"]:
        with tiledb.open(path) as array:
            found = array.query(cond=condition)[:]
        kept = [None if x == fill else x for x in found["x"].tolist()]
        answers.append({"condition": condition, "x": kept, "s": [str(s) for s in found["s"]]})
    write(os.path.join(HERE, "conditions-dense"), answers)


def deleted():
    path = os.path.join(HERE, "deleted", "array")
    dimension = tiledb.Dim("d", domain=(0, 99), tile=10, dtype=np.int32)
    schema = tiledb.ArraySchema(
        domain=tiledb.Domain(dimension), attrs=[tiledb.Attr("x", dtype=np.int32)], sparse=True
    )
    os.makedirs(path)
    tiledb.Array.create(path, schema)
    with tiledb.open(path, "w", timestamp=1) as array:
        array[np.arange(10)] = np.arange(10, dtype=np.int32)
    with tiledb.open(path, "d", timestamp=2) as array:
        array.query(cond="x > 5").submit()


def write(folder, answers):
    with open(os.path.join(folder, "conditions.json"), "w") as file:
        json.dump(answers, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    conditions()
    dense()
    deleted()
