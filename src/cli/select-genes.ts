import { type RowSelection, slice } from "../cellarr/selection.js";
import { parseNames, parseWhere } from "./parse.js";
import { UsageError } from "./usage.js";

/** Which genes a query means. */

export interface GeneOptions {
  readonly genes: readonly string[];
  readonly genesWhere?: string;
}

/** The names of --genes, or those for which the condition of --genes-where holds; default all. */
export function selectGenes({ genes, genesWhere }: GeneOptions): RowSelection {
  const names = genes.flatMap((text) => parseNames(text, "--genes"));
  if (genesWhere === undefined) return names.length === 0 ? slice() : names;
  if (names.length > 0) throw new UsageError("--genes contradicts --genes-where");
  parseWhere(genesWhere, "--genes-where");
  return genesWhere;
}
