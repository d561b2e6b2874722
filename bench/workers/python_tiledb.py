"""Bare TileDB-Py, as somebody would use it who writes and reads the same arrays without cellarr."""

import common
import numpy as np


def open_arrays(root):
    import tiledb

    return [tiledb.open(f"{root}/{path}") for path in ("assays/counts", "cell_metadata", "gene_annotation")]


def query(request):
    # What reading needs is imported before the clock starts; TileDB-Py would do so at the first use.
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401
    import scipy.sparse  # noqa: F401
    import tiledb  # noqa: F401

    root, asked = request["store"], request["query"]
    arrays, figures = common.measured(lambda: open_arrays(root))
    runs = common.repeated(lambda: ask(arrays, asked, root), request["repeats"])
    return {"open": figures, **runs, "answer": describe(ask(arrays, asked, root), asked)}


def ask(arrays, asked, root):
    from scipy.sparse import coo_matrix

    matrix, cells, genes = arrays
    if "metadata" in asked:
        return filter_cells(cells, asked["metadata"])
    chosen_cells = select_cells(cells, asked, root)
    metadata = cells.df[chosen_cells]
    annotation = genes.df[:]
    if asked.get("genes"):
        annotation = annotation[annotation["cellarr_gene_index"].isin(asked["genes"])]
    chosen_genes = annotation.index.tolist() if asked.get("genes") else slice(None)
    found = matrix.multi_index[chosen_cells, chosen_genes]
    rows = np.searchsorted(metadata.index.to_numpy(), found["cell_index"])
    columns = np.searchsorted(annotation.index.to_numpy(), found["gene_index"])
    shape = (len(metadata), len(annotation))
    return coo_matrix((found["data"], (rows, columns)), shape=shape).tocsr(), metadata, annotation


def filter_cells(cells, condition):
    """A dense array answers a condition with fill values in the other cells."""
    names = ["cellids", "tissue"]
    found = cells.query(cond=condition, attrs=names)[:]
    kept = found["tissue"] != b""
    return {name: found[name][kept] for name in names}


def describe(part, asked):
    if "metadata" in asked:
        ids, tissue = (common.hash_texts(value.decode() for value in part[name]) for name in ("cellids", "tissue"))
        return {"metadata": ids, "text": tissue}
    values, metadata, annotation = part
    values = values.tocoo()
    answer = common.describe_matrix(values.row, values.col, values.data, values.shape, numbered=True)
    answer["metadata"] = common.hash_texts(metadata[asked["column"]])
    answer["genes"] = common.hash_texts(annotation["cellarr_gene_index"])
    return answer


def select_cells(cells, asked, root):
    import tiledb

    if "where" in asked:
        # A dense array answers a condition with fill values in the other cells.
        column = asked["column"]
        found = cells.query(cond=asked["where"], attrs=[column])[:][column]
        return np.flatnonzero(found != cells.attr(column).fill).tolist()
    if "sample" in asked:
        with tiledb.open(f"{root}/sample_metadata") as samples:
            row = samples.df[asked["sample"]]
        start, end = (int(row[f"cellarr_sample_{side}_index"].iloc[0]) for side in ("start", "end"))
        return slice(start, end)
    if "list" in asked:
        return asked["list"]
    return slice(*asked["cells"]) if "cells" in asked else slice(None)


if __name__ == "__main__":
    common.serve({"query": query})
