"""Bare TileDB-Py, as somebody would use it who writes and reads the same arrays without cellarr."""

import shutil

import common
import numpy as np


def build(request):
    out = request["store"]
    shutil.rmtree(out, ignore_errors=True)
    _, figures = common.measured(lambda: write_store(out, request["files"], request["cellColumns"]))
    return {**figures, "bytes": common.folder_bytes(out), "matrixBytes": common.folder_bytes(f"{out}/assays")}


def write_store(out, files, cell_columns):
    import anndata
    import pandas as pd
    import tiledb

    tiledb.group_create(out)
    tiledb.group_create(f"{out}/assays")
    samples = [anndata.read_h5ad(path) for path in files]
    genes = sorted(set().union(*(sample.var_names for sample in samples)))
    numbers = {gene: number for number, gene in enumerate(genes)}
    write_frame(f"{out}/gene_annotation", pd.DataFrame({"cellarr_gene_index": genes}))
    cells = pd.concat([sample.obs[cell_columns] for sample in samples], ignore_index=True).astype(str)
    names = [f"sample_{i + 1}" for i, sample in enumerate(samples) for _ in range(sample.n_obs)]
    write_frame(f"{out}/cell_metadata", cells.assign(cellarr_sample=names))

    uri = f"{out}/assays/counts"
    limit = np.iinfo(np.uint32).max - 1
    dimensions = [
        tiledb.Dim(name=name, domain=(0, limit), dtype=np.uint32) for name in ("cell_index", "gene_index")
    ]
    attribute = tiledb.Attr(name="data", dtype=np.uint16, filters=tiledb.FilterList([tiledb.GzipFilter()]))
    tiledb.Array.create(
        uri, tiledb.ArraySchema(domain=tiledb.Domain(*dimensions), sparse=True, attrs=[attribute])
    )
    offset = 0
    for sample in samples:
        counts = sample.layers["counts"].tocoo()
        columns = np.array([numbers[gene] for gene in sample.var_names], dtype=np.uint32)
        with tiledb.open(uri, "w") as array:
            array[counts.row.astype(np.uint32) + offset, columns[counts.col]] = counts.data.astype(np.uint16)
        offset += sample.n_obs
    tiledb.consolidate(uri)
    tiledb.vacuum(uri)


def write_frame(uri, frame):
    import tiledb

    tiledb.from_pandas(uri, frame, column_types={name: "ascii" for name in frame.columns})


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


def describe(part, asked):
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
    common.serve({"build": build, "query": query})
