import { StorageError } from "../../errors.js";
import { locationUri } from "../../storage/resolve.js";
import type { StoreLocation, StoreWriter, WritableStore } from "../../storage/types.js";
import { bytesOf, plainBytes, viewAs } from "../../util/typed-arrays.js";

/** Runs of cells sorted by gene, one after another in one temporary file: all cells of a run, then all its values. */

export interface SortedRun {
  /** First cell of each gene in the run, and the end. */
  readonly starts: Uint32Array;
  /** First byte of the run in the file. */
  readonly offset: number;
}

export interface RunPart {
  readonly cells: Uint32Array;
  /** Bytes. */
  readonly values: Uint8Array;
}

export class RunFile {
  readonly #location: StoreLocation<WritableStore>;
  readonly #valueBytes: number;
  readonly #signal: AbortSignal | undefined;
  #writer: StoreWriter | null = null;
  #size = 0;

  /** The file is made with the first run. */
  constructor(location: StoreLocation<WritableStore>, valueBytes: number, signal: AbortSignal | undefined) {
    this.#location = location;
    this.#valueBytes = valueBytes;
    this.#signal = signal;
  }

  async add(starts: Uint32Array, cells: Uint32Array, values: Uint8Array): Promise<SortedRun> {
    const { store, path } = this.#location;
    this.#writer ??= await store.writer(path, { signal: this.#signal });
    const run = { starts, offset: this.#size };
    await this.#writer.write(bytesOf(cells));
    await this.#writer.write(values);
    this.#size += cells.byteLength + values.byteLength;
    return run;
  }

  /** All runs are there: they can be read now. */
  async finish(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
  }

  /** Cells [from, to) of a run. */
  async read({ starts, offset }: SortedRun, from: number, to: number): Promise<RunPart> {
    const values = offset + starts.at(-1)! * 4;
    const [cells, bytes] = await Promise.all([
      this.#bytes(offset + from * 4, offset + to * 4),
      this.#bytes(values + from * this.#valueBytes, values + to * this.#valueBytes),
    ]);
    return { cells: viewAs(cells, Uint32Array), values: bytes };
  }

  /** Drops what is still being written, and the file. */
  async remove(): Promise<void> {
    await this.#writer?.abort();
    this.#writer = null;
    if (this.#size > 0) await this.#location.store.delete(this.#location.path);
  }

  async #bytes(start: number, end: number): Promise<Uint8Array> {
    if (start === end) return new Uint8Array(0);
    const { store, path } = this.#location;
    const bytes = await store.getRange(path, { start, end }, { signal: this.#signal });
    if (bytes !== undefined) return plainBytes(bytes);
    throw new StorageError("sorted cells are gone", { where: locationUri(this.#location) });
  }
}
