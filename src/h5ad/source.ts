import type { Frame } from "../util/frame.js";
import type { ReusedArrays } from "../util/reused-arrays.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { MatrixDtype, MatrixShape } from "./matrix.js";

/** What a build reads from: annotated matrices, in a file or in memory, by blocks of rows. */

/**
 * Some consecutive rows of a matrix, compressed by rows. Stored zeros may be among the values; columns within a row
 * ascend where they do in the source (not promised: a file may hold them in any order). The arrays belong to the
 * caller, unless it gives `memory`: the source does not write to them again. Values of an AnnData in memory may be views of its arrays.
 */
export interface CsrBlock {
  /** Row of the matrix that the block's first row is. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** rowCount + 1 positions into `indices` and `values`, from 0 on. */
  readonly indptr: Uint32Array;
  /** Columns, checked to be within the matrix. */
  readonly indices: Int32Array;
  /** In the matrix's own dtype; booleans as uint8, float16 as float32. */
  readonly values: TypedArray;
}

export interface BlockOptions {
  /**
   * Stored values of a block at most (cells of the rows for dense matrices), default 4,194,304. A single row with more
   * makes a block of its own.
   */
  readonly maxCells?: number;
  readonly signal?: AbortSignal | undefined;
  /** Where arrays of blocks may lie: each block is then good until the next is asked for. Default memory of its own. */
  readonly memory?: ReusedArrays | undefined;
}

export interface MatrixSource {
  readonly name: string;
  readonly shape: MatrixShape;
  readonly storage: "csr" | "csc" | "dense";
  readonly dtype: MatrixDtype;
  /** Stored values; null for dense matrices, whose zeros are not counted before they are read. */
  readonly nonZeroCount: number | null;
  /**
   * All rows in order, by blocks. Memory is bounded by `maxCells`, whatever the storage. A csc matrix is read once per
   * block of rows at most, see readCscBlocks. Throws FormatError naming file, matrix and row where the
   * matrix is corrupt, AbortedError when the signal fires.
   */
  blocks(options?: BlockOptions): AsyncIterable<CsrBlock>;
}

export interface AnnDataSource {
  /** Path, or a given name, for messages. */
  readonly name: string;
  readonly obsCount: number;
  readonly varCount: number;
  /** "X", "raw/X" where present, then the layers by their names (one that is called X as "layers/X"). */
  readonly matrixNames: readonly string[];
  /** Cells; only the named columns where given (NotFoundError for one that is not there). */
  obs(columns?: readonly string[]): Promise<Frame>;
  /** Genes, as `obs`. */
  var(columns?: readonly string[]): Promise<Frame>;
  /** Genes of "raw/X", which may be more than those of X. NotFoundError without raw. */
  rawVar(columns?: readonly string[]): Promise<Frame>;
  /** A matrix by name: "X", "raw/X" or a layer. NotFoundError names those present. */
  matrix(name: string): MatrixSource;
  /** Frees the file. Reading after that is an error. */
  close(): Promise<void>;
}

export const DEFAULT_MAX_CELLS = 4_194_304;
