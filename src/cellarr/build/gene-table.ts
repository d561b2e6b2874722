import { ArgumentError } from "../../errors.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { type Frame, type FrameColumn, type TextColumn, textColumn } from "../../util/frame.js";
import { pythonStrings } from "../frames/python-text.js";
import { addedColumns } from "../layout.js";
import { GeneSet } from "./gene-set.js";
import type { BuildOptions } from "./options.js";
import { fileGenes, type ScannedFile } from "./scan.js";
import { readTable } from "./tables.js";

/** First table of a build: a row per gene of the store. */

export interface Genes {
  readonly set: GeneSet;
  readonly columns: ReadonlyMap<string, FrameColumn>;
}

/** See BuildOptions.geneAnnotation. Throws ArgumentError where genes are not unique or have no name. */
export async function geneTable(
  given: BuildOptions["geneAnnotation"],
  files: readonly ScannedFile[],
  storage?: StorageOptions,
): Promise<Genes> {
  if (given === undefined) return fromSet(GeneSet.sorted(allGenes(files)));
  if (isList(given)) return fromSet(GeneSet.sorted(given));
  return fromFrame(await readTable(given, "gene annotation", true, storage));
}

function isList(given: NonNullable<BuildOptions["geneAnnotation"]>): given is readonly string[] {
  if (!Array.isArray(given)) return false;
  const odd = given.findIndex((name) => typeof name !== "string");
  if (odd < 0) return true;
  throw new ArgumentError(`gene annotation: entry ${odd} of the list is ${typeof given[odd]}, expected text`);
}

function* allGenes(files: readonly ScannedFile[]): Generator<string> {
  for (const file of files) yield* fileGenes(file);
}

function fromSet(set: GeneSet): Genes {
  return { set, columns: new Map([[addedColumns.geneIndex, textColumn(set.names)]]) };
}

function fromFrame(frame: Frame): Genes {
  const named = frame.columns.get(addedColumns.geneIndex);
  const ids: FrameColumn = named ?? frame.index;
  checkNamed(ids);
  const set = new GeneSet(pythonStrings(ids));
  const columns = new Map<string, FrameColumn>(frame.columns);
  columns.set(addedColumns.geneIndex, ids);
  return { set, columns };
}

function checkNamed(ids: FrameColumn): void {
  const missing = ids.kind === "categorical" ? ids.codes.indexOf(-1) : (ids.validity?.indexOf(0) ?? -1);
  if (missing >= 0) throw new ArgumentError(`gene annotation: the gene in row ${missing} has no name`);
}

/** Where the columns of one matrix of a file go. */
export function genePositions(set: GeneSet, names: TextColumn): Int32Array {
  return set.positionsOf(pythonStrings(names));
}
