import { join } from "node:path";
import "../../src/node-platform.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { writeH5ad } from "../../src/h5ad/write-anndata.js";
import { columnValues, type Frame, textValues } from "../../src/util/frame.js";
import {
  collections,
  denseRows,
  type Experiment,
  expectedStore,
  experiment,
  frame,
  generated,
  numbers,
  twoExperiments,
  valuesOf,
} from "../cellarr/samples.js";
import { hasPython, pythonPeer, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

type Cell = [cell: number, gene: number, value: number];

/** What `matrix_cells` gives for dense rows. */
function cellsOf(rows: readonly (readonly number[])[]): Cell[] {
  return rows.flatMap((row, cell) =>
    row.flatMap((value, gene): Cell[] => (value === 0 ? [] : [[cell, gene, value]])),
  );
}

function columnsOf(table: Frame): Record<string, unknown[]> {
  return Object.fromEntries([...table.columns].map(([name, column]) => [name, columnValues(column)]));
}

/** Files on disk of the experiments, written by us. */
async function h5adFiles(folder: string, files: readonly Experiment[]): Promise<string[]> {
  const paths = files.map((_, at) => join(folder, `file${at}.h5ad`));
  for (const [at, path] of paths.entries()) await writeH5ad(experiment(files[at]!), path);
  return paths;
}

describe.skipIf(!hasPython)("our stores in Python", () => {
  it("open in Python cellarr 0.3.2, and queries of its tests' kind give the same", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const [first, second] = twoExperiments();
    const columnTypes = { cells: "ascii", nothere: "ascii" } as const;
    const dataset = await buildCellArrDataset({
      outputPath: path,
      files: [first, second],
      matrixOptions: [{ dtype: "float32" }, { matrixName: "twice", dtype: "float64" }],
      cellMetadataOptions: { columnTypes },
    });
    const assays = ["counts", "twice"];
    expect(await peer.call("cellarr_describe", { path, assays })).toEqual({
      shape: [40, 60],
      cells: dataset.getCellMetadataColumns(),
      genes: await dataset.getGeneAnnotationIndex(),
      samples: ["sample_1", "sample_2"],
    });
    // Python cannot place rows or columns without values, so none is empty here.
    const genes = ["gene_1", "gene_17", "gene_5"];
    const queries = [
      [0, 0],
      [35, 35],
      [slice(0, 10), { slice: [0, 10] }],
      [
        [3, 30, 38],
        [3, 30, 38],
      ],
      ["cellarr_sample == 'sample_2'", "cellarr_sample == 'sample_2'"],
    ] as const;
    for (const [ours, theirs] of queries) {
      const part = await dataset.get(ours as number, genes);
      expect(await peer.call("cellarr_slice", { path, assays, cells: theirs, genes })).toEqual({
        cells: textValues(part.cellMetadata.index).map(Number),
        genes: valuesOf(part.geneAnnotation, "cellarr_gene_index"),
        cellMetadata: columnsOf(part.cellMetadata),
        matrices: Object.fromEntries([...part.matrices].map(([name, matrix]) => [name, denseRows(matrix)])),
        shape: part.shape,
      });
    }
    expect(await peer.call("cellarr_sample", { path, assays, sample: "sample_2" })).toEqual([
      ...(await dataset.getCellsForSample("sample_2")).cellIndices,
    ]);
  });

  it("open in the newest Python cellarr, whose slices have the shape and order of ours", async () => {
    const peer = await pythonPeer("newest");
    const path = join(await temporaryFolder(), "store");
    const rows = [
      [0, 1, 0],
      [0, 0, 0],
      [5, 0, 2],
      [0, 0, 0],
    ];
    const files = [experiment({ genes: ["a", "b", "c"], rows })];
    const dataset = await buildCellArrDataset({ outputPath: path, files });
    for (const [cells, genes] of [
      [
        [2, 0, 1],
        ["c", "a"],
      ],
      [[1], ["b"]],
      [[0, 1, 2], ["b"]],
    ] as const) {
      const part = await dataset.get(cells, genes);
      const theirs = await peer.call("cellarr_slice", { path, assays: ["counts"], cells, genes });
      expect(theirs).toMatchObject({
        cells: [...part.cellIndices],
        matrices: { counts: denseRows(part.matrix("counts")) },
      });
    }
  });

  it("hold for TileDB-Py what the files hold, whatever the files (property)", async () => {
    const peer = await pythonPeer();
    await fc.assert(
      fc.asyncProperty(collections, fc.boolean(), async (files, optimize) => {
        const path = join(await temporaryFolder(), "store");
        const { genes, rows } = expectedStore(files);
        await buildCellArrDataset({ outputPath: path, files: files.map(experiment), optimize });
        expect(await peer.call("matrix_cells", { uri: join(path, "assays/counts") })).toEqual(cellsOf(rows));
        if (genes.length > 0) {
          const uri = join(path, "gene_annotation");
          expect(await peer.call("frame_columns", { uri })).toMatchObject({ cellarr_gene_index: genes });
        }
      }),
      { numRuns: 15 },
    );
  });

  it("have frames as TileDB-Py makes them, of all types", async () => {
    const peer = await pythonPeer();
    const path = join(await temporaryFolder(), "store");
    const sampleMetadata = frame(["0", "1"], {
      name: ["é", null],
      age: numbers(36.3, Number.NaN),
      count: numbers(7, 8),
      flag: { kind: "boolean", values: Uint8Array.of(1, 0) },
    });
    const columnTypes = { name: "utf8", age: "float", count: "int32", flag: "bool" } as const;
    const sampleMetadataOptions = { columnTypes };
    await buildCellArrDataset({
      outputPath: path,
      files: [generated(2, 2, 1), generated(1, 2, 2)],
      matrixOptions: { dtype: "float32" },
      sampleMetadata,
      sampleMetadataOptions,
    });
    const uri = join(path, "sample_metadata");
    expect(await peer.call("frame_columns", { uri })).toMatchObject({
      name: ["é", "nan"],
      age: [36.3, null],
      count: [7, 8],
      flag: [true, false],
      cellarr_sample_end_index: ["1", "2"],
    });
    expect(await peer.call("python_metadata", { uri })).toEqual({
      __pandas_attribute_repr: '{"flag": "bool"}',
      __pandas_index_dims: '{"__tiledb_rows": "int64"}',
    });
  });
});

