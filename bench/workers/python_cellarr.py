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


def query(request):
    from cellarr import CellArrDataset

    store, figures = common.measured(lambda: CellArrDataset(dataset_path=request["store"]))
    asked = request["query"]

    def ask():
        if "sample" in asked:
            return store.get_cells_for_sample(asked["sample"])
        return store.get_slice(cells_of(asked), asked.get("genes") or slice(None))

    def describe(part):
        matrix = part.matrix["counts"].tocoo()
        # Rows and columns are renumbered by those that hold a value, so only the values can be compared.
        answer = common.describe_matrix(matrix.row, matrix.col, matrix.data, matrix.shape, numbered=False)
        answer["metadata"] = common.hash_texts(part.cell_metadata[asked["column"]])
        answer["genes"] = common.hash_texts(part.gene_annotation["cellarr_gene_index"])
        return answer

    return {"open": figures, **common.repeated(ask, describe, request["repeats"])}


def cells_of(asked):
    if "where" in asked:
        return asked["where"]
    if "list" in asked:
        return asked["list"]
    return slice(*asked["cells"]) if "cells" in asked else slice(None)


if __name__ == "__main__":
    common.serve({"build": build, "query": query})
