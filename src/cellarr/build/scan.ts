import { ArgumentError, isCellarrError, NotFoundError } from "../../errors.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { type TextColumn, textValues } from "../../util/frame.js";
import { type ObsRequest, surveyObs } from "../columns/obs-columns.js";
import { pythonText } from "../frames/python-text.js";
import type { FrameAttribute } from "../layout.js";
import { type FileInput, withSource } from "./file-sources.js";

/** First step of a build: what each file holds, before anything is written. */

const RAW_MATRIX = "raw/X";

/** What the build keeps of a file between its steps; names as bytes, a string each would be many times larger. */
export interface ScannedFile {
  readonly input: FileInput;
  /** For messages. */
  readonly name: string;
  readonly cellCount: number;
  /** Genes of X and the layers, null if no matrix needs them. */
  readonly genes: TextColumn | null;
  /** Genes of raw/X, null if it is not asked for. */
  readonly rawGenes: TextColumn | null;
  /** What the columns of obs that are asked for have to be stored as; those that the file has. */
  readonly obs: ReadonlyMap<string, FrameAttribute>;
}

export interface ScanRequest {
  /** Matrices that every file must have. */
  readonly matrixNames: readonly string[];
  readonly featureColumn: string;
  /** Columns of obs that are to be stored, whose values are checked; default none. */
  readonly obs?: ObsRequest;
}

/**
 * Throws NotFoundError naming file and what it has instead, where a matrix or the feature column is missing, ValueError
 * where a value of obs does not have the type that its column is to have.
 */
export function scanFile(input: FileInput, position: number, request: ScanRequest): Promise<ScannedFile> {
  return withSource(input, async (source) => {
    const name = fileName(input, position, source);
    for (const matrix of request.matrixNames) checkMatrix(source, matrix, name);
    const raw = request.matrixNames.includes(RAW_MATRIX);
    const plain = !raw || request.matrixNames.some((matrix) => matrix !== RAW_MATRIX);
    return {
      input,
      name,
      cellCount: source.obsCount,
      genes: plain ? await features(source, request.featureColumn, name, false) : null,
      rawGenes: raw ? await features(source, request.featureColumn, name, true) : null,
      obs: request.obs === undefined ? new Map() : await surveyObs(source, request.obs, name),
    };
  });
}

function fileName(input: FileInput, position: number, source: AnnDataSource): string {
  return typeof input === "string" ? input : `files[${position}], ${source.name}`;
}

function checkMatrix(source: AnnDataSource, matrix: string, file: string): void {
  const { matrixNames } = source;
  if (!matrixNames.includes(matrix) && !matrixNames.includes(matrix.replace(/^layers\//, ""))) {
    const present = matrixNames.length === 0 ? "none" : matrixNames.map((name) => `'${name}'`).join(", ");
    throw new NotFoundError(`no matrix '${matrix}'; there are: ${present}`, { where: file });
  }
}

async function features(
  source: AnnDataSource,
  column: string,
  file: string,
  raw: boolean,
): Promise<TextColumn> {
  const read = (columns: readonly string[]) => (raw ? source.rawVar(columns) : source.var(columns));
  if (column === "index") return checkNames((await read([])).index, file);
  try {
    return checkNames(pythonText((await read([column])).columns.get(column)!), file);
  } catch (error) {
    if (!isCellarrError(error, "NOT_FOUND")) throw error;
    const part = raw ? "raw/var" : "var";
    throw new NotFoundError(`feature column '${column}' is not in ${part}: ${error.problem}`, {
      where: file,
      cause: error,
    });
  }
}

function checkNames(names: TextColumn, file: string): TextColumn {
  const missing = names.validity?.indexOf(0) ?? -1;
  if (missing >= 0) throw new ArgumentError(`gene ${missing} has no name`, { where: file });
  return names;
}

/** Names of the genes of one matrix of a scanned file. */
export function matrixGenes(file: ScannedFile, matrix: string): TextColumn {
  return (matrix === RAW_MATRIX ? file.rawGenes : file.genes)!;
}

/** All genes of a file, those of raw/X after the others, each of those once more only if it is new. */
export function fileGenes(file: ScannedFile): string[] {
  const genes = names(file.genes);
  if (file.rawGenes === null) return genes;
  const known = new Set(genes);
  return [...genes, ...names(file.rawGenes).filter((gene) => !known.has(gene))];
}

export function names(column: TextColumn | null): string[] {
  return column === null ? [] : textValues(column).map((value) => value ?? "");
}
