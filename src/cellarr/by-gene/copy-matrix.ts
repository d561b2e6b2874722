import type { TileDBArray } from "../../array/open.js";
import { FormatError, UnsupportedError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { indicesOf } from "../build/coordinates.js";
import type { MatrixShape } from "../build/matrix-schema.js";
import { type IndexType, isIndexType } from "../layout.js";
import type { GeneMajorWriter } from "./gene-major-writer.js";

/** The cells of a matrix that is there already, however many fragments it has, for its gene-major copy. */

/** Bytes of cells that are read at a time. */
const BATCH_BYTES = 32 * 2 ** 20;

/** Throws UnsupportedError where values are no plain numbers, FormatError where a cell or gene is below 0. */
export function shapeOf(matrix: TileDBArray): MatrixShape {
  const { schema, uri } = matrix;
  const [cells, genes] = schema.dimensions;
  const { name, datatype, cellValNum, nullable } = schema.attributes[0]!;
  const { kind } = datatypeInfo(datatype);
  const isNumber = kind === "int" || kind === "uint" || kind === "float";
  if (!isNumber || cellValNum !== 1 || nullable) {
    throw new UnsupportedError("a gene-major copy is made of matrices with one number a cell", {
      where: uri,
    });
  }
  for (const [low] of matrix.nonEmptyDomain() ?? []) {
    if (Number(low) < 0)
      throw new FormatError(`cells and genes are numbered from 0, found ${low}`, { where: uri });
  }
  return {
    attribute: { name, datatype },
    cellType: indexTypeOf(cells!.datatype, uri),
    geneType: indexTypeOf(genes!.datatype, uri),
    dimensions: [cells!.name, genes!.name],
  };
}

function indexTypeOf(datatype: Datatype, where: string): IndexType {
  if (isIndexType(datatype)) return datatype;
  throw new UnsupportedError(
    `a gene-major copy is made of matrices with integer dimensions, not ${datatype}`,
    {
      where,
    },
  );
}

/** Appends all cells of the matrix; `onCells` hears how many so far. */
export async function copyCells(
  matrix: TileDBArray,
  shape: MatrixShape,
  writer: Pick<GeneMajorWriter, "append">,
  options: { readonly signal?: AbortSignal | undefined; readonly onCells?: (count: number) => void } = {},
): Promise<void> {
  const { attribute, dimensions } = shape;
  const [cell, gene] = dimensions;
  const query = { attributes: [attribute.name], order: "row-major", signal: options.signal } as const;
  let done = 0;
  for await (const { cellCount, columns } of matrix.batches(query, { memoryBudget: BATCH_BYTES })) {
    const values = (name: string): TypedArray => {
      const column = columns[name]!;
      if (column.kind === "fixed") return column.values;
      throw new FormatError(`'${name}' has values of variable length`, { where: matrix.uri });
    };
    await writer.append(indicesOf(values(cell)), indicesOf(values(gene)), values(attribute.name));
    done += cellCount;
    options.onCells?.(done);
  }
}
