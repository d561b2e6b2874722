import { FormatError, isCellarrError, LimitError, UnsupportedError } from "../errors.js";
import type { TextColumn } from "../util/frame.js";
import type { ReusedArrays } from "../util/reused-arrays.js";
import { bytesOf, type TypedArray } from "../util/typed-arrays.js";
import { ChunkReader } from "./h5-chunk-reader.js";
import { decodesFaster, decodesHere, type StoredFilter, viewOf } from "./h5-chunks.js";
import { type H5File, type H5Metadata, type H5Module, withHeap } from "./h5-file.js";
import { REFERENCE_SIZE } from "./h5-global-heap.js";
import { TextBuilder, trimFixed } from "./h5-text.js";
import {
  arrayOf,
  decodeNumbers,
  describeType,
  expectNumbers,
  type H5Type,
  type NumberType,
  newArray,
  typeOf,
} from "./h5-type.js";

/** Reading datasets by ranges of their first dimension, through a bounded piece of the library's heap. */

/** Bytes that one call reads at most, unless a single chunk or row is larger. */
const PIECE = 8 * 1024 * 1024;

/** Bytes of a dataset from which on looking up its chunks pays. */
const MIN_FAST = 1 << 18;

/** What gzip (1032 : 1) and lzf reach at most, with room to spare; bounds what a small file can claim to hold. */
const BEST_RATIO = 2048;
const BOUNDED_FILTERS = new Set([1, 2, 3, 32000]);

export class H5Dataset {
  readonly file: H5File;
  readonly path: string;
  readonly type: H5Type;
  /** Empty for a scalar; null for a dataset without data space. */
  readonly shape: readonly number[] | null;
  /** Elements along the first dimension that a chunk spans; null where not chunked. */
  readonly chunkRows: number | null;
  private readonly filters: readonly StoredFilter[];
  private readonly bigEndian: boolean;
  private chunks: ChunkReader | undefined;
  /** For numbers; null where it turned out that the library has to read them. */
  private fastChunks: ChunkReader | null | undefined;

  /** Throws FormatError where there is no dataset, or its size cannot be true of a file of that length. */
  constructor(file: H5File, path: string) {
    this.file = file;
    this.path = path;
    const metadata = file.library.call(
      (module) => module.get_dataset_metadata(file.fileId, path),
      path,
      file.name,
    );
    this.type = typeOf(metadata);
    this.shape = metadata.shape;
    this.chunkRows = metadata.chunks?.[0] ?? null;
    this.filters = this.chunkRows === null ? [] : this.readFilters();
    this.bigEndian = !metadata.littleEndian && metadata.size > 1 && this.type.kind === "number";
    if (metadata.virtual_sources === undefined) this.checkSize(metadata);
  }

  /** Elements along the first dimension; 1 for a scalar. */
  get rows(): number {
    return this.shape?.[0] ?? 1;
  }

  /** Elements of a row, all further dimensions together. */
  get rowLength(): number {
    return (this.shape ?? []).slice(1).reduce((product, length) => product * length, 1);
  }

