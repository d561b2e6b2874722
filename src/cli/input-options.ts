import { existsSync } from "node:fs";
import type { MisfitRule } from "../cellarr/build/fit-values.js";
import {
  type BuildOptions,
  type BuildProgress,
  type BuildStep,
  misfitRules,
  type ObsTypes,
} from "../cellarr/build/options.js";
import { type ColumnType, columnTypes } from "../cellarr/frames/column-types.js";
import { NotFoundError } from "../errors.js";
import { isUri } from "./open-store.js";
import { parseChoice, parseTypedName } from "./parse.js";
import type { ProgressBar } from "./progress.js";

/** What commands that take files have in common: `cellarr build` and `cellarr append`. */

export interface InputCommandOptions {
  readonly matrix: readonly string[];
  readonly cellColumn: readonly string[];
  readonly featureColumn?: string;
  readonly geneAnnotation?: string;
  readonly sampleMetadata?: string;
  readonly cellMetadata?: string;
  readonly misfit: string;
  readonly json?: boolean;
}

interface TableOptions {
  readonly geneAnnotation?: string;
  readonly sampleMetadata?: string;
  readonly cellMetadata?: string;
  readonly geneAnnotationOptions?: Pick<NonNullable<BuildOptions["geneAnnotationOptions"]>, "featureColumn">;
  readonly cellMetadataOptions?: { readonly columnTypes: ObsTypes };
}

/** The tables and columns that are asked for; nothing of those that are not. Throws NotFoundError for a file. */
export function tableOptions(options: InputCommandOptions): TableOptions {
  const { geneAnnotation, sampleMetadata, cellMetadata, featureColumn, cellColumn } = options;
  return {
    ...(geneAnnotation !== undefined && { geneAnnotation: existing(geneAnnotation, "--gene-annotation") }),
    ...(sampleMetadata !== undefined && { sampleMetadata: existing(sampleMetadata, "--sample-metadata") }),
    ...(cellMetadata !== undefined && { cellMetadata: existing(cellMetadata, "--cell-metadata") }),
    ...(featureColumn !== undefined && { geneAnnotationOptions: { featureColumn } }),
    ...(cellColumn.length > 0 && { cellMetadataOptions: { columnTypes: cellColumns(cellColumn) } }),
  };
}

export function misfitRule({ misfit }: InputCommandOptions): MisfitRule {
  return parseChoice(misfit, misfitRules, "--misfit");
}

function cellColumns(texts: readonly string[]): ObsTypes {
  const types = Object.keys(columnTypes) as ColumnType[];
  const parsed = texts.map((text) => parseTypedName(text, "--cell-column", types));
  return Object.fromEntries(parsed.map(({ name, type }) => [name, type ?? null]));
}

function existing(path: string, option: string): string {
  if (isUri(path) || existsSync(path)) return path;
  throw new NotFoundError(`${option}: no such file`, { where: path });
}

const stepLabels: Record<BuildStep, string> = {
  download: "downloading",
  scan: "scanning files",
  gene_annotation: "writing genes",
  sample_metadata: "writing samples",
  cell_metadata: "writing cells",
  matrix: "writing",
  gene_major: "writing by gene",
  optimize: "consolidating",
};

/** Shows the steps of a build or of a change. */
export function showSteps(bar: ProgressBar): (progress: BuildProgress) => void {
  return ({ step, item, done, total }) =>
    bar.update(step === "matrix" ? `${stepLabels.matrix} ${item}` : stepLabels[step], done, total);
}
