import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BuildOptions,
  buildCellArrDataset,
  dryRunBuild,
  MemoryStore,
  slice,
} from "../../../src/node.js";
import { runs } from "../../support/property.js";
import { temporaryFolder } from "../../support/temporary.js";
import { collections, type Experiment, experiment, frame, numbers } from "../samples.js";

/** What a dry run says is what the build does. */

const place = () => ({ store: new MemoryStore(), path: "store" });
const tenx = fileURLToPath(new URL("../../../spec-fixtures/tenx", import.meta.url));

describe("dryRunBuild", () => {
  it("reports genes, overlap, types and sizes, and writes nothing", async () => {
    const outputPath = place();
    const report = await dryRunBuild({
      outputPath,
      files: [
        experiment({
          genes: ["a", "b", "c"],
          rows: [
            [1, 2, 3],
            [0, 0, 4],
          ],
        }),
        experiment({ genes: ["b", "d", "x"], rows: [[5, 6, 7]], storage: "dense" }),
      ],
      geneAnnotation: ["a", "b", "c", "d", "e"],
      matrixOptions: [{ dtype: "uint8" }, { matrixName: "twice", dtype: "float32" }],
    });
    expect(await outputPath.store.list("")).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      samples: 2,
      cells: 3,
      genes: { total: 5, inAllFiles: 1, inOneFileOnly: 3, inNoFile: 1, leftOut: 1 },
      matrices: [
        { matrix: "counts", dtype: "uint8", values: 6 },
        { matrix: "twice", dtype: "float32", values: 6 },
      ],
      problems: [],
    });
    expect(report.files[1]).toMatchObject({
      cells: 1,
      genes: 3,
      genesInStore: 2,
      repeatedGenes: 0,
      matrices: [{ matrix: "counts", storage: "dense", dtype: "float32", values: 2, fits: true }, {}],
    });
    expect(report.estimatedBytes).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("lists every problem of every file", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "broken.h5ad"), "no HDF5");
    const obs = { age: ["old"], tissue: ["lung"] };
    const report = await dryRunBuild({
      outputPath: place(),
      files: [
        experiment({ genes: ["a"], rows: [[70000]], obs }),
        experiment({ genes: ["a", "a"], rows: [[40000, 40000]], obs: { age: numbers(1) } }),
        experiment({ genes: ["z"], rows: [[1.5]] }),
        join(folder, "broken.h5ad"),
        join(folder, "nowhere.h5ad"),
        join(tenx, "v3.h5"),
      ],
      geneAnnotation: frame(["a", "q"]),
      matrixOptions: [{}, { matrixName: "twice", dtype: "float32" }],
      cellMetadataOptions: { columnTypes: { age: "int32", tissue: "ascii" } },
    });
    expect(report.ok).toBe(false);
    const messages = report.problems.map(
      ({ severity, where, message }) => `${severity} ${where}: ${message}`,
    );
    const expected = [
      /error files\[0\]: column 'age': 'old' in row 0 is no number/,
      /error files\[0\].*70000 in cell 0 .* does not fit uint16/,
      /error files\[1\].*80000 in cell 0/,
      /warning files\[1\]: 1 genes come more than once/,
      /warning files\[1\]: no column 'tissue'/,
      /warning files\[2\]: no column 'age' in obs: null/,
      /warning files\[2\]: none of its genes is in the store/,
      /error .*broken\.h5ad: not an HDF5 file/,
      /error .*nowhere\.h5ad: no such file/,
      /error .*v3\.h5: no matrix 'twice'; there are: counts, X/,
    ];
    for (const pattern of expected) {
      expect(
        messages.filter((message) => pattern.test(message)),
        `${pattern}\n${messages.join("\n")}`,
      ).toHaveLength(1);
    }
    expect(report.files.map(({ cells }) => cells)).toEqual([1, 1, 1, null, null, 9]);
  });

  it("throws for options that are wrong in themselves, as the build does", async () => {
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    const wrong = [{ layout: "tight" }, { numThreads: 0 }, { matrixOptions: { dtype: "int7" } }];
    for (const one of wrong as unknown as Partial<BuildOptions>[]) {
      const options = { outputPath: place(), files, ...one };
      await expect(dryRunBuild(options)).rejects.toMatchObject({ code: "ARGUMENT" });
      await expect(buildCellArrDataset(options)).rejects.toMatchObject({ code: "ARGUMENT" });
    }
  });

  it("says that a store is there, and that tables do not fit the files", async () => {
    const outputPath = place();
    const files = [experiment({ genes: ["a"], rows: [[1]] })];
    await buildCellArrDataset({ outputPath, files });
    const report = await dryRunBuild({
      outputPath,
      files,
      sampleMetadata: frame(["0", "1"]),
      cellMetadata: frame([]),
    });
    expect(report.problems.map(({ where }) => where)).toEqual([
      "outputPath",
      "sample metadata",
      "cell metadata",
    ]);
    expect((await dryRunBuild({ outputPath, files, overwrite: true })).ok).toBe(true);
  });

  it("leaves values unread where that is asked for, and stops when aborted", async () => {
    const files = [experiment({ genes: ["a"], rows: [[70000]] })];
    const report = await dryRunBuild({ outputPath: place(), files, checkValues: false });
    expect(report).toMatchObject({ ok: true, matrices: [{ values: 1 }] });
    expect(report.files[0]!.matrices[0]!.fits).toBeNull();
    const aborting = new AbortController();
    const { signal } = aborting;
    const aborted = dryRunBuild({ outputPath: place(), files, signal, onProgress: () => aborting.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("agrees with the build", async () => {
    const dtype = fc.constantFrom("uint8" as const, "int8" as const, "float32" as const);
    await fc.assert(
      fc.asyncProperty(collections, dtype, fc.boolean(), async (drawn: Experiment[], type, strict) => {
        const files = drawn.map((one, n) =>
          experiment({
            ...one,
            rows: one.rows.map((row) => row.map((value) => (value > 90 ? value + n * 100 : value))),
          }),
        );
        const genes = strict ? { geneAnnotation: ["g1", "g2", "g9"] } : {};
        const options = { files, matrixOptions: { dtype: type }, ...genes };
        const report = await dryRunBuild({ outputPath: place(), ...options });
        const built = await buildCellArrDataset({ outputPath: place(), ...options }).catch(() => null);
        expect(report.ok).toBe(built !== null);
        if (built === null) return;
        expect([report.cells, report.genes.total]).toEqual([...built.shape]);
        const { data } = (await built.get(slice())).matrix("counts");
        expect(report.matrices[0]!.values).toBe(data.length);
      }),
      { numRuns: runs(25, 500) },
    );
  });
});
