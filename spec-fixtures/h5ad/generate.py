"""Writes the H5AD fixtures of this folder, each by the anndata that it is named after, with its content as JSON.

Run it once in each of three environments (Python 3.11), with the pins below, from any folder:

    python generate.py          pip install anndata==0.12.19 h5py==3.16.0 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
    python generate.py          pip install anndata==0.7.8 h5py==3.8.0 numpy==1.23.5 pandas==1.5.3 scipy==1.10.1
    python generate.py          pip install anndata==0.6.22.post1 h5py==3.8.0 numpy==1.23.5 pandas==1.5.3 scipy==1.10.1 "setuptools<70"

anndata 0.6 cannot store text that is not ASCII, nullable columns or ordered categories; its files hold the rest. What it
keeps apart from X, obs and var in uns (the categories) is not in the JSON, which lists what a reader should see.
"""

import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import sparse

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "test", "python"))

import anndata  # noqa: E402
from h5ad_content import content  # noqa: E402

try:
    VERSION = anndata.__version__
except AttributeError:
    from importlib.metadata import version

    VERSION = version("anndata")
MODERN = not VERSION.startswith(("0.6", "0.7"))
OLD = VERSION.startswith("0.6")

CELLS, GENES = 17, 11


def values(seed, rows=CELLS, columns=GENES, kind="float32"):
    random = np.random.default_rng(seed)
    dense = random.integers(1, 50, (rows, columns)) * (random.random((rows, columns)) < 0.3)
    dense[3, :] = 0
    return dense.astype(kind)


def obs():
    text = ["lung", "liver", "", "a longer tissue name"] if OLD else ["lung", "Milz", "", "naïve 細胞"]
    columns = {
        "tissue": pd.Categorical.from_codes([i % 5 - 1 for i in range(CELLS)], text),
        "n_genes": np.arange(CELLS, dtype="int64") * 100,
        "small": (np.arange(CELLS) % 7).astype("uint8"),
        "fraction": np.where(np.arange(CELLS) % 4 == 0, np.nan, np.arange(CELLS) / 8).astype("float32"),
        "passed": np.arange(CELLS) % 3 == 0,
    }
    if not OLD:
        columns["stage"] = pd.Categorical.from_codes([i % 3 for i in range(CELLS)], ["I", "II", "III"], ordered=True)
        # Different in every row, so that anndata does not turn it into a categorical.
        columns["barcode"] = ["bärcode-%d" % i for i in range(CELLS)]
        columns["cluster"] = pd.Categorical.from_codes([i % 2 for i in range(CELLS)], [3, 8])
    if MODERN:
        columns["count"] = pd.array([None if i % 5 == 0 else i for i in range(CELLS)], dtype="Int32")
        columns["flag"] = pd.array([None if i % 4 == 1 else i % 2 == 0 for i in range(CELLS)], dtype="boolean")
        columns["note"] = pd.array([None if i % 3 == 0 else "note %d" % i for i in range(CELLS)], dtype="string")
    return pd.DataFrame(columns, index=["cell_%d" % i for i in range(CELLS)])


def var(count=GENES):
    table = pd.DataFrame({"mean": np.linspace(0, 1, count)}, index=["gene_%d" % i for i in range(count)])
    if not OLD:
        table.index.name = "symbol"
    return table


def build():
    raw = anndata.AnnData(sparse.csr_matrix(values(1, columns=GENES + 4)), obs=obs(), var=var(GENES + 4))
    data = raw[:, :GENES].copy()
    data.raw = raw
    data.X = values(2) if OLD else sparse.csr_matrix(values(2, kind="int32"))
    if MODERN:
        # Long indices, as scipy makes them for matrices of more than 2^31 values.
        data.X.indices = data.X.indices.astype("int64")
        data.X.indptr = data.X.indptr.astype("int64")
    data.layers["columns"] = sparse.csc_matrix(values(3, kind="float64"))
    data.layers["dense"] = values(4, kind="uint16")
    data.layers["wide"] = sparse.csr_matrix(values(5, kind="int64"))
    if not OLD:
        data.layers["truth"] = sparse.csr_matrix(values(6).astype(bool))
        data.layers["half"] = values(7, kind="float16")
    data.obsm["X_pca"] = np.arange(CELLS * 3, dtype="float32").reshape(CELLS, 3)
    data.varm["PCs"] = np.arange(GENES * 2, dtype="float64").reshape(GENES, 2)
    if not OLD:
        data.obsm["table"] = pd.DataFrame({"x": np.arange(CELLS)}, index=data.obs_names)
        data.uns["method"] = "leiden"
        data.uns["resolution"] = 0.5
        data.uns["steps"] = 7
        data.uns["nested"] = {"names": np.array(["a", "b"], dtype=object), "deep": {"flag": True}}
        data.uns["loadings"] = np.arange(4, dtype="int16").reshape(2, 2)
    return data


