/**
 * How the values of one cell are combined where a file has several columns of the same gene. As in Python, a function
 * sees a value per column, zeros included, so that "min" of 0 and 5 is 0 and "mean" is 2.5.
 */
export type CombineRule =
  | "sum"
  | "max"
  | "min"
  | "mean"
  | "first"
  /** Gets the values of the columns in the file's order; not called where all are zero, which stays zero. */
  | ((values: readonly number[]) => number);

/** Stored values of one cell and gene: `values` and, beside each, which of the `columns` columns it is from. */
export interface DuplicateGroup {
  readonly values: readonly number[];
  /** Position among the gene's columns; several values of one column add up, as in a sparse matrix. */
  readonly ranks: readonly number[];
  /** Columns that the gene has in the file. */
  readonly columns: number;
}

export type Combiner = (group: DuplicateGroup) => number;

/** The combiner of a rule. */
export function combinerOf(rule: CombineRule): Combiner {
  if (rule === "sum") return ({ values }) => total(values);
  if (rule === "mean") return ({ values, columns }) => total(values) / columns;
  const combine = typeof rule === "function" ? rule : picks[rule];
  return (group) => combine(valuePerColumn(group));
}

const picks: Readonly<Record<"max" | "min" | "first", (values: readonly number[]) => number>> = {
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  first: (values) => values[0]!,
};

function total(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function valuePerColumn(group: DuplicateGroup): number[] {
  const all = new Array<number>(group.columns).fill(0);
  for (const [at, rank] of group.ranks.entries()) all[rank]! += group.values[at]!;
  return all;
}
