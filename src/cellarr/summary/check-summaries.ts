import { ArgumentError } from "../../errors.js";
import type { BuildOptions, ResolvedMatrix } from "../build/options.js";
import { formOf } from "../columns/column-form.js";
import { summaryNames } from "./summary-names.js";

type SummaryOptions = Pick<BuildOptions, "summaries" | "metadata" | "layout">;

/** Whether a build adds summary columns. Throws ArgumentError for metadata of no known form. */
export function wantsSummaries(options: SummaryOptions): boolean {
  return options.summaries ?? formOf(options) === "typed";
}

/** Throws ArgumentError if two of the matrices would have summary columns of the same names. */
export function checkSummaries(options: SummaryOptions, matrices: readonly ResolvedMatrix[]): void {
  if (!wantsSummaries(options)) return;
  const names = matrices.map(({ tiledbStoreName }) => tiledbStoreName);
  const totals = names.map((name) => summaryNames(name).cells.total);
  const second = totals.findIndex((name, at) => totals.indexOf(name) !== at);
  if (second < 0) return;
  const first = totals.indexOf(totals[second]!);
  throw new ArgumentError(
    `summaries of the matrices '${names[first]}' and '${names[second]}' would both be called ` +
      `'${totals[second]}'; give one another tiledbStoreName, or leave them out (summaries: false)`,
  );
}