def write(data, name, **options):
    path = os.path.join(HERE, name + ".h5ad")
    data.write_h5ad(path, **options) if hasattr(data, "write_h5ad") else data.write(path, **options)
    expected = content(data if OLD else anndata.read_h5ad(path))
    if OLD:
        # write() leaves X as it is, and stores layers and raw as they are; uns held nothing of the user's.
        expected["uns"] = {}
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        json.dump(expected, file, ensure_ascii=False)
        file.write("\n")



def write_layout_of_0_5(name):
    """The layout of anndata 0.5, which no longer installs, by h5py: text of fixed length, obsm and varm as records."""
    import h5py

    x, raw = values(2), sparse.csr_matrix(values(1, columns=GENES + 4))
    codes = np.array([i % 3 - 1 for i in range(CELLS)], dtype="int8")
    pca, tsne = np.arange(CELLS * 3, dtype="float32").reshape(CELLS, 3), np.arange(CELLS * 2, dtype="float64").reshape(CELLS, 2)
    cells = np.zeros(CELLS, dtype=[("index", "S16"), ("tissue", "i1"), ("n_genes", "<i8"), ("passed", "?")])
    cells["index"] = ["cell_%d" % i for i in range(CELLS)]
    cells["tissue"], cells["n_genes"], cells["passed"] = codes, np.arange(CELLS), np.arange(CELLS) % 2 == 0
    embeddings = np.zeros(CELLS, dtype=[("X_pca", "<f4", (3,)), ("X_tsne", "<f8", (2,))])
    embeddings["X_pca"], embeddings["X_tsne"] = pca, tsne

    def genes(count):
        table = np.zeros(count, dtype=[("index", "S13"), ("mean", "<f8")])
        table["index"], table["mean"] = ["gene_%d" % i for i in range(count)], np.arange(count)
        return table

    with h5py.File(os.path.join(HERE, name + ".h5ad"), "w") as file:
        file.create_dataset("X", data=x, compression="gzip")
        file.create_dataset("obs", data=cells, compression="gzip")
        file.create_dataset("var", data=genes(GENES), compression="gzip")
        file.create_dataset("obsm", data=embeddings, compression="gzip")
        group = file.create_group("raw.X")
        group.attrs["h5sparse_format"], group.attrs["h5sparse_shape"] = "csr", np.array(raw.shape)
        for part in ("data", "indices", "indptr"):
            group.create_dataset(part, data=getattr(raw, part), compression="gzip")
        file.create_dataset("raw.var", data=genes(GENES + 4))
        file.create_dataset("uns/tissue_categories", data=np.array(["liver", "lung"], dtype="S5"))
    table = pd.DataFrame(
        {
            "tissue": pd.Categorical.from_codes(codes, ["liver", "lung"]),
            "n_genes": np.arange(CELLS, dtype="int64"),
            "passed": np.arange(CELLS) % 2 == 0,
        },
        index=["cell_%d" % i for i in range(CELLS)],
    )

    def gene_table(count):
        return pd.DataFrame({"mean": np.arange(count, dtype="float64")}, index=["gene_%d" % i for i in range(count)])

    expected = anndata.AnnData(x, obs=table, var=gene_table(GENES), obsm={"X_pca": pca, "X_tsne": tsne})
    expected.raw = anndata.AnnData(raw, obs=table, var=gene_table(GENES + 4))
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        json.dump(content(expected), file, ensure_ascii=False)
        file.write("\n")


if MODERN:
    anndata.settings.allow_write_nullable_strings = True
    write(build(), "anndata-%s.gzip" % VERSION, compression="gzip")
    write(build(), "anndata-%s.lzf" % VERSION, compression="lzf")
    empty = anndata.AnnData(sparse.csr_matrix((0, 3), dtype="float32"), var=pd.DataFrame(index=["a", "b", "c"]))
    write(empty, "anndata-%s.empty" % VERSION)
    write_layout_of_0_5("layout-0.5")
else:
    write(build(), "anndata-%s" % VERSION)
    if not OLD:
        write(build(), "anndata-%s.lzf" % VERSION, compression="lzf")
