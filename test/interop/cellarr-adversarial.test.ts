import { join } from "node:path";
import "../../src/node-platform.js";
import { describe, expect, it } from "vitest";
import { buildCellArrStores } from "../../src/cellarr/build/build.js";
import type { BuildOptions } from "../../src/cellarr/build/options.js";
import type { ColumnType } from "../../src/cellarr/frames/column-types.js";
import { hasPython, pythonPeer, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Files that are legal but odd: Python cellarr 0.3.2 and we build the same store from them. */

/** Builds ours beside Python's `theirs` and compares all arrays by TileDB-Py. */
async function expectSameStore(folder: string, options: Omit<BuildOptions, "outputPath">): Promise<void> {
  const peer = await pythonPeer();
  const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
  await buildCellArrStores({ outputPath: ours, metadata: "python", ...options });
  const matrices = [options.matrixOptions ?? []].flat().map(({ matrixName }) => `assays/${matrixName}`);
  for (const part of [...matrices, "gene_annotation", "sample_metadata", "cell_metadata"]) {
    const values = part.startsWith("assays/") ? "matrix_cells" : "frame_columns";
    const [a, b] = [
      await peer.call(values, { uri: join(ours, part) }),
      await peer.call(values, { uri: join(theirs, part) }),
    ];
    expect(a, part).toEqual(b);
    expect(JSON.stringify(b).length, part).toBeGreaterThan(20);
  }
}

describe.skipIf(!hasPython)("the store that Python builds too", () => {
  it("from odd matrices: empty, unsorted, with repeats, zeros, repeated and unknown genes, of wide types", async () => {
    const folder = await temporaryFolder();
    const files = (await runPython(PREAMBLE + ODD_MATRICES, { folder })) as string[];
    await expectSameStore(folder, {
      files,
      geneAnnotation: ["q", "a", "b", "z", "never"],
      matrixOptions: [
        { matrixName: "counts", dtype: "uint16" },
        { matrixName: "most", dtype: "int64", consolidateDuplicateGeneFunc: "max" },
        { matrixName: "least", dtype: "float32", consolidateDuplicateGeneFunc: "min" },
      ],
    });
  });

  it("from columns of all types, as text and as numbers, and samples in quoted CSV", async () => {
    const folder = await temporaryFolder();
    const [files, types] = (await runPython(PREAMBLE + ODD_COLUMNS, { folder })) as [
      string[],
      Record<string, string>,
    ];
    await expectSameStore(folder, {
      files,
      matrixOptions: [{ matrixName: "counts" }],
      sampleMetadata: join(folder, "samples.csv"),
      cellMetadataOptions: { columnTypes: types as Record<string, ColumnType> },
    });
  });
});

const PREAMBLE = `
import contextlib, json, os, sys, warnings
import anndata, h5py, numpy as np, pandas as pd
from scipy import sparse
from cellarr import build_cellarrdataset, CellMetadataOptions, MatrixOptions

warnings.simplefilter("ignore")

def data(genes, layers, obs=None):
    rows = next(iter(layers.values())).shape[0]
    obs = pd.DataFrame(index=[f"c{row}" for row in range(rows)]) if obs is None else obs
    return anndata.AnnData(obs=obs, var=pd.DataFrame(index=pd.Index(genes, dtype=object)), layers=layers)

def build(folder, files, **options):
    os.makedirs(folder + "/theirs")
    # Its last step opens the store, which it refuses where the last cell or gene has no value: it is complete then.
    with contextlib.suppress(RuntimeError):
        build_cellarrdataset(files=files, output_path=folder + "/theirs", **options)
`;

const ODD_MATRICES = `
def all_layers(values, make):
    return {"counts": make(values.astype(np.float32)), "most": make(values.astype(np.int64)), "least": make(values.astype(np.float64))}

if __name__ == "__main__":
    folder = json.load(sys.stdin)["folder"]
    repeated = np.array([[1, 0, 2, 4, 0], [0, 3, 0, 5, 0], [0, 0, 0, 0, 0], [65535, 0, 0, 0, 0]])
    one = np.array([[1, 2, 0], [0, 3, 4]])
    adatas = [
        data(list("qaqbq"), all_layers(repeated, sparse.csr_matrix)),
        data(list("bqqxb"), all_layers(repeated, np.asarray)),
        data(list("zab"), all_layers(one, sparse.csr_matrix)),
        data(list("xaz"), all_layers(np.zeros((0, 3)), sparse.csr_matrix)),
        data(["unknown", "only"], all_layers(np.ones((2, 2)), sparse.csr_matrix)),
        data(list("baz"), all_layers(one, np.asarray)),
    ]
    files = [f"{folder}/{at}.h5ad" for at in range(len(adatas))]
    for adata, file in zip(adatas, files):
        adata.write(file)
    # Rows in any order, entries twice and zeros that are stored.
    with h5py.File(files[2], "r+") as file:
        for layer, dtype in (("counts", np.float32), ("most", np.int64), ("least", np.float64)):
            group = file["layers"][layer]
            for part in ("data", "indices", "indptr"):
                del group[part]
            group["indptr"] = np.array([0, 5, 8], dtype=np.int32)
            group["indices"] = np.array([2, 0, 2, 1, 0, 2, 1, 0], dtype=np.int32)
            group["data"] = np.array([5, 1, 7, 0, 2, 0, 9, 3], dtype=dtype)
    with h5py.File(files[5], "r+") as file:
        del file["layers/most"]
        file["layers"]["most"] = np.array([[2**53 - 1, 1 - 2**53, 0], [-1, 0, 7]])
        file["layers/most"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    build(folder, files, gene_annotation=["q", "a", "b", "z", "never"], matrix_options=[
        MatrixOptions(matrix_name="counts", tiledb_store_name="counts", dtype=np.uint16),
        MatrixOptions(matrix_name="most", tiledb_store_name="most", dtype=np.int64, consolidate_duplicate_gene_func=max),
        MatrixOptions(matrix_name="least", tiledb_store_name="least", dtype=np.float32, consolidate_duplicate_gene_func=min),
    ])
    print(json.dumps(files))
`;

const ODD_COLUMNS = `
if __name__ == "__main__":
    folder = json.load(sys.stdin)["folder"]
    columns = {
        "cat": pd.Categorical(["x", None, "y", "x"]), "catnum": pd.Categorical([10, 2, 10, 2]),
        "catfloat": pd.Categorical([1.5, 2.0, 1.5, 2.0]), "text": list("abcd"), "odd": ["a, b", 'say "x"', "", " "],
        "whole": pd.array([1, 2, 3, 2**40], dtype="Int64"), "wide": np.array([2**53 + 1, -5, 0, 2**62]),
        "flag": np.array([True, False, True, True]), "float": np.array([1.5, np.nan, 1e-7, 1e16]),
        "ends": np.array([-0.0, np.inf, -np.inf, 123456789012345680.0]), "byte": np.array([1, 255, 0, 3], dtype=np.uint8),
        "single": np.array([0.1, np.nan, 1e20, 16777216], dtype=np.float32), "small": np.array([1e-4, 1e-5, 0.1 + 0.2, 5e-324]),
    }
    numeric = {"whole": "int64", "wide": "int64", "flag": "bool", "float": "float64", "byte": "uint8", "single": "float32",
               "catnum": "int64", "catfloat": "float64", "ends": "float64"}
    obs = pd.DataFrame(columns)
    types = {name: "ascii" for name in columns}
    for name, dtype in numeric.items():
        obs["typed_" + name] = obs[name]
        types["typed_" + name] = dtype
    types["nowhere"] = "ascii"
    obs.index = ["r", "r", "s", "s"]
    files = [folder + "/0.h5ad", folder + "/1.h5ad"]
    values = sparse.csr_matrix(np.arange(16).reshape(4, 4).astype(np.int64))
    data(list("dcba"), {"counts": values}, obs).write(files[0])
    data(list("dcba"), {"counts": values}, obs).write(files[1])
    with open(folder + "/samples.csv", "w") as file:
        file.write('name,note\\n"a, b","say ""hi"""\\n"x\\ny",plain\\n')
    numpy_types = {name: dtype if dtype == "ascii" else np.dtype(dtype) for name, dtype in types.items()}
    build(folder, files, sample_metadata=folder + "/samples.csv",
          cell_metadata_options=CellMetadataOptions(column_types=numpy_types))
    print(json.dumps([files, types]))
`;
