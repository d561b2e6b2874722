import type { SchemaInput } from "../array/write/write-types.js";
import { ArgumentError, LimitError } from "../errors.js";
import { type Datatype, datatypeInfo } from "../format/datatype.js";

/**
 * Where things are in a store, and how its arrays are laid out: so that Python cellarr 0.3.2 and we read each
 * other's.
 *
 *     gene_annotation/    frame: a row per gene
 *     sample_metadata/    frame: a row per sample
 *     cell_metadata/      frame: a row per cell
 *     assays/             group, no members of record
 *       counts/           sparse matrix, cells x genes; one array per matrix
 *     assays_by_gene/     folder, not there in stores of Python
 *       counts/           the same matrix gene after gene, to read few genes of many cells
 *     embeddings/         folder, not there in stores of Python
 *       latent/           dense matrix of float32, cells x latent; one array per embedding
 */

export const storeNames = {
  assays: "assays",
  geneMajor: "assays_by_gene",
  geneAnnotation: "gene_annotation",
  cellMetadata: "cell_metadata",
  embeddings: "embeddings",
  sampleMetadata: "sample_metadata",
} as const;

/** Columns that cellarr adds. */
export const addedColumns = {
  geneIndex: "cellarr_gene_index",
  sample: "cellarr_sample",
  cellCounts: "cellarr_cell_counts",
  sampleStart: "cellarr_sample_start_index",
  sampleEnd: "cellarr_sample_end_index",
  originalGeneSet: "cellarr_original_gene_set",
  cellIndexInSample: "cellarr_cell_index_in_sample",
} as const;

const allAdded: readonly string[] = Object.values(addedColumns);

export function isAddedColumn(name: string): boolean {
  return allAdded.includes(name);
}

/** The one dimension of frames. */
const ROWS_DIMENSION = "__tiledb_rows";
export const CELL_DIMENSION = "cell_index";
export const GENE_DIMENSION = "gene_index";

/** Rows of a tile of a frame at most, TileDB-Py's default for one dimension. */
export const FRAME_TILE = 10_000;

/** Integer types that a matrix's dimensions may have. */
export type IndexType = "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64";

const indexTypes: readonly string[] = [
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
] satisfies IndexType[];

export function isIndexType(type: string): type is IndexType {
  return indexTypes.includes(type);
}

export interface FrameAttribute {
  readonly name: string;
  readonly datatype: Datatype;
  /** Whether cells may be null; default false. */
  readonly nullable?: boolean;
  /** The cells are positions among these values. */
  readonly categories?: { readonly values: readonly string[]; readonly ordered: boolean };
}

/**
 * A dense frame of `rows` rows, as TileDB-Py's `from_pandas` makes it. Its row dimension is int64 there today (older
 * TileDB-Py: uint64). A frame without rows gets the domain [0, 0], of which nothing is written.
 */
export function frameSchema(rows: number, attributes: readonly FrameAttribute[]): SchemaInput {
  const extent = Math.max(1, Math.min(FRAME_TILE, rows));
  return {
    arrayType: "dense",
    dimensions: [
      {
        name: ROWS_DIMENSION,
        datatype: "int64",
        domain: [0n, BigInt(Math.max(1, rows) - 1)],
        tileExtent: extent,
        filters: ["zstd"],
      },
    ],
    attributes: attributes.map(({ categories, ...attribute }) => ({
      ...attribute,
      filters: ["zstd"],
      ...(categories && { enumeration: attribute.name }),
    })),
    enumerations: attributes.flatMap(({ name, categories }) => (categories ? { name, ...categories } : [])),
  };
}

/** What `from_pandas` leaves in a frame's metadata, for pandas to restore types: those that NumPy does not have. */
export function frameMetadata(attributes: readonly FrameAttribute[]): Record<string, string> {
  const types = attributes.flatMap((attribute): [string, string][] => {
    const type = pandasType(attribute);
    return type === null ? [] : [[attribute.name, type]];
  });
  const index = { __pandas_index_dims: pythonJson([[ROWS_DIMENSION, "int64"]]) };
  return types.length === 0 ? index : { __pandas_attribute_repr: pythonJson(types), ...index };
}

/** Null where TileDB-Py tells the type from the attribute's. */
function pandasType({ datatype, nullable, categories }: FrameAttribute): string | null {
  if (categories !== undefined) return "category";
  if (!nullable) return datatype === "bool" ? "bool" : null;
  if (datatype === "bool") return "boolean";
  const isText = datatypeInfo(datatype).kind === "string";
  // "Int8", "UInt8", "Float32": NumPy's names with capitals.
  return isText
    ? "string"
    : datatype.replace(/^(u?)(.)/, (_, u, first) => u.toUpperCase() + first.toUpperCase());
}

/** JSON of an object of strings with Python's spacing. */
function pythonJson(entries: readonly (readonly [string, string])[]): string {
  const parts = entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{${parts.join(", ")}}`;
}

/** The last index of a dimension: the type's largest value less one, inclusive, as Python has it. */
export function highestIndex(type: IndexType): number | bigint {
  const { bytes, kind } = datatypeInfo(type);
  const largest = 2n ** BigInt(bytes * 8 - (kind === "int" ? 1 : 0)) - 1n;
  return bytes === 8 ? largest - 1n : Number(largest - 1n);
}

/** Indices are 32-bit numbers in memory, whatever their type in the array. */
const MOST_ROWS = 2 ** 32 - 1;

/**
 * Throws ArgumentError if `type` is no integer type or has too few values for `count` of `what`, LimitError beyond
 * 2^32 - 1.
 */
export function checkIndexType(type: IndexType, count: number, what: string): void {
  if (!isIndexType(type)) {
    throw new ArgumentError(`dtype of ${what}: '${String(type)}', expected ${indexTypes.join(", ")}`);
  }
  if (count > 0 && BigInt(count - 1) > BigInt(highestIndex(type))) {
    throw new ArgumentError(
      `dtype of ${what}: ${type} numbers ${BigInt(highestIndex(type)) + 1n} at most, there are ${count}`,
    );
  }
  if (count > MOST_ROWS) throw new LimitError(`a store has at most ${MOST_ROWS} ${what}, there are ${count}`);
}
