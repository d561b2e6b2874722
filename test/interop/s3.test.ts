import { join } from "node:path";
import "../../src/node-platform.js";
import { describe, expect, it } from "vitest";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { vacuum } from "../../src/array/consolidate/vacuum.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { appendToDataset } from "../../src/cellarr/change/append.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { writeH5ad } from "../../src/h5ad/write-anndata.js";
import { S3Store } from "../../src/storage/s3/s3-store.js";
import type { StoreLocation, WritableStore } from "../../src/storage/types.js";
import { textValues } from "../../src/util/frame.js";
import { denseRows, generated, twoExperiments } from "../cellarr/samples.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { hasServer, type S3ServerName, s3Server } from "../support/s3-server.js";
import { temporaryFolder } from "../support/temporary.js";

/** Arrays and stores that TileDB-Py and we write to and read from the same buckets. */

interface Place {
  readonly config: Readonly<Record<string, string>>;
  /** For TileDB-Py. */
  readonly uri: string;
  /** For us. */
  readonly location: StoreLocation<WritableStore>;
}

async function newPlace(name: S3ServerName, path: string): Promise<Place> {
  const { config, bucket } = await s3Server(name);
  const made = await bucket();
  const location = { store: new S3Store({ bucket: made, config }), path };
  return { config, uri: `s3://${made}/${path}`, location };
}

interface PythonArray {
  readonly columns: Readonly<Record<string, readonly number[]>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

async function ourColumns(location: StoreLocation): Promise<Record<string, number[]>> {
  const array = await openArray(location);
  const { columns } = await array.read({ order: "row-major" });
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      if (!("values" in column)) throw new Error("numbers are expected");
      return [name, Array.from(column.values as ArrayLike<number | bigint>, Number)];
    }),
  );
}

for (const name of ["s3proxy", "versitygw"] as const) {
  describe.skipIf(!hasPython || !hasServer[name])(`buckets on ${name}`, { timeout: 180_000 }, () => {
    it("have arrays that TileDB-Py writes and we read, fragments overlapping, then consolidated", async () => {
      const { config, uri, location } = await newPlace(name, "deep/er/array");
      const peer = await pythonPeer();
      await peer.call("s3_write_sparse", { config, uri, timestamps: [10, 20, 30] });
      const check = async () => {
        const { columns, metadata } = (await peer.call("s3_read", { config, uri })) as PythonArray;
        expect(columns.data!.length).toBeGreaterThan(500);
        expect(await ourColumns(location)).toEqual(columns);
        const array = await openArray(location);
        const found = await array.metadata();
        expect(Object.fromEntries([...found].map(([key, value]) => [key, Number(value)]))).toEqual(metadata);
      };
      await check();
      expect((await openArray(location)).fragments).toHaveLength(3);
      await peer.call("s3_consolidate", { config, uri });
      expect((await openArray(location)).fragments).toHaveLength(1);
      await check();
    });

    it("have arrays that we write and TileDB-Py reads", async () => {
      const { config, uri, location } = await newPlace(name, "array");
      const peer = await pythonPeer();
      await createArray(location, {
        arrayType: "sparse",
        dimensions: [{ name: "row", datatype: "int64", domain: [0n, 999n], tileExtent: 100n }],
        attributes: [{ name: "data", datatype: "float64" }],
        capacity: 50,
      });
      for (const at of [0, 1]) {
        const rows = BigInt64Array.from({ length: 300 }, (_, row) => BigInt(row * 3 + at));
        const data = Float64Array.from(rows, (row) => Number(row) / 4 + at);
        await writeSparse(location, { row: rows, data }, { timestamp: 100 + at });
      }
      await putMetadata(location, { where: "bucket" });
      const theirs = async () => (await peer.call("s3_read", { config, uri })) as PythonArray;
      const expected = await ourColumns(location);
      expect(expected.row).toHaveLength(600);
      expect(await theirs()).toEqual({ columns: expected, metadata: { where: "bucket" } });
      await consolidate(location);
      await vacuum(location);
      expect((await openArray(location)).fragments).toHaveLength(1);
      expect(await theirs()).toEqual({ columns: expected, metadata: { where: "bucket" } });
      const listed = await location.store.list("array");
      const sizes = listed.map(({ key, size }) => [key.slice("array".length), size]);
      const seen = (await peer.call("s3_names", { config, uri })) as [string, number][];
      expect(sizes).toEqual(seen.filter(([key]) => !key.endsWith("/")));
    });

    it("have stores that we build in them and Python cellarr reads", async () => {
      const { config, uri, location } = await newPlace(name, "lab/store");
      const peer = await pythonPeer();
      const built = await buildCellArrDataset({
        outputPath: uri,
        storage: { config },
        files: twoExperiments(),
        matrixOptions: [{ dtype: "float32" }],
        cellMetadataOptions: { columnTypes: { cells: "ascii" } },
      });
      const genes = ["gene_1", "gene_17", "gene_5"];
      const ours = await built.get(slice(5, 35), genes);
      const theirs = await peer.call("s3_cellarr", {
        config,
        path: uri,
        assays: ["counts"],
        rows: [5, 35],
        genes,
      });
      expect(theirs).toMatchObject({
        shape: [40, 60],
        samples: ["sample_1", "sample_2"],
        genes: textValues(ours.geneAnnotation.index),
        matrices: { counts: denseRows(ours.matrices.get("counts")!) },
      });
      const keys = async () => (await location.store.list("")).map(({ key }) => key);
      const isElsewhere = (key: string) => !/^lab\/store\/(assays|[a-z]+_metadata|gene_annotation)/.test(key);
      expect((await keys()).filter(isElsewhere)).toEqual([]);

      await appendToDataset(uri, { files: [generated(7, 20, 3)], storage: { config } });
      const appended = await (await CellArrDataset.open(uri, { storage: { config } })).get(
        slice(38, 46),
        genes,
      );
      const more = { config, path: uri, assays: ["counts"], rows: [38, 46], genes };
      expect(await peer.call("s3_cellarr", more)).toMatchObject({
        shape: [47, 60],
        samples: ["sample_1", "sample_2", "sample_3"],
        matrices: { counts: denseRows(appended.matrices.get("counts")!) },
      });
      expect((await keys()).filter(isElsewhere)).toEqual([]);
    });

    it("have stores of Python cellarr that we read", async () => {
      const { config, uri, location } = await newPlace(name, "store");
      const peer = await pythonPeer();
      const folder = join(await temporaryFolder(), "store");
      const files = ["a.h5ad", "b.h5ad"].map((file) => join(folder, "..", file));
      for (const [at, data] of twoExperiments().entries()) await writeH5ad(data, files[at]!);
      const matrices = [{ matrix_name: "counts", dtype: "float32" }];
      await peer.call("cellarr_build", { output: folder, files, matrices, cell_types: { cells: "ascii" } });
      await peer.call("s3_upload", { config, folder, uri });
      const local = await (await CellArrDataset.open(folder)).get(slice(0, 39), ["gene_3", "gene_50"]);
      const remote = await (await CellArrDataset.open(location)).get(slice(0, 39), ["gene_3", "gene_50"]);
      expect(denseRows(remote.matrices.get("counts")!)).toEqual(denseRows(local.matrices.get("counts")!));
      expect(
        denseRows(remote.matrices.get("counts")!)
          .flat()
          .some((value) => value > 0),
      ).toBe(true);
    });
  });
}
