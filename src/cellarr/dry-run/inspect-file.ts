import { isCellarrError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { isAdded } from "../build/cell-table.js";
import { withSource } from "../build/file-sources.js";
import type { BuildOptions, FileInput, ResolvedMatrix } from "../build/options.js";
import { fileGenes, type ScannedFile, scanFile } from "../build/scan.js";
import { formOf, type MetadataForm } from "../columns/column-form.js";
import { surveyObs } from "../columns/obs-columns.js";
import { attributeDatatype, type ColumnType, isNullableType } from "../frames/column-types.js";
import type { FrameAttribute } from "../layout.js";
import type { BuildProblem, FileMatrixReport } from "./report.js";

/** What one file holds, and what of it a build would fail by. */

export interface InspectedFile {
  readonly name: string;
  /** Null where it cannot be read. */
  readonly scanned: ScannedFile | null;
  /** Of the matrices that the build takes. */
  readonly matrices: readonly ResolvedMatrix[];
  readonly found: readonly FileMatrixReport[];
  readonly problems: readonly BuildProblem[];
}

export async function inspectFile(
  input: FileInput,
  position: number,
  wanted: readonly ResolvedMatrix[],
  options: BuildOptions,
): Promise<InspectedFile> {
  const name = typeof input === "string" ? input : `files[${position}]`;
  const problems: BuildProblem[] = [];
  try {
    return await withSource(input, async (source) => {
      const matrices = wanted.filter(({ matrixName }) => isIn(source, matrixName));
      const missing = wanted.filter((matrix) => !matrices.includes(matrix));
      for (const { matrixName } of missing) {
        const present = source.matrixNames.join(", ") || "none";
        problems.push(error(name, `no matrix '${matrixName}'; there are: ${present}`));
      }
      const scanned = await scanFile(source, position, {
        matrixNames: matrices.map(({ matrixName }) => matrixName),
        featureColumn: options.geneAnnotationOptions?.featureColumn ?? "index",
      });
      const columns = await inspectColumns(source, name, options);
      problems.push(...columns.problems);
      const found = matrices.map(({ matrixName }) => described(source, matrixName));
      return { name, scanned: { ...scanned, input, name, obs: columns.found }, matrices, found, problems };
    });
  } catch (cause) {
    if (!isProblem(cause)) throw cause;
    problems.push(error(name, cause.problem));
    return { name, scanned: null, matrices: [], found: [], problems };
  }
}

/** What the build would fail by; an abort and what is no error of ours is none. */
export function isProblem(cause: unknown): cause is Error & { problem: string } {
  return isCellarrError(cause) && cause.code !== "ABORTED";
}

export function error(where: string, message: string): BuildProblem {
  return { severity: "error", where, message };
}

/** How many names a file has more than once. */
export function repeatedGenes(file: ScannedFile): number {
  const genes = fileGenes(file);
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const gene of genes) {
    if (seen.has(gene)) repeated.add(gene);
    seen.add(gene);
  }
  return repeated.size;
}

function isIn({ matrixNames }: AnnDataSource, name: string): boolean {
  return matrixNames.includes(name) || matrixNames.includes(name.replace(/^layers\//, ""));
}

function described(source: AnnDataSource, name: string): FileMatrixReport {
  const { storage, dtype, nonZeroCount } = source.matrix(name);
  return { matrix: name, storage, dtype, values: nonZeroCount, fits: null };
}

/** Columns of obs that are asked for; problems are those that are not there, and values that do not have their type. */
async function inspectColumns(
  source: AnnDataSource,
  name: string,
  options: BuildOptions,
): Promise<{ found: Map<string, FrameAttribute>; problems: BuildProblem[] }> {
  const all = new Map<string, FrameAttribute>();
  const problems: BuildProblem[] = [];
  if (options.cellMetadata !== undefined || options.cellMetadataOptions?.skip)
    return { found: all, problems };
  const form = formOf(options);
  for (const [column, type] of Object.entries(options.cellMetadataOptions?.columnTypes ?? {})) {
    if (isAdded(column)) continue;
    if (type !== null) attributeDatatype(type, column);
    try {
      const attribute = (await surveyObs(source, { types: { [column]: type }, form }, null)).get(column);
      if (attribute !== undefined) all.set(column, attribute);
      else problems.push(missingColumn(name, column, type, form));
    } catch (cause) {
      if (!isProblem(cause)) throw cause;
      problems.push(error(name, cause.problem));
    }
  }
  return { found: all, problems };
}

function missingColumn(
  where: string,
  column: string,
  type: ColumnType | null,
  form: MetadataForm,
): BuildProblem {
  const message = `no column '${column}' in obs`;
  const warning = (filled: string): BuildProblem => ({
    severity: "warning",
    where,
    message: `${message}: ${filled} for all its cells`,
  });
  if (type === null) return warning(form === "typed" ? "null" : "a missing value");
  const { kind } = datatypeInfo(attributeDatatype(type, column));
  if (isNullableType(type)) return warning("null");
  if (kind === "string") return warning("'NA'");
  if (form === "typed") return warning("null");
  return kind === "float" ? warning("NaN") : error(where, `${message}, and its type has no missing value`);
}