describe.skipIf(!hasPython)("stores by Python cellarr", () => {
  it("have the schemas, metadata and values of those that we build from the same files", async () => {
    const peer = await pythonPeer();
    const folder = await temporaryFolder();
    const [theirs, ours] = [join(folder, "theirs"), join(folder, "ours")];
    const specs: Experiment[] = [
      {
        genes: ["b", "a", "d", "b"],
        rows: [
          [1, 0, 2, 3],
          [0, 0, 0, 0],
          [0, 4, 0, 5],
        ],
        obs: { tissue: ["lung", "liver", "lung"], age: numbers(30, 41.5, 1e-7), n: numbers(1, 2, 1e16) },
      },
      {
        genes: ["c", "a"],
        rows: [
          [6, 7],
          [8, 0],
        ],
        storage: "dense",
        obs: { tissue: ["skin", "bone"], n: numbers(-0.5, 0) },
      },
    ];
    const files = await h5adFiles(folder, specs);
    const columnTypes = { tissue: "ascii", age: "ascii", n: "float64" } as const;
    await peer.call("cellarr_build", {
      output: theirs,
      files,
      matrices: [{ dtype: "uint16" }, { matrix_name: "twice", tiledb_store_name: "twice", dtype: "float32" }],
      cell_types: columnTypes,
    });
    await buildCellArrDataset({
      outputPath: ours,
      files,
      matrixOptions: [{}, { matrixName: "twice", dtype: "float32" }],
      cellMetadataOptions: { columnTypes },
      layout: "python",
    });
    for (const name of ["gene_annotation", "sample_metadata", "assays/counts", "assays/twice"]) {
      const call = (fn: string, root: string) => peer.call(fn, { uri: join(root, name) });
      expect(await call("matrix_schema", ours)).toBe(await call("matrix_schema", theirs));
      expect(await call("python_metadata", ours)).toEqual(await call("python_metadata", theirs));
      const values = name.startsWith("assays/") ? "matrix_cells" : "frame_columns";
      expect(await call(values, ours)).toEqual(await call(values, theirs));
      expect(await call("matrix_fragments", ours)).toBe(1);
    }
    // Python puts the columns of obs in any order.
    const cells = (root: string) => peer.call("frame_columns", { uri: join(root, "cell_metadata") });
    expect(await cells(ours)).toEqual(await cells(theirs));
    const [a, b] = [await CellArrDataset.open(ours), await CellArrDataset.open(theirs)];
    for (const query of [slice(), [4, 0, 1], "tissue == 'lung'"] as const) {
      const [part, same] = [await a.get(query), await b.get(query)];
      expect(denseRows(same.matrix("counts"))).toEqual(denseRows(part.matrix("counts")));
      expect(columnsOf(same.cellMetadata)).toEqual(expect.objectContaining(columnsOf(part.cellMetadata)));
    }
    const { genes, rows } = expectedStore(specs);
    expect(await b.getGeneAnnotationIndex()).toEqual(genes);
    expect(denseRows((await b.get(slice())).matrix("counts"))).toEqual(rows);
  });

  it("read the same in TypeScript as by TileDB-Py, CSV metadata and explicit zeros included", async () => {
    const peer = await pythonPeer();
    const folder = await temporaryFolder();
    const store = join(folder, "store");
    await runPython(PYTHON_STORE, { folder });
    const dataset = await CellArrDataset.open(store);
    const cells = await dataset.getCellSubset(slice());
    expect(columnsOf(cells)).toEqual(await peer.call("frame_columns", { uri: join(store, "cell_metadata") }));
    expect(cells.rowCount).toBe(1203);
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["gx", "gy", "gz"]);
    const stored = (await dataset.get(slice())).matrix("counts");
    const theirs = (await peer.call("matrix_cells", { uri: join(store, "assays/counts") })) as Cell[];
    expect([...stored.data]).toEqual(theirs.map(([, , value]) => value));
    expect([...stored.indices]).toEqual(theirs.map(([, gene]) => gene));
    expect(theirs.some(([, , value]) => value === 0)).toBe(true);
    const pieces = await dataset.get([1202, 7, 600], ["gz", "gx"]);
    expect(valuesOf(pieces.cellMetadata, "label")).toEqual(["c1202", "c7", "c600"]);
    const array = await openArray(join(store, "cell_metadata"));
    expect(array.schema.dimensions[0]!.domain![0]).toBeLessThan(0n);
  });
});

