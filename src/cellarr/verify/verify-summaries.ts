import type { TileDBArray } from "../../array/open.js";
import type { VerifyContext } from "../../array/verify/defect.js";
import type { NumberArray, TypedArray } from "../../util/typed-arrays.js";
import { asNumbers } from "../build/fit-values.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { CellTotals } from "../summary/cell-totals.js";
import { type GeneTotals, geneTotals } from "../summary/gene-totals.js";
import { hasCellSummary, hasGeneSummary } from "../summary/stored-summaries.js";
import { summaryNames, summaryWord } from "../summary/summary-names.js";

/** Whether the columns that say what a matrix adds up to say it of the matrix as it is. */

export interface SummarizedFrames {
  readonly genes: FrameReader;
  readonly cells: FrameReader;
}

/** `names` are those of all matrices: two of them may share the names of their columns. Reads the matrix once. */
export async function verifySummaries(
  matrix: TileDBArray,
  name: string,
  names: readonly string[],
  { genes, cells }: SummarizedFrames,
  context: VerifyContext,
): Promise<void> {
  if (!ownsColumns(name, names)) return;
  const has = { cells: hasCellSummary(cells, name), genes: hasGeneSummary(genes, name) };
  if (!has.cells && !has.genes) return;
  const sums = await addUp(matrix, cells.rowCount, genes.rowCount, context.signal);
  const check = (frame: FrameReader, what: string) => {
    return async (column: string, expected: NumberArray, slack: (row: number) => number) => {
      const stored = await frame.column(column, context.signal);
      const found = stored.kind === "numeric" ? asNumbers(stored.values) : new Float64Array(0);
      const wrong = differences(found, expected, slack);
      if (wrong.count === 0) return;
      const { first, count } = wrong;
      const others = count > 1 ? `; ${count - 1} more differ` : "";
      const message = `'${column}' of ${what} ${first} is ${found[first]}, '${name}' has ${expected[first]}${others}`;
      context.report({ kind: "summaries", severity: "error", where: frame.array.uri, message });
    };
  };
  if (has.cells) await verifyCells(sums, name, check(cells, "cell"));
  if (has.genes) await verifyGenes(sums, name, cells.rowCount, check(genes, "gene"));
}

/** Of names that become the same, the columns are those of the one that had no other: see checkSummaries. */
function ownsColumns(name: string, names: readonly string[]): boolean {
  const word = summaryWord(name);
  return name === word || names.filter((other) => summaryWord(other) === word).length === 1;
}

interface Sums {
  readonly cells: CellTotals;
  readonly genes: GeneTotals;
  /** Sums of the values without their signs, which is what rounding goes by. */
  readonly cellSizes: Float64Array;
  readonly geneSizes: Float64Array;
}

async function addUp(
  matrix: TileDBArray,
  cellCount: number,
  geneCount: number,
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const { dimensions, attributes } = matrix.schema;
  const [cellName, geneName] = dimensions.map(({ name }) => name) as [string, string];
  const { name: attribute, datatype } = attributes[0]!;
  const sums: Sums = {
    cells: new CellTotals(0, cellCount),
    genes: geneTotals(datatype, geneCount),
    cellSizes: new Float64Array(cellCount),
    geneSizes: new Float64Array(geneCount),
  };
  const query = { attributes: [attribute], order: "unordered", signal } as const;
  for await (const { columns } of matrix.batches(query)) {
    const [cells, genes] = [indicesOf(columns[cellName]), indicesOf(columns[geneName])];
    const values = asNumbers(valuesOf(columns[attribute]));
    sums.cells.add(cells, values);
    sums.genes.add(genes, values);
    for (let at = 0; at < cells.length; at++) {
      const size = Math.abs(values[at]!);
      sums.cellSizes[cells[at]!]! += size;
      sums.geneSizes[genes[at]!]! += size;
    }
  }
  return sums;
}

function valuesOf(column: { readonly kind: string } | undefined): TypedArray {
  if (column !== undefined && "values" in column) return column.values as TypedArray;
  return new Uint8Array(0);
}

function indicesOf(column: { readonly kind: string } | undefined): Uint32Array {
  const values = valuesOf(column);
  return values instanceof Uint32Array ? values : Uint32Array.from(asNumbers(values));
}

type Check = (column: string, expected: NumberArray, slack: (row: number) => number) => Promise<void>;

/** What other orders of adding up may differ by, of the sum of sizes. */
const ROUNDING = 1e-9;
const exactly = () => 0;

async function verifyCells({ cells, cellSizes }: Sums, name: string, check: Check): Promise<void> {
  const names = summaryNames(name).cells;
  await check(names.total, cells.total, (cell) => ROUNDING * cellSizes[cell]!);
  await check(names.detected, cells.detected, exactly);
}

async function verifyGenes(
  { genes, geneSizes }: Sums,
  name: string,
  cellCount: number,
  check: Check,
): Promise<void> {
  const names = summaryNames(name).genes;
  const { total, mean, variance, detected } = genes.columns(cellCount);
  await check(names.total, total, (gene) => ROUNDING * geneSizes[gene]!);
  await check(names.mean, mean, (gene) => (ROUNDING * geneSizes[gene]!) / cellCount);
  // A small variance of large values is the difference of two large numbers, where appends went on from it.
  await check(names.variance, variance, (gene) => {
    const size = detected[gene] === 0 ? 0 : geneSizes[gene]! / detected[gene]!;
    return 1e-8 * Math.abs(variance[gene]!) + 1e-11 * size * size;
  });
  await check(names.detected, detected, exactly);
}

/** How many rows differ, and the first of them. */
function differences(found: NumberArray, expected: NumberArray, slack: (row: number) => number) {
  let count = 0;
  let first = -1;
  for (let row = 0; row < expected.length; row++) {
    const [a, b] = [found[row], expected[row]!];
    if (a !== undefined && isClose(a, b, slack(row))) continue;
    if (count++ === 0) first = row;
  }
  return { count, first };
}

function isClose(a: number, b: number, slack: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= slack;
}
