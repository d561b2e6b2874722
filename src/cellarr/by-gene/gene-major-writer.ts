import type { TileDBArray } from "../../array/open.js";
import { createArray } from "../../array/write/create.js";
import { type FragmentWriter, openFragmentWriter } from "../../array/write/fragment-writer.js";
import { putMetadata } from "../../array/write/metadata-io.js";
import { datatypeInfo } from "../../format/datatype.js";
import { type TypedArray, viewAs } from "../../util/typed-arrays.js";
import { coordinatesOf } from "../build/coordinates.js";
import { fieldsWithoutRepeats, geneMajorSchema, type MatrixShape } from "../build/matrix-schema.js";
import type { Place } from "../build/staging.js";
import { originMetadata } from "./gene-major-state.js";
import { GeneSorter } from "./gene-sorter.js";
import { RunFile } from "./run-file.js";

/** Makes the gene-major copy of a matrix from its cells in row-major order; memory as of GeneSorter. */

export interface GeneMajorTarget {
  /** Where the array is made. */
  readonly array: Place;
  /** A temporary file for what does not fit in memory. */
  readonly runs: Place;
  readonly shape: MatrixShape;
  readonly geneCount: number;
  /** Makes the array; default one with the schema of copies. */
  readonly create?: (() => Promise<void>) | undefined;
  /** Cells that are sorted in memory; see GeneSorter. */
  readonly runCells?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Cells written so far, of all that were appended. */
  readonly onCells?: ((done: number, total: number) => void) | undefined;
}

export class GeneMajorWriter {
  readonly #target: GeneMajorTarget;
  readonly #runs: RunFile;
  readonly #sorter: GeneSorter;

  constructor(target: GeneMajorTarget) {
    const { runs, shape, geneCount, runCells, signal } = target;
    const valueBytes = datatypeInfo(shape.attribute.datatype).bytes;
    this.#target = target;
    this.#runs = new RunFile(runs, valueBytes, signal);
    this.#sorter = new GeneSorter({ geneCount, valueBytes, runs: this.#runs, runCells });
  }

  /** Takes cells that follow the ones before in row-major order; `values` are of the matrix's type. */
  append(cells: Uint32Array, genes: Uint32Array, values: TypedArray): Promise<void> {
    return this.#sorter.append(cells, genes, values);
  }

  /** Writes the array, and in its metadata that it is a copy of `matrix` as that is open. */
  async finish(matrix: TileDBArray): Promise<void> {
    const { array, signal } = this.#target;
    await this.finishCells();
    await putMetadata(array, originMetadata(matrix, this.#sorter.cellCount), { signal });
  }

  /** Writes the array without saying what it is a copy of; returns the number of cells. */
  async finishCells(): Promise<number> {
    const { array, shape, signal, create } = this.#target;
    if (create === undefined) await createArray(array, geneMajorSchema(shape), { signal });
    else await create();
    if (this.#sorter.cellCount > 0) await this.#writeCells();
    await this.#runs.remove();
    return this.#sorter.cellCount;
  }

  /** Removes temporary files; what there is of the array stays. */
  async abort(): Promise<void> {
    await this.#sorter.settled();
    await this.#runs.remove();
  }

  async #writeCells(): Promise<void> {
    const { array, shape, signal, onCells } = this.#target;
    const withoutRepeats = fieldsWithoutRepeats(shape);
    const fragment = await openFragmentWriter(array, { signal, withoutRepeats });
    try {
      for await (const block of this.#sorter.sorted()) {
        await this.#append(fragment, block.cells, block.genes, block.values);
        onCells?.(fragment.cellCount, this.#sorter.cellCount);
      }
      await fragment.finish();
    } catch (error) {
      await fragment.abort();
      throw error;
    }
  }

  async #append(
    fragment: FragmentWriter,
    cells: Uint32Array,
    genes: Uint32Array,
    values: Uint8Array,
  ): Promise<void> {
    const { shape } = this.#target;
    const { attribute, cellType, geneType, dimensions } = shape;
    const [cell, gene] = dimensions;
    await fragment.append({
      [cell]: coordinatesOf(cells, cellType),
      [gene]: coordinatesOf(genes, geneType),
      [attribute.name]: viewAs(values, datatypeInfo(attribute.datatype).array),
    });
  }
}