/** A store whose cell metadata come from CSV (domain as wide as int64) and whose files store zeros. */
const PYTHON_STORE = `
import json, sys
import anndata, numpy as np, pandas as pd
from scipy import sparse
from cellarr import build_cellarrdataset, MatrixOptions

if __name__ == "__main__":
    folder = json.load(sys.stdin)["folder"]
    import os
    os.makedirs(folder + "/store")
    rng = np.random.default_rng(1)
    files = []
    for at, rows in enumerate((1200, 3)):
        values = sparse.random(rows, 3, density=0.4, format="csr", random_state=at, dtype=np.float32)
        values.data = rng.integers(0, 5, len(values.data)).astype(np.float32)
        values[rows - 1, 2] = 3
        data = anndata.AnnData(layers={"counts": values}, var=pd.DataFrame(index=["gz", "gx", "gy"]),
                               obs=pd.DataFrame(index=[f"o{row}" for row in range(rows)]))
        data.write(f"{folder}/{at}.h5ad")
        files.append(f"{folder}/{at}.h5ad")
    pd.DataFrame({"label": [f"c{row}" for row in range(1203)], "size": np.arange(1203) / 4,
                  "kind": [None if row % 3 else "x, y" for row in range(1203)]}).to_csv(folder + "/cells.csv", index=False)
    build_cellarrdataset(files=files, output_path=folder + "/store", cell_metadata=folder + "/cells.csv",
                         matrix_options=MatrixOptions(dtype=np.uint8))
    print(json.dumps(None))
`;
