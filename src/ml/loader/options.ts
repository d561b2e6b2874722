import { ArgumentError } from "../../errors.js";

/** What a loader is asked for, with Python cellarr's names in camelCase. */

/**
 * How the cells of a batch are drawn:
 * - "sample": `batchSize` samples, and of each `sampleSize` cells, all equally likely, none twice
 * - "class": the same, cells of rare classes more likely: weight 1 / log1p(cells of the class / 10,000)
 * - "uniform": `batchSize` x `sampleSize` cells, each drawn anew: a label, a study that has it, a cell of both, all
 *   equally likely. Rare cells come again and again.
 */
export type Sampling = "sample" | "class" | "uniform";

const samplings = ["sample", "class", "uniform"] as const satisfies readonly Sampling[];

/** Which genes and values are read, and in which form. */
export interface CellReaderOptions {
  /** Name of the matrix; default "counts", or the only one there is. */
  readonly matrix?: string | undefined;
  /** Names of the genes, in the order of the columns; default all, in the store's order. */
  readonly geneOrder?: readonly string[] | undefined;
  /** What becomes of names in `geneOrder` that the store does not have: "error" (default), or they are left out. */
  readonly missingGenes?: "error" | "drop" | undefined;
  /** Whether values are log(1 + x) of counts that are scaled to `targetSum` for each cell; default true. */
  readonly lognorm?: boolean | undefined;
  /** Sum of a cell's values over the genes that are read, before the logarithm; default 10,000. */
  readonly targetSum?: number | undefined;
  /** Whether values come as compressed rows; default dense. */
  readonly sparse?: boolean | undefined;
  /**
   * Memory for cells that were read, in bytes, so that further epochs read them from there; about 4 bytes a stored value
   * and those of the value itself. Default 0: none.
   */
  readonly cacheBytes?: number | undefined;
}

export interface DataModuleOptions extends CellReaderOptions {
  /** Column of the cell metadata with the labels; default "celltype_id". */
  readonly labelColumnName?: string | undefined;
  /** Default "study". */
  readonly studyColumnName?: string | undefined;
  /** Default "cellarr_sample". Samples of the same name in two studies are two. */
  readonly sampleColumnName?: string | undefined;
  /** Studies whose cells are kept for validation: of these, cells whose label no other study has are left out. */
  readonly valStudies?: readonly string[] | undefined;
  /** Samples of a batch, default 100. */
  readonly batchSize?: number | undefined;
  /** Cells of a sample, default 100; smaller samples come whole. */
  readonly sampleSize?: number | undefined;
  /** Default "sample". */
  readonly sampling?: Sampling | undefined;
  /** Whether cells are left out whose label is found in one sample only; default false. */
  readonly removeSingletonClasses?: boolean | undefined;
  /** Cells with a label that a sample must have to be taken; default 1. */
  readonly minSampleSize?: number | undefined;
  /** The label that means "none"; default "nan". Cells without any label, study or sample are left out as well. */
  readonly nanString?: string | undefined;
  /** Whether a last batch of training that is smaller than the others is left out; default false. */
  readonly dropLast?: boolean | undefined;
  /** Every batch follows from it, 0 to 2^32 - 1; default 0. */
  readonly seed?: number | undefined;
  /**
   * Batches at most that are read ahead of the one in use; default as many as there is room for in `prefetchBytes`, two at
   * least. 0: none is read before it is asked for.
   */
  readonly prefetch?: number | undefined;
  /**
   * Memory for what is read ahead, as it is stored, in bytes, about; default 256 MiB. As many batches are read together:
   * tiles that hold cells of several are decoded once.
   */
  readonly prefetchBytes?: number | undefined;
  /**
   * Whether the dense values of a batch lie in the memory of the one before, which is then overwritten: for callers that
   * are done with a batch, or have copied it, when they ask for the next. Default false.
   */
  readonly reuseValues?: boolean | undefined;
}

/** Options with a value each. */
type Filled<Options> = { readonly [Name in keyof Options]-?: NonNullable<Options[Name]> };

type Chosen = "matrix" | "geneOrder";

export type ReaderSettings = Filled<Omit<CellReaderOptions, Chosen>> & Pick<CellReaderOptions, Chosen>;

export type LoaderSettings = Filled<Omit<DataModuleOptions, keyof CellReaderOptions | "prefetch">> & {
  /** Null: as many as there is room for. */
  readonly prefetch: number | null;
};

const PREFETCH_BYTES = 256 * 1024 * 1024;

/** Defaults filled in. Throws ArgumentError for what is no such value. */
export function readerSettings(options: CellReaderOptions): ReaderSettings {
  const {
    matrix,
    geneOrder,
    missingGenes = "error",
    lognorm = true,
    targetSum = 1e4,
    sparse = false,
    cacheBytes = 0,
  } = options;
  if (missingGenes !== "error" && missingGenes !== "drop") {
    throw new ArgumentError(`missingGenes is '${String(missingGenes)}', expected error or drop`);
  }
  if (!(targetSum > 0 && targetSum < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`targetSum is ${targetSum}, expected a number above 0`);
  }
  wholeNumber("cacheBytes", cacheBytes, 0);
  return { matrix, geneOrder, missingGenes, lognorm, targetSum, sparse, cacheBytes };
}

/** Defaults filled in. Throws ArgumentError for what is no such value. */
export function loaderSettings(options: DataModuleOptions): LoaderSettings {
  const { sampling = "sample" } = options;
  if (!samplings.includes(sampling)) {
    throw new ArgumentError(`sampling is '${String(sampling)}', expected ${samplings.join(", ")}`);
  }
  return {
    labelColumnName: options.labelColumnName ?? "celltype_id",
    studyColumnName: options.studyColumnName ?? "study",
    sampleColumnName: options.sampleColumnName ?? "cellarr_sample",
    valStudies: options.valStudies ?? [],
    batchSize: wholeNumber("batchSize", options.batchSize ?? 100, 1),
    sampleSize: wholeNumber("sampleSize", options.sampleSize ?? 100, 1),
    sampling,
    removeSingletonClasses: options.removeSingletonClasses ?? false,
    minSampleSize: wholeNumber("minSampleSize", options.minSampleSize ?? 1, 0),
    nanString: options.nanString ?? "nan",
    dropLast: options.dropLast ?? false,
    seed: wholeNumber("seed", options.seed ?? 0, 0, 2 ** 32 - 1),
    prefetch: options.prefetch === undefined ? null : wholeNumber("prefetch", options.prefetch, 0),
    prefetchBytes: wholeNumber("prefetchBytes", options.prefetchBytes ?? PREFETCH_BYTES, 0),
    reuseValues: options.reuseValues ?? false,
  };
}

/** Throws ArgumentError unless `value` is a whole number from `least` to `most`. */
export function wholeNumber(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const expected = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  throw new ArgumentError(`${name} is ${value}, expected a whole number ${expected}`);
}
