import { ArgumentError, NotFoundError, UnsupportedError, ValueError } from "../../errors.js";
import { type MatrixDtype, matrixDtypes } from "../../h5ad/matrix.js";
import { mapBounded } from "../../util/concurrency.js";
import { Frame, type FrameColumn, textColumn } from "../../util/frame.js";
import { isAdded } from "../build/cell-table.js";
import { compareCodePoints, GeneSet } from "../build/gene-set.js";
import { geneTable } from "../build/gene-table.js";
import { type ResolvedMatrix, resolveMatrices } from "../build/options.js";
import { type Samples, sampleTable } from "../build/sample-table.js";
import { fileGenes, type ScannedFile, scanFile } from "../build/scan.js";
import type { Place } from "../build/staging.js";
import { readTable } from "../build/tables.js";
import { isEnumerated } from "../columns/enumerated.js";
import { checkOpenTypes, type ObsRequest } from "../columns/obs-columns.js";
import type { DatasetParts } from "../dataset-parts.js";
import type { ColumnType } from "../frames/column-types.js";
import { takeFrameRows } from "../frames/frame-parts.js";
import { pythonStrings } from "../frames/python-text.js";
import { addedColumns, CELL_DIMENSION, checkIndexType, GENE_DIMENSION, isIndexType } from "../layout.js";
import type { MatrixReader } from "../matrix-reader.js";
import { storedSummaries } from "../summary/stored-summaries.js";
import { summaryNames } from "../summary/summary-names.js";
import { type AppendedMatrix, type AppendOptions, newGeneRules } from "./change-options.js";
import { groupOf, matrixPlace } from "./store-places.js";
import { storedAttributes, typeOfAttribute } from "./stored-frame.js";

/** An append with everything looked up and checked, before anything is written. */

export interface AppendedTo {
  readonly name: string;
  readonly reader: MatrixReader;
  readonly place: Place;
  readonly options: ResolvedMatrix;
}

export interface AppendPlan {
  readonly options: AppendOptions;
  readonly parts: DatasetParts;
  readonly files: readonly ScannedFile[];
  /** The store's genes and behind them the new ones. */
  readonly genes: GeneSet;
  /** A row for each new gene. */
  readonly newGenes: Frame;
  /** The new samples; cells counted from the first new one. */
  readonly samples: Samples;
  /** A row for each of them, cells counted from the store's first one. */
  readonly sampleRows: Frame;
  /** Cells that the store has. */
  readonly cellOffset: number;
  readonly matrices: readonly AppendedTo[];
  /** Words of the matrices whose summaries the store has; see storedSummaries. */
  readonly summaries: readonly string[];
}

export async function planAppend(
  parts: DatasetParts,
  location: Place,
  options: AppendOptions,
): Promise<AppendPlan> {
  if (options.files.length === 0) throw new ArgumentError("files: at least one is needed");
  checkNewGenes(options.newGenes);
  const matrices = chooseMatrices(parts, location, options);
  const summaries = storedSummaries(parts);
  const request = await obsRequest(parts, options, summaries);
  const files = await scanFiles(options, matrices, request);
  if (request !== null) checkOpenTypes(request, files);
  const genes = await appendedGenes(parts, files, options);
  const samples = await newSamples(parts, files, options);
  const cellOffset = parts.cells.rowCount;
  for (const { reader } of matrices) {
    checkDimensions(reader, cellOffset + samples.starts.at(-1)!, genes.set.size);
  }
  const sampleRows = rowsOfSamples(samples, cellOffset);
  const { set, added: newGenes } = genes;
  return {
    options,
    parts,
    files,
    genes: set,
    newGenes,
    samples,
    sampleRows,
    cellOffset,
    matrices,
    summaries,
  };
}

function checkNewGenes(rule: AppendOptions["newGenes"] = "add"): void {
  if (newGeneRules.includes(rule)) return;
  throw new ArgumentError(`newGenes is '${String(rule)}', expected ${newGeneRules.join(", ")}`);
}

