import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openArray } from "../../../src/array/open.js";
import { FrameReader } from "../../../src/cellarr/frames/frame-reader.js";
import {
  appendToDataset,
  buildCellArrDataset,
  CellArrDataset,
  columnValues,
  dropSample,
} from "../../../src/node.js";
import { hasPython, runPython } from "../../support/python.js";
import { temporaryFolder } from "../../support/temporary.js";
import { experiment, frame } from "../samples.js";

/** Stores whose frames have columns of categories, as TileDB-Py writes pandas' categoricals. */

/** Cell metadata, or the gene annotation, written anew by TileDB-Py with the same rows and categoricals besides. */
const CATEGORICAL = `
import json, shutil, sys
import pandas as pd
import tiledb

asked = json.load(sys.stdin)
with tiledb.open(asked["uri"]) as array:
    frame = array.df[:]
for name, (codes, categories, ordered) in asked["columns"].items():
    frame[name] = pd.Categorical.from_codes(codes, categories, ordered)
shutil.rmtree(asked["uri"])
tiledb.from_pandas(asked["uri"], frame.reset_index(drop=True), full_domain=False)
print(json.dumps(len(frame)))
`;

/** Columns as pandas has them: dtype, categories, order, values. */
const READ = `
import json, sys
import pandas as pd
import tiledb

found = {}
for uri in json.load(sys.stdin):
    with tiledb.open(uri) as array:
        frame = array.df[:]
        for name in frame.columns:
            column = frame[name]
            label = array.attr(name).enum_label
            ordered = None if label is None else array.enum(label).ordered
            categories = [] if label is None else list(column.cat.categories)
            values = [None if pd.isna(value) else value for value in column.astype(object)]
            found[name] = [str(column.dtype), categories, ordered, values]
print(json.dumps(found, default=lambda value: value.item()))
`;

describe.skipIf(!hasPython)("frames with categories", () => {
  it("keep them, and get those of what is appended", async () => {
    const store = join(await temporaryFolder(), "store");
    const [cells, genes] = [join(store, "cell_metadata"), join(store, "gene_annotation")];
    const columnTypes = { tissue: "ascii" } as const;
    await buildCellArrDataset({
      outputPath: store,
      files: [
        experiment({
          genes: ["a", "b"],
          rows: [
            [1, 0],
            [2, 3],
            [4, 0],
          ],
          obs: { tissue: ["x", "y", "z"] },
        }),
      ],
      cellMetadataOptions: { columnTypes },
    });
    await runPython(CATEGORICAL, {
      uri: cells,
      columns: {
        tissue: [[1, 0, -1], ["lung", "gut"], false],
        stage: [[0, 1, 1], ["early", "late"], true],
        grade: [[2, 0, 1], ["low", "mid", "high"], true],
        ward: [[0, 1, -1], [30, 10], false],
      },
    });
    await runPython(CATEGORICAL, { uri: genes, columns: { kind: [[0, 0], ["coding"], false] } });
    const obs = { tissue: ["é", "gut", null], stage: ["late", "early", "late"], ward: ["10", "30", "7"] };
    const next = experiment({
      genes: ["b", "c"],
      rows: [
        [1, 1],
        [0, 2],
        [3, 0],
      ],
      obs,
    });
    await appendToDataset(store, { files: [next], geneAnnotation: frame(["c"], { kind: ["other"] }) });
    const after = {
      tissue: ["category", ["lung", "gut", "é"], false, ["gut", "lung", null, "é", "gut", null]],
      // All values are among the categories: their order stands.
      stage: ["category", ["early", "late"], true, ["early", "late", "late", "late", "early", "late"]],
      grade: ["category", ["low", "mid", "high"], true, ["high", "low", "mid", null, null, null]],
      ward: ["Int64", [], null, [30, 10, null, 10, 30, 7]],
      kind: ["category", ["coding", "other"], false, ["coding", "coding", "other"]],
    };
    expect(await runPython(READ, [cells, genes])).toMatchObject(after);
    expect(await runPython(READ, [cells, genes], "newest")).toMatchObject(after);
    const dataset = await CellArrDataset.open(store);
    expect(columnValues(await dataset.getCellMetadataColumn("tissue"))).toEqual(after.tissue[3]);
    expect([...(await dataset.get("tissue == 'é' or stage == 'early'")).cellIndices]).toEqual([0, 3, 4]);

    await dropSample(store, "sample_1");
    expect(await runPython(READ, [cells])).toMatchObject({
      tissue: ["category", ["lung", "gut", "é"], false, ["é", "gut", null]],
      stage: ["category", ["early", "late"], true, ["late", "early", "late"]],
    });
    // A value that is new among ordered ones: nobody says where it belongs.
    const more = experiment({
      genes: ["c"],
      rows: [[1]],
      obs: { ...obs, stage: ["final"], tissue: ["lung"], ward: ["1"] },
    });
    await appendToDataset(store, { files: [more] });
    const { categories, ordered } = await new FrameReader(await openArray(cells)).categories("stage");
    expect(columnValues(categories)).toEqual(["early", "late", "final"]);
    expect(ordered).toBe(false);
  });
});
