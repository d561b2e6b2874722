import type { FilterInput, SchemaInput } from "../../array/write/write-types.js";
import { datatypeInfo } from "../../format/datatype.js";
import { type FrameAttribute, highestIndex, type IndexType } from "../layout.js";

/**
 * Schemas of matrices, sparse arrays of cells x genes with one attribute. Dimensions are as Python cellarr 0.3.2 has
 * them in all layouts; filters, and of gene-major copies the order of cells, are what differs.
 *
 * Measured on 8.1 million simulated uint16 counts, bytes a non-zero: Python's filters 3.08; differences of gene indices and
 * values byte by byte 0.970 at Zstandard level 1, 0.968 at 3 and 0.957 at 9, which take 1.1 and 2.2 times the encoder's
 * time. Tiles of 100,000 cells instead of 10,000 save 2 % and make a slice of ten cells five times as slow.
 *
 * Gene-major at level 1: 0.748 with tiles of 10,000 cells, 0.788 with 5,000, 0.898 with 2,000. A gene of 6,000 cells takes
 * 0.3, 0.2 and 0.2 ms to read, 100 genes far apart 20, 13 and 9 ms: most of what their tiles hold is of other genes.
 */

/**
 * - "compact": a third of the size; read by TileDB from 2.16 on.
 * - "python": the very schema of Python cellarr, for older readers.
 */
export type MatrixLayout = "compact" | "python";

export const matrixLayouts = ["compact", "python"] as const satisfies readonly MatrixLayout[];

/** What the schema of a matrix depends on. */
export interface MatrixShape {
  readonly attribute: FrameAttribute;
  readonly cellType: IndexType;
  readonly geneType: IndexType;
  /** Names of the dimensions of cells and of genes. */
  readonly dimensions: readonly [string, string];
}

const ZSTD: FilterInput = { type: "zstd", level: 1 };
/** Of the dimension by which the cells are sorted: long runs of one index. */
const SORTED: readonly FilterInput[] = ["delta", ZSTD];
/** Of the other: ascending within each run, gaps that fit a byte or two. */
const ASCENDING: readonly FilterInput[] = ["delta", "byteshuffle", ZSTD];

const GENE_MAJOR_CAPACITY = 5000;

/** Cells one after another, as every cellarr store has them. */
export function matrixSchema(shape: MatrixShape, layout: MatrixLayout): SchemaInput {
  if (layout === "python") return schemaOf(shape, { cells: [], genes: [], values: ["gzip"] });
  return schemaOf(shape, { cells: SORTED, genes: ASCENDING, values: valueFilters(shape) });
}

/** The same matrix gene after gene: col-major cells. */
export function geneMajorSchema(shape: MatrixShape): SchemaInput {
  const filters = { cells: ASCENDING, genes: SORTED, values: valueFilters(shape) };
  const capacity = GENE_MAJOR_CAPACITY;
  return { ...schemaOf(shape, filters), cellOrder: "col-major", tileOrder: "col-major", capacity };
}

/**
 * Fields of a compact or gene-major matrix that repeat nothing but single bytes once they are filtered: gaps of indices,
 * and counts. Floats may: a cell's counts of 1, normalised, all have the same bytes.
 */
export function fieldsWithoutRepeats({ attribute, dimensions }: MatrixShape): string[] {
  return datatypeInfo(attribute.datatype).kind === "float"
    ? [...dimensions]
    : [...dimensions, attribute.name];
}

interface MatrixFilters {
  readonly cells: readonly FilterInput[];
  readonly genes: readonly FilterInput[];
  readonly values: readonly FilterInput[];
}

function schemaOf(shape: MatrixShape, filters: MatrixFilters): SchemaInput {
  const { attribute, cellType, geneType, dimensions } = shape;
  const { cells, genes, values } = filters;
  const [cell, gene] = dimensions;
  return {
    arrayType: "sparse",
    dimensions: [
      { name: cell, datatype: cellType, domain: [0, highestIndex(cellType)], filters: cells },
      { name: gene, datatype: geneType, domain: [0, highestIndex(geneType)], filters: genes },
    ],
    attributes: [{ ...attribute, filters: values }],
  };
}

function valueFilters({ attribute }: MatrixShape): readonly FilterInput[] {
  return datatypeInfo(attribute.datatype).bytes === 1 ? [ZSTD] : ["byteshuffle", ZSTD];
}
