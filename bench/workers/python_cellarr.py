"""Python cellarr: build and query."""

import os
import shutil

import common
import numpy as np


def build(request):
    from cellarr import CellMetadataOptions, MatrixOptions, build_cellarrdataset

    out = request["store"]
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    _, figures = common.measured(
        lambda: build_cellarrdataset(
            files=request["files"],
            output_path=out,
            matrix_options=MatrixOptions(matrix_name="counts", dtype=np.uint16),
            cell_metadata_options=CellMetadataOptions(
                column_types={name: "ascii" for name in request["cellColumns"]}
            ),
            num_threads=request["threads"],
        )
    )
    return {**figures, "bytes": common.folder_bytes(out), "matrixBytes": common.folder_bytes(f"{out}/assays")}


def open_store(request):
    from cellarr import CellArrDataset

    return CellArrDataset(dataset_path=request["store"])


def query(request):
    import cellarr  # noqa: F401  imported before the clock starts

    store, figures = common.measured(lambda: open_store(request))
    asked = request["query"]
    runs = common.repeated(lambda: ask(store, asked), request["repeats"])
    return {"open": figures, **runs, "answer": describe(ask(store, asked), asked)}


def answers(request):
    store = open_store(request)
    return [describe(ask(store, asked), asked) for asked in request["queries"]]


def ask(store, asked):
    if "sample" in asked:
        return store.get_cells_for_sample(asked["sample"])
    return store.get_slice(cells_of(asked), asked.get("genes") or slice(None))


def describe(part, asked):
    matrix = part.matrix["counts"].tocoo()
    # Rows and columns are renumbered by those that hold a value, so only the values can be compared.
    answer = common.describe_matrix(matrix.row, matrix.col, matrix.data, matrix.shape, numbered=False)
    answer["metadata"] = common.hash_texts(part.cell_metadata[asked["column"]])
    answer["genes"] = common.hash_texts(part.gene_annotation["cellarr_gene_index"])
    return answer


def cells_of(asked):
    if "where" in asked:
        return asked["where"]
    if "list" in asked:
        return asked["list"]
    return slice(*asked["cells"]) if "cells" in asked else slice(None)


if __name__ == "__main__":
    common.serve({"build": build, "query": query, "answers": answers})
