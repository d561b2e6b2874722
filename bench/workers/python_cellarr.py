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
    return {"answers": {key: describe(ask(store, asked), asked) for key, asked in request["queries"].items()}}


def metadata(request):
    """A store whose cell metadata is large and whose matrix has one value, written by Python cellarr's own functions."""
    import pandas as pd
    import tiledb
    from cellarr import buildutils_tiledb_array as arrays
    from cellarr import buildutils_tiledb_frame as frames
    from scipy.sparse import csr_matrix

    out, cells = request["store"], request["cells"]
    shutil.rmtree(out, ignore_errors=True)
    tiledb.group_create(out)
    tiledb.group_create(f"{out}/assays")
    chosen = np.random.default_rng(request["seed"])
    tissues = np.array(["lung", "liver", "blood", "kidney", "skin", "heart"])
    tables = {
        "cell_metadata": pd.DataFrame(
            {
                "cellids": [f"cell_{number}" for number in range(cells)],
                "tissue": tissues[chosen.integers(0, len(tissues), cells)],
                "cellarr_sample": "sample_1",
            }
        ),
        "gene_annotation": pd.DataFrame({"cellarr_gene_index": ["gene_1"]}),
        "sample_metadata": pd.DataFrame(
            {
                "cellarr_sample": ["sample_1"],
                "cellarr_sample_start_index": ["0"],
                "cellarr_sample_end_index": [str(cells - 1)],
            }
        ),
    }
    for name, table in tables.items():
        frames.create_tiledb_frame_from_dataframe(f"{out}/{name}", table, {column: "ascii" for column in table})
    arrays.create_tiledb_array(f"{out}/assays/counts")
    last = csr_matrix(([1], ([0], [0])), shape=(1, 1))
    arrays.write_csr_matrix_to_tiledb(f"{out}/assays/counts", last, row_offset=cells - 1)
    return {}


def ask(store, asked):
    if "metadata" in asked:
        return store.get_cell_subset(asked["metadata"], ["cellids", "tissue"])
    if "sample" in asked:
        return store.get_cells_for_sample(asked["sample"])
    return store.get_slice(cells_of(asked), asked.get("genes") or slice(None))


def describe(part, asked):
    if "metadata" in asked:
        return {"metadata": common.hash_texts(part["cellids"]), "text": common.hash_texts(part["tissue"])}
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
    common.serve({"build": build, "query": query, "answers": answers, "metadata": metadata})
