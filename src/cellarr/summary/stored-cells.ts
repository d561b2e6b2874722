import type { TypedArray } from "../../util/typed-arrays.js";
import type { FileSummary, MatrixSummary } from "./matrix-summary.js";

/** Hands the cells of a matrix that is there to its summary, file by file. */
export class StoredCells {
  readonly #summary: MatrixSummary;
  readonly #starts: readonly number[];
  /** The file whose cells are coming. */
  #at = 0;
  #file: FileSummary | null = null;

  /** @param starts first cell of each file, and behind the last the number of all cells */
  constructor(summary: MatrixSummary, starts: readonly number[]) {
    this.#summary = summary;
    this.#starts = starts;
  }

  /** Takes cells that follow the ones before in row-major order. */
  async append(cells: Uint32Array, genes: Uint32Array, values: TypedArray): Promise<void> {
    for (let from = 0; from < cells.length; ) {
      while (cells[from]! >= this.#starts[this.#at + 1]!) await this.#finishFile();
      const end = this.#starts[this.#at + 1]!;
      let to = from + 1;
      while (to < cells.length && cells[to]! < end) to++;
      this.#current().add(cells.subarray(from, to), genes.subarray(from, to), values.subarray(from, to));
      from = to;
    }
  }

  /** All cells were appended. */
  async finish(): Promise<void> {
    while (this.#at + 1 < this.#starts.length) await this.#finishFile();
    await this.#summary.finish();
  }

  #current(): FileSummary {
    const start = this.#starts[this.#at]!;
    this.#file ??= this.#summary.file(this.#at, start, this.#starts[this.#at + 1]! - start);
    return this.#file;
  }

  async #finishFile(): Promise<void> {
    await this.#current().finish();
    this.#file = null;
    this.#at++;
  }
}
