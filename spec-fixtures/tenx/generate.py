"""Matrices in the forms of Cell Ranger, with what scanpy reads from them.

    pip install scanpy==1.11.5 anndata==0.12.19 h5py==3.16.0
    python generate.py

HDF5 as versions 2 and 3 lay it out (h5py), Matrix Market folders of both (scipy); expected.json is what
scanpy.read_10x_h5 and scanpy.read_10x_mtx make of them, so a file that is not in the right form does not get here.
"""

import gzip
import json
import os

import h5py
import numpy as np
import scanpy
import scipy.io
import scipy.sparse

HERE = os.path.dirname(os.path.abspath(__file__))
GENES, CELLS = 14, 9


def matrix(seed):
    rng = np.random.default_rng(seed)
    dense = rng.poisson(0.6, (GENES, CELLS)).astype(np.int32)
    dense[3] = 0
    dense[:, 4] = 0
    dense[5, 2] = 70_000
    return scipy.sparse.csc_matrix(dense)


IDS = [f"ENSG{n:011d}" for n in range(GENES)]
NAMES = [f"GENE{n}" for n in range(GENES - 1)] + ["GENE1"]
TYPES = ["Gene Expression"] * (GENES - 2) + ["Antibody Capture"] * 2
BARCODES = ["".join("ACGT"[(n * 7 + at * at) % 4] for at in range(16)) + "-1" for n in range(CELLS)]


def text(values):
    return np.array(values, dtype="S")


def write_group(group, counts, shuffle_and_gzip=True):
    options = {"compression": "gzip", "shuffle": True, "chunks": (16,)} if shuffle_and_gzip else {}
    group.create_dataset("barcodes", data=text(BARCODES), **{**options, "chunks": (4,)})
    group.create_dataset("data", data=counts.data.astype(np.int32), **options)
    group.create_dataset("indices", data=counts.indices.astype(np.int64), **options)
    group.create_dataset("indptr", data=counts.indptr.astype(np.int64), **{**options, "chunks": (4,)})
    group.create_dataset("shape", data=np.array(counts.shape, dtype=np.int32))


def h5_v3(path):
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "matrix"
        file.attrs["version"] = 2
        group = file.create_group("matrix")
        write_group(group, matrix(1))
        features = group.create_group("features")
        features.create_dataset("_all_tag_keys", data=text(["genome"]))
        features.create_dataset("feature_type", data=text(TYPES))
        features.create_dataset("genome", data=text(["GRCh38"] * (GENES - 2) + ["", ""]))
        features.create_dataset("id", data=text(IDS))
        features.create_dataset("name", data=text(NAMES))


def h5_v2(path, genomes):
    with h5py.File(path, "w") as file:
        for at, genome in enumerate(genomes):
            group = file.create_group(genome)
            write_group(group, matrix(2 + at))
            group.create_dataset("genes", data=text(IDS))
            group.create_dataset("gene_names", data=text(NAMES))


def write_text(path, lines, compressed):
    content = "".join(f"{line}\n" for line in lines).encode()
    with (gzip.GzipFile(f"{path}.gz", "wb", mtime=0) if compressed else open(path, "wb")) as file:
        file.write(content)


def mtx(folder, counts, compressed, prefix=""):
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, prefix)
    scipy.io.mmwrite(f"{base}matrix.mtx", counts, comment="made for tests", field="integer")
    if compressed:
        with open(f"{base}matrix.mtx", "rb") as file, gzip.GzipFile(f"{base}matrix.mtx.gz", "wb", mtime=0) as out:
            out.write(file.read())
        os.remove(f"{base}matrix.mtx")
        rows = ["\t".join(row) for row in zip(IDS, NAMES, TYPES)]
        write_text(f"{base}features.tsv", rows, True)
    else:
        write_text(f"{base}genes.tsv", ["\t".join(row) for row in zip(IDS, NAMES)], False)
    write_text(f"{base}barcodes.tsv", BARCODES, compressed)


def described(adata):
    return {
        "cells": adata.obs_names.tolist(),
        "genes": adata.var_names.tolist(),
        "var": {name: [str(value) for value in adata.var[name]] for name in adata.var.columns},
        "values": adata.X.toarray().astype(float).tolist(),
    }


def main():
    expected = {}
    h5_v3(os.path.join(HERE, "v3.h5"))
    expected["v3.h5"] = described(scanpy.read_10x_h5(os.path.join(HERE, "v3.h5"), gex_only=False))
    h5_v2(os.path.join(HERE, "v2.h5"), ["hg19"])
    expected["v2.h5"] = described(scanpy.read_10x_h5(os.path.join(HERE, "v2.h5")))
    h5_v2(os.path.join(HERE, "v2-genomes.h5"), ["hg19", "mm10"])
    two = os.path.join(HERE, "v2-genomes.h5")
    expected["v2-genomes.h5"] = {g: described(scanpy.read_10x_h5(two, genome=g)) for g in ["hg19", "mm10"]}
    for name, counts, compressed, prefix in [
        ("mtx-v3", matrix(5), True, ""),
        ("mtx-v2", matrix(6), False, ""),
        ("mtx-prefix", matrix(7), True, "GSM1_"),
        # Entries in no order of cells.
        ("mtx-by-gene", matrix(8).tocsr().tocoo(), True, ""),
    ]:
        folder = os.path.join(HERE, name)
        mtx(folder, counts, compressed, prefix)
        expected[name] = described(
            scanpy.read_10x_mtx(folder, make_unique=False, gex_only=False, prefix=prefix or None)
        )
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        json.dump(expected, file)
        file.write("\n")


main()
