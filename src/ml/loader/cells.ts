import type { CellArrDataset } from "../../cellarr/dataset.js";
import { NotFoundError } from "../../errors.js";
import { type Codes, encodeColumn, encodePairs, withoutUnused } from "./codes.js";
import type { LoaderSettings } from "./options.js";

/** Which cells of a store are for training and which for validation. */

/** Cells with their codes, ascending by number. */
export interface Population {
  /** Numbers in the store. */
  readonly cells: Uint32Array;
  readonly labels: Int32Array;
  readonly studies: Int32Array;
  readonly samples: Int32Array;
}

export interface Division {
  readonly train: Population;
  readonly val: Population;
  /** Labels of training. */
  readonly labelNames: readonly string[];
  /** Studies and samples of training and validation; samples by study, then name. */
  readonly studyNames: readonly string[];
  readonly sampleNames: readonly string[];
  /** For each label, cells before validation is taken out of them: what weights are made of, as in Python. */
  readonly labelCounts: Float64Array;
}

interface Columns {
  readonly labels: Codes;
  readonly studies: Codes;
  /** Of a study and a sample's name each. */
  readonly samples: ReturnType<typeof encodePairs>;
  readonly names: readonly string[];
}

/** Throws NotFoundError for columns and validation studies that are not there, and where no cell is left to train with. */
export async function divideCells(
  dataset: CellArrDataset,
  settings: LoaderSettings,
  signal: AbortSignal | undefined,
): Promise<Division> {
  const columns = await readColumns(dataset, settings, signal);
  const { labels, studies, samples } = columns;
  checkStudies(settings.valStudies, studies.names, dataset.uri);
  const missing = labels.names.indexOf(settings.nanString);
  const isKept = Uint8Array.from(labels.codes, (label, row) =>
    label >= 0 && label !== missing && samples.codes[row]! >= 0 ? 1 : 0,
  );
  dropSmallSamples(isKept, samples.codes, samples.firsts.length, settings.minSampleSize);
  if (settings.removeSingletonClasses) dropSingletons(isKept, labels, samples.codes);
  const labelCounts = new Float64Array(labels.names.length);
  for (let row = 0; row < isKept.length; row++) if (isKept[row] === 1) labelCounts[labels.codes[row]!]!++;
  const isVal = Uint8Array.from(studies.names, (name) => (settings.valStudies.includes(name) ? 1 : 0));
  const rowsOf = (part: number) => rowsWhere(isKept, (row) => isVal[studies.codes[row]!] === part);
  const train = rowsOf(0);
  if (train.length === 0) {
    throw new NotFoundError("no cell is left to train with", { where: dataset.uri });
  }
  const isTrained = new Uint8Array(labels.names.length);
  for (const row of train) isTrained[labels.codes[row]!] = 1;
  const val = rowsOf(1).filter((row) => isTrained[labels.codes[row]!] === 1);
  return numberAnew(columns, train, val, labelCounts);
}

async function readColumns(
  dataset: CellArrDataset,
  settings: LoaderSettings,
  signal: AbortSignal | undefined,
): Promise<Columns> {
  const { labelColumnName, studyColumnName, sampleColumnName } = settings;
  const read = async (name: string) =>
    encodeColumn(await dataset.getCellMetadataColumn(name, signal && { signal }));
  const [labels, studies, names] = await Promise.all([
    read(labelColumnName),
    read(studyColumnName),
    read(sampleColumnName),
  ]);
  const samples = encodePairs(studies.codes, names.codes, names.names.length);
  return { labels, studies, samples, names: names.names };
}

function checkStudies(wanted: readonly string[], present: readonly string[], where: string): void {
  const unknown = wanted.filter((name) => !present.includes(name));
  if (unknown.length === 0) return;
  const shown = unknown.slice(0, 20).map((name) => `'${name}'`);
  throw new NotFoundError(`no study of that name for validation: ${shown.join(", ")}`, { where });
}

function dropSmallSamples(isKept: Uint8Array, samples: Int32Array, count: number, least: number): void {
  const sizes = new Float64Array(count);
  for (let row = 0; row < isKept.length; row++) if (isKept[row] === 1) sizes[samples[row]!]!++;
  for (let row = 0; row < isKept.length; row++) if (sizes[samples[row]!]! < least) isKept[row] = 0;
}

/** Drops the labels that are found in one sample only. */
function dropSingletons(isKept: Uint8Array, { codes, names }: Codes, samples: Int32Array): void {
  const NONE = -1;
  const SEVERAL = -2;
  const found = new Int32Array(names.length).fill(NONE);
  for (let row = 0; row < isKept.length; row++) {
    if (isKept[row] === 0) continue;
    const label = codes[row]!;
    if (found[label] === NONE) found[label] = samples[row]!;
    else if (found[label] !== samples[row]) found[label] = SEVERAL;
  }
  for (let row = 0; row < isKept.length; row++) {
    if (isKept[row] === 1 && found[codes[row]!] !== SEVERAL) isKept[row] = 0;
  }
}

function rowsWhere(isKept: Uint8Array, isWanted: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(isKept.length);
  let count = 0;
  for (let row = 0; row < isKept.length; row++) if (isKept[row] === 1 && isWanted(row)) rows[count++] = row;
  return rows.slice(0, count);
}

/** Codes of what is left, without gaps. */
function numberAnew(
  { labels, studies, samples, names }: Columns,
  train: Uint32Array,
  val: Uint32Array,
  labelCounts: Float64Array,
): Division {
  const rows = new Uint32Array(train.length + val.length);
  rows.set(train);
  rows.set(val, train.length);
  const left = (of: Int32Array, all: readonly string[]) =>
    withoutUnused({ codes: Int32Array.from(rows, (row) => of[row]!), names: all });
  const label = left(labels.codes, labels.names);
  const study = left(studies.codes, studies.names);
  const sample = left(
    samples.codes,
    Array.from(samples.seconds, (name) => names[name]!),
  );
  const part = (cells: Uint32Array, from: number): Population => {
    const to = from + cells.length;
    return {
      cells,
      labels: label.codes.subarray(from, to),
      studies: study.codes.subarray(from, to),
      samples: sample.codes.subarray(from, to),
    };
  };
  return {
    train: part(train, 0),
    val: part(val, train.length),
    labelNames: label.names,
    studyNames: study.names,
    sampleNames: sample.names,
    labelCounts: Float64Array.from(label.names, (name) => labelCounts[labels.names.indexOf(name)]!),
  };
}
