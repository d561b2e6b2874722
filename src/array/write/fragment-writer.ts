import { ArgumentError, throwIfAborted, UnsupportedError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { buildRTree } from "../../format/fragment/rtree.js";
import { WRITE_VERSION } from "../../format/version.js";
import type { StoreLocation } from "../../storage/types.js";
import type { Column } from "../columns.js";
import { attributeFields, dimensionFields, type Field, timestampsField } from "../fields.js";
import { checkCells } from "./column-input.js";
import type { FieldOptions } from "./field-writer.js";
import { FragmentFiles } from "./fragment-files.js";
import { newName, writeTime } from "./new-name.js";
import { OrderCheck } from "./order-check.js";
import { BoundsCollector, boundsRange } from "./tile-bounds.js";
import { TileBuffer } from "./tile-buffer.js";
import { openTarget, type WriteTarget } from "./write-target.js";
import type { CellsInput, WriteOptions } from "./write-types.js";

/**
 * Writes a sparse fragment from cells that come in the array's global order, block by block. Memory holds at most one
 * tile (the schema's capacity) of each field and what the metadata say of each tile. Nothing is visible before
 * `finish`; an error in `append` or `finish` removes what was written.
 */
export class FragmentWriter {
  /** URI of the fragment. */
  readonly uri: string;
  readonly #target: WriteTarget;
  readonly #files: FragmentFiles;
  readonly #fields: readonly Field[];
  readonly #buffers: readonly TileBuffer[];
  readonly #bounds: readonly BoundsCollector[];
  readonly #order: OrderCheck;
  readonly #signal: AbortSignal | undefined;
  #buffered = 0;
  #cellCount = 0;
  #tileCount = 0;
  #lastTileCells = 0;
  #state: "open" | "finished" | "aborted" = "open";

  constructor(
    target: WriteTarget,
    files: FragmentFiles,
    allowEqual: boolean,
    signal: AbortSignal | undefined,
  ) {
    const { schema } = target;
    this.#target = target;
    this.#files = files;
    this.uri = files.uri;
    this.#fields = files.writers.map((writer) => writer.field);
    this.#buffers = this.#fields.map((field) => new TileBuffer(field));
    this.#bounds = schema.dimensions.map((dimension) => new BoundsCollector(dimension));
    this.#order = new OrderCheck(schema, allowEqual, target.uri);
    this.#signal = signal;
  }

  /** Cells appended so far. */
  get cellCount(): number {
    return this.#cellCount;
  }

  /**
   * Appends cells that follow the ones before in global order. Columns may be reused once the promise is fulfilled.
   * Throws ArgumentError, ValueError or OutOfDomainError where they are not what the schema or the order asks for; the
   * fragment is then gone.
   */
  async append(cells: CellsInput): Promise<void> {
    this.#checkOpen();
    try {
      const { columns, cellCount } = checkCells(this.#fields, cells, this.#target.uri);
      this.#order.check(columns.slice(0, this.#bounds.length), cellCount);
      await this.appendChecked(columns, cellCount);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Like `append`, for columns in the order of the fields that the caller has checked. */
  async appendChecked(columns: readonly Column[], cellCount: number): Promise<void> {
    const { capacity } = this.#target.schema;
    let at = 0;
    while (at < cellCount) {
      throwIfAborted(this.#signal);
      const taken = Math.min(cellCount - at, capacity - this.#buffered);
      if (taken === capacity) await this.#writeTile(columns, at, at + taken);
      else {
        this.#buffers.forEach((buffer, f) => {
          buffer.append(columns[f]!, at, at + taken);
        });
        this.#buffered += taken;
        if (this.#buffered === capacity) await this.#flush();
      }
      at += taken;
    }
    this.#cellCount += cellCount;
  }

  /**
   * Writes what is left and commits the fragment. Returns its URI, or null where no cell was appended: then nothing is
   * written. `beforeCommit` runs when all files but the commit file are there.
   */
  async finish(beforeCommit?: () => Promise<void>): Promise<string | null> {
    this.#checkOpen();
    if (this.#cellCount === 0) {
      await this.abort();
      return null;
    }
    try {
      throwIfAborted(this.#signal);
      if (this.#buffered > 0) await this.#flush();
      const bounds = this.#bounds.map((collector) => collector.finish());
      await this.#files.commit(
        {
          nonEmptyDomain: boundsRange(bounds),
          rtree: buildRTree(bounds),
          lastTileCellCount: this.#lastTileCells,
          tileCount: this.#tileCount,
        },
        beforeCommit,
      );
      this.#state = "finished";
      return this.uri;
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Removes what was written. Does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    await this.#files.remove();
  }

  #checkOpen(): void {
    if (this.#state === "open") return;
    throw new ArgumentError(`fragment writer: it was ${this.#state} before`, { where: this.uri });
  }

  async #flush(): Promise<void> {
    const columns = this.#buffers.map((buffer) => buffer.column());
    await this.#writeTile(columns, 0, this.#buffered);
    for (const buffer of this.#buffers) buffer.clear();
    this.#buffered = 0;
  }

  async #writeTile(columns: readonly Column[], start: number, end: number): Promise<void> {
    const { uri } = this.#target;
    const scans = this.#bounds.map((collector, d) => collector.addTile(columns[d]!, start, end, uri));
    for (const [f, writer] of this.#files.writers.entries()) {
      await writer.writeTile(columns[f]!, start, end, scans[f] ?? null);
    }
    this.#tileCount++;
    this.#lastTileCells = end - start;
  }
}

/** Fields of a sparse fragment in the order in which cells are handed to its writer: dimensions first. */
export function sparseFields(schema: ArraySchema, withTimestamps = false): Field[] {
  const fields = [...dimensionFields(schema), ...attributeFields(schema)];
  return withTimestamps ? [...fields, timestampsField(schema)] : fields;
}

/** Throws ArgumentError unless the array is sparse, UnsupportedError where its cell order is not written. */
export function checkSparse({ schema, uri }: WriteTarget): void {
  if (schema.arrayType !== "sparse") {
    throw new ArgumentError("write: the array is dense; use writeDense", { where: uri });
  }
  if (schema.currentDomain !== null) {
    throw new UnsupportedError("write: arrays with a current domain are not written", { where: uri });
  }
}

/** A writer for a fragment of a given name in an array that has been opened. */
export async function fragmentWriterIn(
  target: WriteTarget,
  name: string,
  options: FieldOptions & { readonly withTimestamps?: boolean } = {},
): Promise<FragmentWriter> {
  const { withTimestamps = false, ...ofFields } = options;
  const fields = sparseFields(target.schema, withTimestamps);
  const files = await FragmentFiles.open(target, name, fields, ofFields);
  return new FragmentWriter(target, files, withTimestamps || target.schema.allowsDuplicates, options.signal);
}

export interface FragmentWriterOptions extends WriteOptions {
  /**
   * Fields whose filters leave nothing that repeats but single bytes: counts and gaps of ascending indices, their bytes
   * shuffled. Their Zstandard encoder, if they have one, then looks for nothing else: it is several times as fast, and
   * closer to the entropy than low levels. What it writes any reader reads.
   */
  readonly withoutRepeats?: readonly string[] | undefined;
}

/**
 * Opens a new fragment of a sparse array for cells that come in its global order (for row-major arrays without space
 * tiles: ascending by the first dimension, then the second). See `FragmentWriter`.
 */
export async function openFragmentWriter(
  location: string | StoreLocation,
  options: FragmentWriterOptions = {},
): Promise<FragmentWriter> {
  const time = writeTime(options.timestamp);
  const target = await openTarget(location, options);
  checkSparse(target);
  const { signal, withoutRepeats } = options;
  return fragmentWriterIn(target, newName(time, WRITE_VERSION), { signal, withoutRepeats });
}
