import { StorageError } from "../../errors.js";
import { locationUri } from "../../storage/resolve.js";
import type { StoreWriter } from "../../storage/types.js";
import type { NumberArray } from "../../util/typed-arrays.js";
import { bytesOf, plainBytes, viewAs } from "../../util/typed-arrays.js";
import type { Place } from "../build/staging.js";

/**
 * Totals of each cell. Those of the files in work are in memory, 12 bytes a cell; those of files that are done wait in
 * one temporary file until the cell metadata are written.
 */

export interface CellColumns {
  readonly total: Float64Array;
  readonly detected: Uint32Array;
}

/** Totals of the cells of one file. */
export class CellTotals implements CellColumns {
  readonly total: Float64Array;
  readonly detected: Uint32Array;
  readonly #firstCell: number;

  /** @param firstCell the store's number of the file's first cell */
  constructor(firstCell: number, cellCount: number) {
    this.total = new Float64Array(cellCount);
    this.detected = new Uint32Array(cellCount);
    this.#firstCell = firstCell;
  }

  /** Values of cells of the file, those of a cell one after another. */
  add(cells: Uint32Array, values: NumberArray): void {
    for (let at = 0; at < cells.length; ) {
      const cell = cells[at]!;
      const row = cell - this.#firstCell;
      let sum = this.total[row]!;
      let count = 0;
      for (; at < cells.length && cells[at] === cell; at++) {
        const value = values[at]!;
        sum += value;
        if (value !== 0) count++;
      }
      this.total[row] = sum;
      this.detected[row]! += count;
    }
  }
}

interface Part {
  readonly offset: number;
  readonly cells: number;
}

export class CellTotalsFile {
  readonly #place: Place;
  readonly #parts = new Map<number, Part>();
  #writer: StoreWriter | null = null;
  #size = 0;
  /** Files that end at the same time are written one after the other. */
  #last: Promise<void> = Promise.resolve();

  /** The file is made with the first part. */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Keeps the totals of the file at that position of the build. */
  add(file: number, { total, detected }: CellColumns): Promise<void> {
    const written = this.#last.then(async () => {
      this.#parts.set(file, { offset: this.#size, cells: total.length });
      if (total.length === 0) return;
      this.#writer ??= await this.#place.store.writer(this.#place.path);
      await this.#writer.write(bytesOf(total));
      await this.#writer.write(bytesOf(detected));
      this.#size += total.byteLength + detected.byteLength;
    });
    // Whoever waits for this part is told; the next one is not to fail for it.
    this.#last = written.catch(() => {});
    return written;
  }

  /** All parts are there: they can be read now. */
  async finish(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
  }

  /** Drops what is still being written. */
  async abort(): Promise<void> {
    await this.#last;
    await this.#writer?.abort();
    this.#writer = null;
  }

  async read(file: number): Promise<CellColumns> {
    const { offset, cells } = this.#parts.get(file)!;
    const middle = offset + cells * 8;
    return {
      total: viewAs(await this.#bytes(offset, middle), Float64Array),
      detected: viewAs(await this.#bytes(middle, middle + cells * 4), Uint32Array),
    };
  }

  async #bytes(start: number, end: number): Promise<Uint8Array> {
    if (start === end) return new Uint8Array(0);
    const { store, path } = this.#place;
    const bytes = await store.getRange(path, { start, end });
    if (bytes !== undefined) return plainBytes(bytes);
    throw new StorageError("totals of cells are gone", { where: locationUri(this.#place) });
  }
}
