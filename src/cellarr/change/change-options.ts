import type { MisfitRule } from "../build/fit-values.js";
import type {
  BuildOptions,
  BuildProgress,
  CellMetadataOptions,
  FileInput,
  GeneAnnotationOptions,
  MatrixOptions,
  SampleMetadataOptions,
  TableInput,
} from "../build/options.js";
import type { DatasetOptions } from "../dataset-parts.js";

/** What changes of a store that is there take. */

/** Where the parts of a store are; see CellArrDataset.open. */
export interface ChangeOptions
  extends Pick<
    DatasetOptions,
    | "assayTiledbGroup"
    | "assayUri"
    | "geneAnnotationUri"
    | "cellMetadataUri"
    | "sampleMetadataUri"
    | "storage"
    | "signal"
  > {
  /** True: a lock that a killed process left behind is no hindrance. */
  readonly breakLock?: boolean | undefined;
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** A matrix of the store, and which of the files' matrices goes there; types and names of the store stay. */
export type AppendedMatrix = Pick<
  MatrixOptions,
  "matrixName" | "tiledbStoreName" | "onMisfit" | "consolidateDuplicateGeneFunc" | "skip"
>;

/** What becomes of genes that a store does not have. */
export const newGeneRules = ["add", "ignore", "error"] as const;

export interface AppendOptions extends ChangeOptions {
  /** One sample each, as for a build. */
  readonly files: readonly FileInput[];
  /** A row per file. Without it, or without names in it, samples are called "sample_" and the next free numbers. */
  readonly sampleMetadata?: TableInput;
  /** A row per new cell. Without it the store's columns are taken from obs of the files. */
  readonly cellMetadata?: TableInput;
  /** Annotation of new genes, named as for a build; other rows are passed over. */
  readonly geneAnnotation?: Exclude<NonNullable<BuildOptions["geneAnnotation"]>, readonly string[]>;
  /**
   * Genes that the store does not have: "add" (default) puts them behind those it has, sorted; "ignore" leaves their
   * values out; "error" refuses them.
   */
  readonly newGenes?: (typeof newGeneRules)[number] | undefined;
  /** Default: each matrix of the store from the files' matrix of its name ("raw_X" from "raw/X"). */
  readonly matrixOptions?: AppendedMatrix | readonly AppendedMatrix[];
  /** Of matrices that do not say it themselves; default "error". */
  readonly onMisfit?: MisfitRule;
  /** `columnTypes`: columns of obs to take that the store does not have yet, and their types. */
  readonly cellMetadataOptions?: Pick<CellMetadataOptions, "columnTypes">;
  /** `featureColumn`, and types of annotation columns that the store does not have yet. */
  readonly geneAnnotationOptions?: Pick<GeneAnnotationOptions, "featureColumn" | "columnTypes">;
  readonly sampleMetadataOptions?: Pick<SampleMetadataOptions, "columnTypes">;
  /** True: afterwards the fragments of each matrix become one, and gene-major copies are made anew. Default false. */
  readonly optimize?: boolean;
}

export interface AppendResult {
  readonly samples: readonly string[];
  readonly newCells: number;
  readonly newGenes: number;
}
