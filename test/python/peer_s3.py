"""Arrays and stores in buckets, through TileDB-Py and Python cellarr; `config` has TileDB's settings."""

import numpy as np
import tiledb


def s3_write_sparse(config, uri, timestamps):
    """A matrix of 100 x 50 with a fragment for each timestamp: cell (r, c) has r * 100 + c + timestamp."""
    ctx = tiledb.Ctx(config)
    domain = tiledb.Domain(
        tiledb.Dim("row", domain=(0, 99), tile=10, dtype=np.int64),
        tiledb.Dim("column", domain=(0, 49), tile=10, dtype=np.int64),
        ctx=ctx,
    )
    schema = tiledb.ArraySchema(
        domain, [tiledb.Attr("data", dtype=np.float32)], sparse=True, capacity=100, ctx=ctx
    )
    tiledb.Array.create(uri, schema, ctx=ctx)
    for at, timestamp in enumerate(timestamps):
        rows = np.arange(at, 100, 3)
        cells = [(row, column) for row in rows for column in range(at, 50, 7)]
        r, c = (np.array(part, dtype=np.int64) for part in zip(*cells))
        with tiledb.open(uri, "w", ctx=ctx, timestamp=timestamp) as array:
            array[r, c] = (r * 100 + c + timestamp).astype(np.float32)
            array.meta[f"written {at}"] = timestamp


def s3_consolidate(config, uri):
    ctx = tiledb.Ctx(config)
    tiledb.consolidate(uri, ctx=ctx)
    tiledb.vacuum(uri, ctx=ctx)


def s3_read(config, uri):
    """{columns: name -> values in row-major order, metadata: key -> value}."""
    with tiledb.open(uri, ctx=tiledb.Ctx(config)) as array:
        order = {"order": "C"}
        found = array.query(**order)[:]
        columns = dict(found) if isinstance(found, dict) else {"": found}
        metadata = {key: array.meta[key] for key in array.meta.keys()}
        return {"columns": {name: values.tolist() for name, values in columns.items()}, "metadata": metadata}


def s3_names(config, uri):
    """Keys below a place, as TileDB sees them, with their sizes."""
    vfs = tiledb.VFS(ctx=tiledb.Ctx(config))
    return sorted([name.removeprefix(uri), vfs.file_size(name)] for name in vfs.ls_recursive(uri))


def s3_upload(config, folder, uri):
    """Copies a folder of this machine into a bucket."""
    import os

    vfs = tiledb.VFS(ctx=tiledb.Ctx(config))
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            with open(file, "rb") as source:
                content = source.read()
            put(vfs, f"{uri}/{os.path.relpath(file, folder)}", content)


def put(vfs, uri, content):
    """Now and then TileDB's client takes a server's 200 for an empty object as a failure: then once more, twice at most."""
    for attempt in range(3):
        try:
            with vfs.open(uri, "wb") as target:
                target.write(content)
            return
        except tiledb.TileDBError as error:
            if attempt == 2 or "HTTP Response Code: 200" not in str(error):
                raise


def s3_cellarr(config, path, assays, rows, genes):
    """A slice of a store, by Python cellarr."""
    import cellarr

    dataset = cellarr.CellArrDataset(dataset_path=path, assay_uri=assays, config=tiledb.Config(config))
    part = dataset.get_slice(slice(*rows), genes)
    return {
        "shape": list(dataset.shape),
        "samples": dataset.get_sample_metadata_index(),
        "genes": part.gene_annotation["cellarr_gene_index"].tolist(),
        "cells": part.cell_metadata["cellarr_cell_counter"].tolist()
        if "cellarr_cell_counter" in part.cell_metadata
        else [int(row) for row in part.cell_metadata.index],
        "matrices": {name: layer.toarray().tolist() for name, layer in part.to_anndata().layers.items()},
    }