  get label(): string {
    return this.path.replace(/^\//, "");
  }

  /** Numbers of rows [start, end), row after row, in an array of their own or that of `memory` with that name. */
  numbers(start = 0, end = this.rows, memory?: ReusedArrays, name = ""): TypedArray {
    const type = expectNumbers(this.type, this.label, this.file.name);
    const all = this.allocate(type, (end - start) * this.rowLength, memory, name);
    if (this.fillFromChunks(type, start, end, all)) return all;
    this.pieces(start, end, (bytes, row) => {
      const piece = decodeNumbers(type, bytes);
      setAt(all, piece, (row - start) * this.rowLength);
    });
    return all;
  }

  /** True if `numbers` reads the chunk in which the last range ended no second time for the next. */
  get keepsChunk(): boolean {
    return this.fastChunks !== undefined && this.fastChunks !== null;
  }

  /**
   * Takes numbers straight from their chunks where that is faster than the library (decodesFaster). False where it is
   * not, and for whatever there is no reading of here: the library then reads it, or says what is wrong.
   */
  private fillFromChunks(type: NumberType, start: number, end: number, all: TypedArray): boolean {
    if (this.shape?.length !== 1 || type.half || this.bigEndian || end > this.rows || start < 0) return false;
    if (this.rows * this.type.size < MIN_FAST || !decodesFaster(this.filters)) return false;
    const { file } = this;
    try {
      if (this.fastChunks === undefined) {
        const address = file.address(this.path);
        const chunks = new ChunkReader(file.read, file.size, address, this.shape, this.filters);
        if (chunks.rowBytes !== this.type.size) return false;
        this.fastChunks = chunks;
      }
      this.fastChunks?.fill(start, end, bytesOf(all));
      return this.fastChunks !== null;
    } catch (error) {
      if (!isCellarrError(error)) throw error;
      this.fastChunks = null;
      return false;
    }
  }

  /** Text of all elements, as UTF-8. */
  text(): TextColumn {
    const { type } = this;
    if (type.kind !== "text") throw this.unexpected("text");
    const builder = new TextBuilder();
    if (type.variable && decodesHere(this.filters)) {
      this.chunkPieces(0, this.rows, (bytes, _row, { heap }) => {
        const references = viewOf(bytes);
        for (let at = 0; at < bytes.length; at += REFERENCE_SIZE) builder.add(heap.value(references, at));
      });
      return builder.finish();
    }
    this.pieces(0, this.rows, (bytes, _row, module) => {
      if (type.variable) builder.addPointers(new Uint32Array(bytes.slice().buffer), module.HEAPU8);
      else for (let at = 0; at < bytes.length; at += type.size) builder.add(trimFixed(bytes, at, type));
    });
    return builder.finish();
  }

  /**
   * Calls `work` with the bytes of consecutive rows of [start, end), in order. Bytes are a view of the library's heap,
   * valid within the call. Pieces end at chunk borders, so that no chunk is decompressed twice on the way.
   */
  pieces(start: number, end: number, work: (bytes: Uint8Array, row: number, module: H5Module) => void): void {
    if (this.shape === null) return;
    if (start < 0 || end > this.rows) {
      throw new FormatError(`${this.label}: rows ${start} to ${end} of ${this.rows}`, {
        where: this.file.name,
      });
    }
    if (end <= start || this.rowLength === 0) return;
    if (decodesHere(this.filters)) {
      this.chunkPieces(start, end, (bytes, row) => work(bytes, row, this.file.library.module));
      return;
    }
    const rowBytes = this.rowLength * this.type.size;
    const chunk = this.chunkRows ?? 1;
    const step = Math.max(1, Math.floor(PIECE / (rowBytes * chunk))) * chunk;
    for (let row = start; row < end; ) {
      const next = Math.min(end, (Math.floor(row / step) + 1) * step);
      this.piece(row, next, rowBytes, work);
      row = next;
    }
  }

  private piece(
    start: number,
    end: number,
    rowBytes: number,
    work: (bytes: Uint8Array, row: number, module: H5Module) => void,
  ): void {
    const { file, path } = this;
    const shape = this.shape ?? [];
    const scalar = shape.length === 0;
    const count = scalar ? null : [end - start, ...shape.slice(1)].map(BigInt);
    const offset = scalar ? null : shape.map((_, axis) => (axis === 0 ? BigInt(start) : 0n));
    const strides = scalar ? null : shape.map(() => 1n);
    const bytes = (end - start) * rowBytes;
    const read = (module: H5Module) =>
      withHeap(module, bytes, (pointer) => {
        const status = module.get_dataset_data(file.fileId, path, count, offset, strides, BigInt(pointer));
        if (status < 0) throw file.library.failure(`cannot read ${this.label}`, file.name);
        try {
          work(module.HEAPU8.subarray(pointer, pointer + bytes), start, module);
        } finally {
          if (holdsPointers(this.type)) {
            const reclaimed = count ?? [];
            module.reclaim_vlen_memory_count(file.fileId, path, "", BigInt(pointer), reclaimed);
          }
        }
      });
    file.library.call(read, `cannot read ${this.label}`, file.name);
  }

  private allocate(type: NumberType, length: number, memory?: ReusedArrays, name = ""): TypedArray {
    try {
      return memory?.take(name, arrayOf(type.dtype), length) ?? newArray(type.dtype, length);
    } catch (cause) {
      throw new LimitError(`${this.label}: no memory for ${length} values of ${describeType(type)}`, {
        where: this.file.name,
        cause,
      });
    }
  }

  private checkSize(metadata: H5Metadata): void {
    const bytes = metadata.total_size * metadata.size;
    if (bytes <= PIECE || bytes <= this.file.size) return;
    if (!this.filters.every((filter) => BOUNDED_FILTERS.has(filter.id))) return;
    if (bytes <= this.file.size * BEST_RATIO) return;
    throw new FormatError(
      `${this.label}: claims ${bytes} bytes, which a file of ${this.file.size} bytes cannot hold`,
      { where: this.file.name },
    );
  }

  private readFilters(): readonly StoredFilter[] {
    const { file, path } = this;
    return file.library.call((module) => module.get_dataset_filters(file.fileId, path), path, file.name);
  }

  /** What comes from chunks as they are in the file has no conversion by the library. */
  private checkDecodable(): void {
    const pointers = this.type.kind !== "text" && holdsPointers(this.type);
    if (!this.bigEndian && !pointers) return;
    const what = this.bigEndian ? "big-endian numbers" : "records with text of variable length";
    throw new UnsupportedError(`${this.label}: ${what} compressed with lzf`, { where: this.file.name });
  }

  private chunkPieces(
    start: number,
    end: number,
    work: (bytes: Uint8Array, row: number, chunks: ChunkReader) => void,
  ): void {
    const { file } = this;
    this.checkDecodable();
    try {
      const shape = this.shape ?? [];
      this.chunks ??= new ChunkReader(file.read, file.size, file.address(this.path), shape, this.filters);
      const { chunks } = this;
      chunks.pieces(start, end, (bytes, row) => work(bytes, row, chunks));
    } catch (error) {
      if (!(error instanceof FormatError) || error.where !== undefined) throw error;
      throw new FormatError(`cannot read ${this.label}: ${error.message}`, {
        where: file.name,
        cause: error,
      });
    }
  }

  unexpected(expected: string): FormatError {
    return new FormatError(`${this.label}: expected ${expected}, found ${describeType(this.type)}`, {
      where: this.file.name,
    });
  }
}

function setAt(all: TypedArray, piece: TypedArray, at: number): void {
  const big = all instanceof BigInt64Array || all instanceof BigUint64Array;
  if (big && (piece instanceof BigInt64Array || piece instanceof BigUint64Array)) all.set(piece, at);
  else if (!big && !(piece instanceof BigInt64Array || piece instanceof BigUint64Array)) all.set(piece, at);
}

function holdsPointers(type: H5Type): boolean {
  if (type.kind === "text") return type.variable;
  if (type.kind === "array") return holdsPointers(type.element);
  return type.kind === "compound" && type.members.some((member) => holdsPointers(member.type));
}