/** The columns that are taken from obs: those of the store, and further ones that are asked for. */
async function obsRequest(
  { cells }: DatasetParts,
  { cellMetadata, cellMetadataOptions }: AppendOptions,
  summaries: readonly string[],
): Promise<ObsRequest | null> {
  if (cellMetadata !== undefined) return null;
  const made = new Set(summaries.flatMap((word) => Object.values(summaryNames(word).cells)));
  const types: Record<string, ColumnType | null> = { ...cellMetadataOptions?.columnTypes };
  const stored = await storedAttributes(cells);
  for (const attribute of stored) {
    const type = typeOfAttribute(attribute);
    if (type === null) delete types[attribute.name];
    else types[attribute.name] = type;
  }
  const enumerated = new Set(stored.filter(isEnumerated).map(({ name }) => name));
  const own = Object.entries(types).filter(([name]) => !isAdded(name) && !made.has(name));
  return { types: Object.fromEntries(own), form: "typed", enumerated };
}

function chooseMatrices(parts: DatasetParts, location: Place, options: AppendOptions): AppendedTo[] {
  const given = options.matrixOptions;
  const list: readonly AppendedMatrix[] = isList(given) ? given : given === undefined ? [] : [given];
  const byStore = new Map(list.map((one) => [storeName(one), one]));
  for (const name of byStore.keys()) {
    if (parts.matrices.has(name)) continue;
    const present = [...parts.matrices.keys()].join(", ");
    throw new NotFoundError(`no matrix '${name}' to append to; there are: ${present}`, { where: parts.uri });
  }
  const chosen = [...parts.matrices].filter(([name]) => !byStore.get(name)?.skip);
  return chosen.map(([name, reader]) => {
    const onMisfit = options.onMisfit ?? "error";
    const source = { matrixName: name === "raw_X" ? "raw/X" : name, onMisfit, ...byStore.get(name) };
    const [resolved] = resolveMatrices({ ...source, tiledbStoreName: name, ...storedAs(reader) });
    return { name, reader, place: matrixPlace(location, groupOf(options), name), options: resolved! };
  });
}

function isList(given: AppendOptions["matrixOptions"]): given is readonly AppendedMatrix[] {
  return Array.isArray(given);
}

function storeName({ matrixName = "counts", tiledbStoreName }: AppendedMatrix): string {
  return tiledbStoreName ?? matrixName.replaceAll("/", "_");
}

function storedAs({ array }: MatrixReader): { matrixAttrName: string; dtype: MatrixDtype } {
  const [attribute, ...others] = array.schema.attributes;
  const dtype = matrixDtypes.find((type) => type === attribute?.datatype);
  const plain = attribute?.cellValNum === 1 && !attribute.nullable && others.length === 0;
  if (dtype !== undefined && plain) return { matrixAttrName: attribute!.name, dtype };
  throw new UnsupportedError("only matrices with one plain number a cell are appended to", {
    where: array.uri,
  });
}

function checkDimensions({ array }: MatrixReader, cells: number, genes: number): void {
  const { dimensions, arrayType } = array.schema;
  const named = dimensions.map(({ name }) => name).join(", ");
  if (arrayType !== "sparse" || named !== `${CELL_DIMENSION}, ${GENE_DIMENSION}`) {
    throw new UnsupportedError(
      `only sparse matrices of ${CELL_DIMENSION}, ${GENE_DIMENSION} are appended to, this is ${arrayType} of ${named}`,
      { where: array.uri },
    );
  }
  for (const [at, count] of [cells, genes].entries()) {
    const { name, datatype, domain } = dimensions[at]!;
    if (!isIndexType(datatype)) {
      throw new UnsupportedError(`dimension '${name}' is of ${datatype}`, { where: array.uri });
    }
    checkIndexType(datatype, count, at === 0 ? "cells" : "genes");
    if (count > 0 && BigInt(count - 1) > BigInt(domain![1] as number | bigint)) {
      throw new ValueError(`dimension '${name}' ends at ${domain![1]}, there would be ${count} of them`, {
        where: array.uri,
      });
    }
  }
}

