import { describe, expect, it } from "vitest";
import { sampleTable } from "../../src/cellarr/build/sample-table.js";
import type { ScannedFile } from "../../src/cellarr/build/scan.js";
import { repeatedText } from "../../src/cellarr/frames/text-builder.js";
import { checkIndexType } from "../../src/cellarr/layout.js";
import { columnValues } from "../../src/util/frame.js";

/** Counts that no test can fill with data. */

describe("large stores", () => {
  it("number cells beyond 2^31", () => {
    const file: ScannedFile = {
      input: "x",
      name: "x",
      cellCount: 1_500_000_000,
      genes: null,
      rawGenes: null,
      obs: new Map(),
    };
    const { columns, starts } = sampleTable(null, [file, file]);
    expect(starts).toEqual([0, 1.5e9, 3e9]);
    const values = (name: string) => columnValues(columns.get(name)!);
    expect(values("cellarr_sample_start_index")).toEqual([0n, 1_500_000_000n]);
    expect(values("cellarr_sample_end_index")).toEqual([1_499_999_999n, 2_999_999_999n]);
  });

  it("are refused where 32 bits cannot number their cells, or a dimension's type", () => {
    expect(() => checkIndexType("uint64", 2 ** 32, "cells")).toThrow("at most 4294967295 cells");
    expect(() => checkIndexType("uint32", 2 ** 32, "cells")).toThrow("uint32 numbers 4294967295 at most");
    expect(() => checkIndexType("uint64", 2 ** 32 - 1, "cells")).not.toThrow();
  });

  it("have no text column beyond 4 GiB", () => {
    expect(() => repeatedText("a sample's name", 2 ** 29)).toThrow("at most 4 GiB");
  });
});
