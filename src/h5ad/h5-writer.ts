import { ArgumentError, ValueError } from "../errors.js";
import type { TextColumn } from "../util/frame.js";
import { bytesOf, type TypedArray } from "../util/typed-arrays.js";
import {
  BOOLEAN_STAND_IN,
  describe,
  type ElementType,
  numberType,
  TEXT,
  type WriteMetadata,
} from "./h5-element-type.js";
import { type H5Library, type H5Module, withHeap } from "./h5-file.js";
import { GrowingNumbers } from "./h5-growing.js";
import type { HeaderPatch } from "./h5-header-patch.js";

/** Writing groups, attributes and datasets, through a bounded piece of the library's heap. */

export interface WriterOptions {
  /** gzip level of datasets above a few kilobytes, 1 to 9; 0 writes them uncompressed. */
  readonly gzip: number;
}

const UNLIMITED = 18446744073709551615n;
/** Bytes up to which a dataset is written in one run, without chunks. */
const SMALL = 4096;
/** Bytes of a chunk, about: large enough to compress well, small enough to read a few rows. */
const CHUNK = 256 * 1024;
const PIECE = 8 * 1024 * 1024;

const GZIP = 1;

export class H5Writer {
  private readonly library: H5Library;
  private readonly name: string;
  private readonly gzip: number;
  private id: bigint | undefined;
  private readonly patches: { path: string; to: HeaderPatch["to"] }[] = [];

  /** Creates (or empties) the file at `path`. `name` is for messages. */
  constructor(library: H5Library, path: string, name: string, options: WriterOptions) {
    if (!Number.isInteger(options.gzip) || options.gzip < 0 || options.gzip > 9) {
      throw new ArgumentError(`gzip level ${options.gzip}, expected 0 to 9`);
    }
    this.library = library;
    this.name = name;
    this.gzip = options.gzip;
    // The earliest version of each structure is what h5py writes by default, and what the header patches count on.
    this.id = library.write(
      (module) =>
        module.open(path, module.H5F_ACC_TRUNC, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST),
      "cannot create the file",
      name,
    );
  }

  group(path: string): void {
    this.run(path, (module, id) => module.create_group(id, path, false));
  }

  textAttribute(path: string, name: string, value: string | readonly string[]): void {
    const values = typeof value === "string" ? [value] : [...value];
    const shape = typeof value === "string" ? [] : [BigInt(values.length)];
    const metadata = describe(TEXT, shape);
    this.run(path, (module, id) => module.create_vlen_str_attribute(id, path, name, values, metadata));
  }

  numberAttribute(path: string, name: string, values: TypedArray, scalar = false): void {
    const metadata = describe(numberType(values), scalar ? [] : [BigInt(values.length)]);
    this.run(path, (module, id) =>
      withHeap(module, values.byteLength, (pointer) => {
        module.HEAPU8.set(bytesOf(values), pointer);
        module.create_attribute(id, path, name, BigInt(pointer), metadata);
      }),
    );
  }

  /** A dataset of numbers, row after row; an empty shape makes a scalar. */
  numbers(path: string, values: TypedArray, shape: readonly number[] = [values.length]): void {
    this.dataset(path, numberType(values), bytesOf(values), shape);
  }

  /** A dataset of one dimension that grows as values of the type of `example` are appended; call `finish` at its end. */
  growing(path: string, example: TypedArray): GrowingNumbers {
    const values = Math.max(1, Math.floor(CHUNK / example.BYTES_PER_ELEMENT));
    const metadata = this.chunked(numberType(example), [0n], [UNLIMITED], [values]);
    this.run(path, (module, id) => module.create_dataset(id, path, 0n, metadata));
    return new GrowingNumbers(values, (bytes, first, end) => {
      this.run(path, (module, id) => module.resize_dataset(id, path, [BigInt(end)]));
      this.piece(path, bytes, [first, end], []);
    });
  }

  /** A dataset of booleans, a byte each in `values`. */
  booleans(path: string, values: Uint8Array, shape: readonly number[] = [values.length]): void {
    this.patches.push({ path, to: "boolean" });
    this.dataset(path, BOOLEAN_STAND_IN, values, shape);
  }

  /** A dataset without content, for None. */
  nothing(path: string): void {
    this.patches.push({ path, to: "null" });
    this.dataset(path, numberType(new Float32Array(1)), new Uint8Array(4), []);
  }

  /** A dataset of UTF-8 text of variable length. */
  text(path: string, column: TextColumn, shape?: readonly number[]): void {
    if (column.data.includes(0)) throw new ValueError(`${path.slice(1)}: text with a zero byte in it`);
    const rows = column.offsets.length - 1;
    const lengths = shape ?? [rows];
    if (lengths.length !== 1) {
      this.smallText(path, column, lengths);
      return;
    }
    const metadata = this.chunked(TEXT, [0n], [UNLIMITED], [Math.max(1, Math.min(rows, CHUNK / 16))]);
    this.run(path, (module, id) => {
      module.create_vlen_str_dataset(id, path, [], metadata);
      if (rows > 0) module.resize_dataset(id, path, [BigInt(rows)]);
    });
    for (let row = 0; row < rows; ) row = this.textPiece(path, column, row);
  }