function scanFiles(
  options: AppendOptions,
  matrices: readonly AppendedTo[],
  obs: ObsRequest | null,
): Promise<ScannedFile[]> {
  const request = {
    matrixNames: matrices.map((matrix) => matrix.options.matrixName),
    featureColumn: options.geneAnnotationOptions?.featureColumn ?? "index",
    ...(obs !== null && { obs }),
  };
  const total = options.files.length;
  const scan = async (input: AppendOptions["files"][number], at: number) => {
    const file = await scanFile(input, at, request);
    options.onProgress?.({ step: "scan", item: file.name, done: at + 1, total });
    return file;
  };
  return mapBounded(options.files, 1, scan, options.signal);
}

async function appendedGenes(
  parts: DatasetParts,
  files: readonly ScannedFile[],
  { geneAnnotation, newGenes = "add", signal, storage }: AppendOptions,
): Promise<{ set: GeneSet; added: Frame }> {
  const stored = pythonStrings(await parts.genes.column(addedColumns.geneIndex, signal));
  const known = new Set(stored);
  const unknown = new Set(files.flatMap((file) => fileGenes(file).filter((gene) => !known.has(gene))));
  if (newGenes === "error" && unknown.size > 0) {
    const [first] = unknown;
    throw new ValueError(`${unknown.size} genes of the files are not in the store, '${first}' for one`);
  }
  const added = newGenes === "add" ? [...unknown].sort(compareCodePoints) : [];
  const annotation = geneAnnotation === undefined ? null : await geneTable(geneAnnotation, files, storage);
  const columns = new Map<string, FrameColumn>();
  if (annotation !== null && added.length > 0) {
    const rows = annotation.set.positionsOf(added);
    const missing = rows.indexOf(-1);
    if (missing >= 0) {
      throw new NotFoundError(`gene annotation: new gene '${added[missing]}' is not in it`);
    }
    const index = textColumn(annotation.set.names);
    const taken = takeFrameRows(new Frame(index, annotation.columns), Uint32Array.from(rows));
    for (const [name, column] of taken.columns) columns.set(name, column);
  }
  const names = textColumn(added);
  columns.set(addedColumns.geneIndex, names);
  return { set: new GeneSet([...stored, ...added]), added: new Frame(names, columns) };
}

/** The table of a build with these files alone, whose names are free in the store. */
async function newSamples(
  parts: DatasetParts,
  files: readonly ScannedFile[],
  options: AppendOptions,
): Promise<Samples> {
  const given =
    options.sampleMetadata === undefined
      ? null
      : await readTable(options.sampleMetadata, "sample metadata", false, options.storage);
  const { sample } = addedColumns;
  const stored = new Set(pythonStrings(await parts.samples.column(sample, options.signal)));
  const named = given?.columns.get(sample) ?? textColumn(freeNames(stored, files.length));
  const twice = pythonStrings(named).find((name) => stored.has(name));
  if (twice !== undefined) throw new ArgumentError(`a sample '${twice}' is in the store already`);
  const index = given?.index ?? textColumn(files.map((_, at) => `${at}`));
  return sampleTable(new Frame(index, new Map([...(given?.columns ?? []), [sample, named]])), files);
}

function rowsOfSamples({ columns, starts, names }: Samples, offset: number): Frame {
  const shifted = (values: readonly number[]): FrameColumn => ({
    kind: "numeric",
    values: BigInt64Array.from(values, (value) => BigInt(value + offset)),
  });
  const all = new Map(columns);
  all.set(addedColumns.sampleStart, shifted(starts.slice(0, -1)));
  all.set(addedColumns.sampleEnd, shifted(starts.slice(1).map((next) => next - 1)));
  return new Frame(textColumn(names), all);
}

function freeNames(taken: ReadonlySet<string>, count: number): string[] {
  const names: string[] = [];
  for (let number = taken.size + 1; names.length < count; number++) {
    if (!taken.has(`sample_${number}`)) names.push(`sample_${number}`);
  }
  return names;
}
