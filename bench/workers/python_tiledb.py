"""Bare TileDB-Py, as somebody would use it who writes and reads the same arrays without cellarr."""

import common
import numpy as np


def query(request):
    # What reading needs is imported before the clock starts; TileDB-Py would do so at the first use.
    import pandas  # noqa: F401
    import tiledb

    root, asked = request["store"], request["query"]
    part = "cell_metadata" if "metadata" in asked else "assays/counts"
    array, figures = common.measured(lambda: tiledb.open(f"{root}/{part}"))
    ask = prepare(array, asked, root)
    runs = common.repeated(ask, request["repeats"])
    return {"open": figures, **runs, "answer": describe(ask(), asked, root)}


def prepare(array, asked, root):
    """The question as a call: what cellarr adds (names to numbers, metadata) is done before the clock starts."""
    if "metadata" in asked:
        return lambda: filter_cells(array, asked["metadata"])
    cells, genes = select_cells(asked, root), select_genes(asked, root)
    return lambda: array.multi_index[cells, genes]


def filter_cells(cells, condition):
    """A dense array answers a condition with fill values in the other cells."""
    names = ["cellids", "tissue"]
    found = cells.query(cond=condition, attrs=names)[:]
    kept = found["tissue"] != b""
    return {name: found[name][kept] for name in names}


def describe(part, asked, root):
    if "metadata" in asked:
        ids, tissue = (common.hash_texts(value.decode() for value in part[name]) for name in ("cellids", "tissue"))
        return {"metadata": ids, "text": tissue}
    rows = positions(select_cells(asked, root), part["cell_index"])
    columns = positions(select_genes(asked, root), part["gene_index"])
    shape = [length(root, "cell_metadata", select_cells(asked, root)), length(root, "gene_annotation", select_genes(asked, root))]
    return common.describe_matrix(rows, columns, part["data"], shape, numbered=True)


def positions(chosen, found):
    """Numbers in the store as numbers in the answer."""
    if isinstance(chosen, slice):
        return found.astype(np.int64) - (chosen.start or 0)
    return np.searchsorted(np.array(chosen), found)


def length(root, frame, chosen):
    import tiledb

    if not isinstance(chosen, slice):
        return len(chosen)
    if chosen.stop is not None:
        return chosen.stop - chosen.start + 1
    with tiledb.open(f"{root}/{frame}") as array:
        return array.nonempty_domain()[0][1] + 1


def select_genes(asked, root):
    import tiledb

    if not asked.get("genes"):
        return slice(None)
    with tiledb.open(f"{root}/gene_annotation") as annotation:
        names = annotation.query(attrs=["cellarr_gene_index"])[:]["cellarr_gene_index"].astype("S")
    return np.flatnonzero(np.isin(names, np.array(asked["genes"], dtype="S"))).tolist()


def select_cells(asked, root):
    import tiledb

    if "where" in asked:
        with tiledb.open(f"{root}/cell_metadata") as cells:
            column = asked["column"]
            found = cells.query(cond=asked["where"], attrs=[column])[:][column]
        return np.flatnonzero(found.astype("S") != b"").tolist()
    if "sample" in asked:
        first = asked["sample"] * asked["cellsOfSample"]
        return slice(first, first + asked["cellsOfSample"] - 1)
    if "list" in asked:
        return asked["list"]
    return slice(*asked["cells"]) if "cells" in asked else slice(None)


if __name__ == "__main__":
    common.serve({"query": query})