  /** Closes the file; what remains to do to it is returned. */
  close(): HeaderPatch[] {
    const { id } = this;
    if (id === undefined) return [];
    const patches = this.patches.map(({ path, to }) => ({ address: this.address(path), to }));
    this.id = undefined;
    this.library.write((module) => module.close_file(id), "closing", this.name);
    return patches;
  }

  /** Closes without finishing; no error. */
  abandon(): void {
    const { id } = this;
    this.id = undefined;
    if (id === undefined) return;
    try {
      this.library.call((module) => module.close_file(id), "closing", this.name);
    } catch {
      // The file is thrown away by the caller.
    }
  }

  private address(path: string): number {
    const reference = this.run(path, (module, id) => module.create_object_reference(id, path));
    const bytes = Uint8Array.from(reference);
    return Number(new DataView(bytes.buffer).getBigUint64(0, true));
  }

  private run<T>(path: string, work: (module: H5Module, id: bigint) => T): T {
    const { id } = this;
    if (id === undefined) throw new ArgumentError("the file is closed", { where: this.name });
    return this.library.write((module) => work(module, id), `cannot write ${path.slice(1)}`, this.name);
  }

  private dataset(path: string, type: ElementType, bytes: Uint8Array, shape: readonly number[]): void {
    if (shape.length === 0 || bytes.length <= SMALL) this.smallDataset(path, type, bytes, shape);
    else this.largeDataset(path, type, bytes, shape);
  }

  private largeDataset(path: string, type: ElementType, bytes: Uint8Array, shape: readonly number[]): void {
    const inner = shape.slice(1);
    const rowBytes = bytes.length / shape[0]!;
    const rowsPerChunk = Math.max(1, Math.min(shape[0]!, Math.floor(CHUNK / rowBytes)));
    const metadata = this.chunked(
      type,
      [0n, ...inner.map(BigInt)],
      [UNLIMITED, ...inner.map(BigInt)],
      [rowsPerChunk, ...inner],
    );
    this.run(path, (module, id) => {
      module.create_dataset(id, path, 0n, metadata);
      module.resize_dataset(id, path, shape.map(BigInt));
    });
    const step = Math.max(1, Math.floor(PIECE / (rowBytes * rowsPerChunk))) * rowsPerChunk;
    for (let row = 0; row < shape[0]!; row += step) {
      const end = Math.min(shape[0]!, row + step);
      this.piece(path, bytes.subarray(row * rowBytes, end * rowBytes), [row, end], inner);
    }
  }

  private piece(
    path: string,
    bytes: Uint8Array,
    rows: readonly [number, number],
    inner: readonly number[],
  ): void {
    const count = [rows[1] - rows[0], ...inner].map(BigInt);
    const offset = [rows[0], ...inner.map(() => 0)].map(BigInt);
    this.run(path, (module, id) =>
      withHeap(module, bytes.length, (pointer) => {
        module.HEAPU8.set(bytes, pointer);
        module.set_dataset_data(
          id,
          path,
          count,
          offset,
          count.map(() => 1n),
          BigInt(pointer),
        );
      }),
    );
  }

  private smallDataset(path: string, type: ElementType, bytes: Uint8Array, shape: readonly number[]): void {
    const metadata = describe(type, shape.map(BigInt));
    this.run(path, (module, id) =>
      withHeap(module, bytes.length, (pointer) => {
        module.HEAPU8.set(bytes, pointer);
        module.create_dataset(id, path, BigInt(pointer), metadata);
      }),
    );
  }

  private smallText(path: string, column: TextColumn, shape: readonly number[]): void {
    const decoder = new TextDecoder();
    const values = Array.from({ length: column.offsets.length - 1 }, (_, row) =>
      decoder.decode(column.data.subarray(column.offsets[row], column.offsets[row + 1])),
    );
    const metadata = describe(TEXT, shape.map(BigInt));
    this.run(path, (module, id) => module.create_vlen_str_dataset(id, path, values, metadata));
  }

  /** Writes rows from `first` on, as many as fit a piece; the next row is returned. */
  private textPiece(path: string, { offsets, data }: TextColumn, first: number): number {
    const rows = offsets.length - 1;
    const start = offsets[first]!;
    let end = first + 1;
    while (end < rows && offsets[end + 1]! - start + 5 * (end - first) < PIECE) end++;
    const count = end - first;
    const size = count * 5 + offsets[end]! - start;
    this.run(path, (module, id) =>
      withHeap(module, size, (pointer) => {
        const heap = module.HEAPU8;
        const pointers = new DataView(heap.buffer, pointer, count * 4);
        let to = pointer + count * 4;
        for (let row = 0; row < count; row++) {
          const bytes = data.subarray(offsets[first + row], offsets[first + row + 1]);
          pointers.setUint32(row * 4, to, true);
          heap.set(bytes, to);
          to += bytes.length;
          heap[to++] = 0;
        }
        module.set_dataset_data(id, path, [BigInt(count)], [BigInt(first)], [1n], BigInt(pointer));
      }),
    );
    return end;
  }

  private chunked(type: ElementType, shape: bigint[], maxshape: bigint[], chunks: number[]): WriteMetadata {
    // HDF5 refuses filters on text of variable length; they would only see pointers.
    const compressed = this.gzip > 0 && !type.vlen;
    return {
      ...describe(type, shape),
      maxshape,
      chunks: chunks.map(BigInt),
      compression: compressed ? GZIP : 0,
      compression_opts: compressed ? [this.gzip] : [],
    };
  }
}
