import { columnValues } from "../../util/frame.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { pythonStrings } from "../frames/python-text.js";
import { addedColumns } from "../layout.js";

/** The cells of each sample: given since cellarr 0.3, before that counted. */
export interface SampleRange {
  readonly name: string;
  /** First and last cell, both inclusive; of a sample without cells the end is before the start. */
  readonly start: number;
  readonly end: number;
}

/** Null of sample metadata that has neither ranges nor counts. */
export async function readSampleRanges(
  samples: FrameReader,
  signal?: AbortSignal,
): Promise<SampleRange[] | null> {
  const has = (name: string) => samples.columnNames.includes(name);
  const { sample, sampleStart, sampleEnd, cellCounts } = addedColumns;
  const numbers = async (name: string) =>
    pythonStrings(await samples.column(name, signal)).map((text) => Number(text));
  const names = columnValues(await samples.column(sample, signal)).map((name) => `${name ?? ""}`);
  if (has(sampleStart) && has(sampleEnd)) {
    const [starts, ends] = await Promise.all([numbers(sampleStart), numbers(sampleEnd)]);
    return names.map((name, at) => ({ name, start: starts[at]!, end: ends[at]! }));
  }
  if (!has(cellCounts)) return null;
  let start = 0;
  return (await numbers(cellCounts)).map((count, at) => {
    const range = { name: names[at]!, start, end: start + count - 1 };
    start += count;
    return range;
  });
}
