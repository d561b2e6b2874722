import { describe, expect, it } from "vitest";
import { writeCellsCsv } from "../../src/cellarr/export/csv.js";
import { viewOf, writeSliceJson } from "../../src/cellarr/export/slice-json.js";
import { sourceOf } from "../../src/cellarr/export/source.js";
import { CellArrDatasetSlice } from "../../src/cellarr/slice.js";
import { sliceText } from "../../src/cli/format-text.js";
import type { TextSink } from "../../src/cli/output.js";
import { writeMatrixText } from "../../src/cli/slice-files.js";
import type { SparseMatrix } from "../../src/h5ad/matrix.js";
import { Frame, type FrameColumn, textColumn } from "../../src/util/frame.js";
import type { TypedArray } from "../../src/util/typed-arrays.js";

function csr(data: TypedArray): SparseMatrix {
  // 3 cells x 3 genes; the second cell is empty.
  return {
    format: "csr",
    shape: [3, 3],
    indptr: Int32Array.of(0, 2, 2, 4),
    indices: Int32Array.of(0, 2, 1, 2),
    data,
  };
}

const counts = csr(Uint16Array.of(1, 2, 3, 65535));
const scaled = csr(Float32Array.of(0.5, Number.NaN, Number.NEGATIVE_INFINITY, -0));
const totals = csr(BigInt64Array.of(1n, 2n ** 62n, 3n, -4n));

const part = new CellArrDatasetSlice({
  cellIndices: Uint32Array.of(5, 300, 17),
  geneIndices: Uint32Array.of(0, 1, 2),
  matrices: new Map([
    ["counts", counts],
    ["scaled", scaled],
    ["totals", totals],
  ]),
  cellMetadata: new Frame(
    textColumn(["5", "300", "17"]),
    new Map<string, FrameColumn>([
      ["tissue", textColumn(["lung", null, 'say "a", b'])],
      ["quality", { kind: "numeric", values: Float64Array.of(1.5, Number.NaN, Number.POSITIVE_INFINITY) }],
      ["reads", { kind: "numeric", values: BigInt64Array.of(1n, 2n ** 60n, -1n) }],
      ["kept", { kind: "boolean", values: Uint8Array.of(1, 0, 1) }],
    ]),
  ),
  geneAnnotation: new Frame(
    textColumn(["A", 'B,"x"', "C"]),
    new Map([["cellarr_gene_index", textColumn(["A", 'B,"x"', "C"])]]),
  ),
});
const slice = viewOf(part);

async function text(produce: (sink: TextSink) => Promise<void>): Promise<string> {
  let all = "";
  await produce({
    write(part) {
      all += part;
      return undefined;
    },
  });
  return all;
}

describe("json", () => {
  it("is one object with everything in the slice's own numbering", async () => {
    const parsed = JSON.parse(await text((sink) => writeSliceJson(slice, sink)));
    expect(parsed).toEqual({
      shape: [3, 3],
      cells: [5, 300, 17],
      genes: ["A", 'B,"x"', "C"],
      matrices: {
        counts: { row: [0, 0, 2, 2], col: [0, 2, 1, 2], data: [1, 2, 3, 65535] },
        scaled: { row: [0, 0, 2, 2], col: [0, 2, 1, 2], data: [0.5, "NaN", "-Infinity", -0] },
        totals: { row: [0, 0, 2, 2], col: [0, 2, 1, 2], data: ["1", "4611686018427387904", "3", "-4"] },
      },
      cellMetadata: {
        tissue: ["lung", null, 'say "a", b'],
        quality: [1.5, "NaN", "Infinity"],
        reads: ["1", "1152921504606846976", "-1"],
        kept: [true, false, true],
      },
      geneAnnotation: { cellarr_gene_index: ["A", 'B,"x"', "C"] },
    });
  });

  it("holds long lists together", async () => {
    const count = 10_000;
    const cells = Uint32Array.from({ length: count }, (_, i) => i);
    const empty = new Frame(textColumn(Array.from(cells, String)), new Map());
    const long = { ...slice, cells, matrices: new Map(), cellMetadata: empty };
    expect(JSON.parse(await text((sink) => writeSliceJson(long, sink))).cells).toEqual(Array.from(cells));
  });
});

describe("csv", () => {
  it("has a line per cell and a column per gene", async () => {
    expect(await text((sink) => writeMatrixText(part, "counts", "csv", sink))).toBe(
      'cell,A,"B,""x""",C\n5,1,0,2\n300,0,0,0\n17,0,3,65535\n',
    );
    expect(await text((sink) => writeMatrixText(part, "totals", "csv", sink))).toContain(
      "\n5,1,0,4611686018427387904\n",
    );
  });

  it("quotes metadata and leaves missing values empty", async () => {
    const source = await sourceOf(part, { format: "csv" });
    expect(await text((sink) => writeCellsCsv(source, { format: "csv" }, sink))).toBe(
      "cell,tissue,quality,reads,kept\n" +
        "5,lung,1.5,1,true\n" +
        "300,,NaN,1152921504606846976,false\n" +
        '17,"say ""a"", b",Infinity,-1,true\n',
    );
  });
});

describe("mtx", () => {
  it("is coordinates from 1, integer or real", async () => {
    expect(await text((sink) => writeMatrixText(part, "counts", "mtx", sink))).toBe(
      "%%MatrixMarket matrix coordinate integer general\n% rows are cells, columns are genes\n3 3 4\n" +
        "1 1 1\n1 3 2\n3 2 3\n3 3 65535\n",
    );
    const real = await text((sink) => writeMatrixText(part, "scaled", "mtx", sink));
    expect(real).toContain("matrix coordinate real general\n");
    expect(real.split("\n").slice(3)).toEqual(["1 1 0.5", "1 3 nan", "3 2 -inf", "3 3 0", ""]);
  });
});

describe("text", () => {
  it("shows the corner of each matrix and of the metadata", () => {
    const shown = sliceText(slice);
    expect(shown).toContain("3 cells x 3 genes");
    expect(shown).toContain("counts: 4 stored values");
    const lines = shown.split("\n").map((line) => line.trim().split(/\s{2,}/));
    expect(lines).toContainEqual(["5", "1", ".", "2"]);
    expect(lines).toContainEqual(["300", ".", ".", "."]);
    expect(lines).toContainEqual(["5", "lung", "1.5", "1", "true"]);
  });
});
