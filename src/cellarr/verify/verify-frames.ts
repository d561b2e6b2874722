import type { VerifyContext } from "../../array/verify/defect.js";
import { attempt } from "../../array/verify/verify-array.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { pythonStrings } from "../frames/python-text.js";
import { addedColumns } from "../layout.js";
import { readSampleRanges, type SampleRange } from "../query/sample-ranges.js";

/** Whether the rows of genes, cells and samples are what a store needs. */

/** Rows that no fragment wrote read as fill values. */
export function verifyRows(frame: FrameReader, { report }: VerifyContext): void {
  const spans = frame.array.fragments
    .flatMap(({ nonEmptyDomain }) => (nonEmptyDomain === null ? [] : [nonEmptyDomain[0]!]))
    .map(([from, to]) => [Number(from), Number(to)] as const)
    .sort((a, b) => a[0] - b[0]);
  let next = 0;
  for (const [from, to] of spans) {
    if (from > next) {
      const message = `rows ${next} to ${from - 1} were never written`;
      report({ kind: "sizes", severity: "error", where: frame.array.uri, message });
    }
    next = Math.max(next, to + 1);
  }
}

/** Genes are asked for by name: each must have one of its own. */
export async function verifyGenes(genes: FrameReader, context: VerifyContext): Promise<void> {
  await verifyNames(genes, addedColumns.geneIndex, "gene", context);
}

/** Samples' names, and whether their cells cover all cells. */
export async function verifySamples(
  samples: FrameReader,
  cells: FrameReader | undefined,
  context: VerifyContext,
): Promise<void> {
  await verifyNames(samples, addedColumns.sample, "sample", context);
  if (!samples.columnNames.includes(addedColumns.sample)) return;
  const where = samples.array.uri;
  const ranges = await attempt(where, context, () => readSampleRanges(samples, context.signal));
  if (ranges === undefined) return;
  if (ranges === null) {
    const message = `no column says which cells are whose: '${addedColumns.sampleStart}' and '${addedColumns.sampleEnd}', or '${addedColumns.cellCounts}'`;
    context.report({ kind: "sample-ranges", severity: "error", where, message });
    return;
  }
  const report = (message: string) =>
    context.report({ kind: "sample-ranges", severity: "error", where, message });
  verifyRanges(ranges, cells?.rowCount, report);
  if (!samples.columnNames.includes(addedColumns.cellCounts)) return;
  const counts = await attempt(where, context, () => samples.column(addedColumns.cellCounts, context.signal));
  for (const [at, count] of (counts === undefined ? [] : pythonStrings(counts)).entries()) {
    const { name, start, end } = ranges[at]!;
    if (Number(count) === end - start + 1) continue;
    report(`sample '${name}' has ${count} cells by its count, and cells ${start} to ${end}`);
  }
}

/** Samples follow one another from cell 0 to the last. */
function verifyRanges(
  ranges: readonly SampleRange[],
  cells: number | undefined,
  report: (message: string) => void,
): void {
  let next = 0;
  for (const { name, start, end } of [...ranges].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start - 1) {
      report(`sample '${name}' has cells ${start} to ${end}`);
      continue;
    }
    if (start > next) report(`cells ${next} to ${start - 1} belong to no sample`);
    if (start < next && end >= start)
      report(`sample '${name}' begins at cell ${start}, another ends at ${next - 1}`);
    next = Math.max(next, end + 1);
  }
  if (cells === undefined || next === cells) return;
  if (next > cells) report(`samples have cells up to ${next - 1}, there are ${cells} cells`);
  else report(`cells ${next} to ${cells - 1} belong to no sample`);
}

async function verifyNames(
  frame: FrameReader,
  column: string,
  what: string,
  context: VerifyContext,
): Promise<void> {
  const where = frame.array.uri;
  if (!frame.columnNames.includes(column)) {
    const message = `there is no column '${column}'`;
    context.report({ kind: "missing-part", severity: "error", where, message });
    return;
  }
  const read = await attempt(where, context, () => frame.column(column, context.signal));
  if (read === undefined) return;
  const rows = new Map<string, number>();
  for (const [row, name] of pythonStrings(read).entries()) {
    const before = rows.get(name);
    if (before === undefined) rows.set(name, row);
    if (name !== "" && before === undefined) continue;
    const message = name === "" ? `${what} ${row} has no name` : `'${name}' is ${what} ${before} and ${row}`;
    context.report({ kind: "names", severity: "error", where, message });
  }
}
