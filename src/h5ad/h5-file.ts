import { ArgumentError, FormatError, isCellarrError, StorageError, UnsupportedError } from "../errors.js";

/**
 * HDF5 files through h5wasm (the HDF5 C library compiled to WebAssembly), which this module alone imports, when a
 * file is first opened. Two builds of it exist: one sees only its own memory (any platform; files are given as bytes),
 * one sees the disk (Node; registered by h5-file-node.ts).
 *
 * The library's functions are called directly rather than through h5wasm's classes: those ignore the status of a read,
 * make a string per text cell, and copy whole datasets through the WebAssembly heap.
 */

/** The part of h5wasm's module that is used here. */
export type H5Module = Awaited<typeof import("h5wasm")["ready"]>;

export type H5Metadata = ReturnType<H5Module["get_dataset_metadata"]>;

/** Class codes of HDF5 datatypes (H5T_class_t). */
export const H5_CLASS = {
  integer: 0,
  float: 1,
  string: 3,
  compound: 6,
  reference: 7,
  enum: 8,
  array: 10,
} as const;

/** What the disk build adds; registered by the Node entry. */
export interface H5Disk {
  readonly library: () => Promise<H5Library>;
  /** Throws NotFoundError unless `path` is a file. */
  readonly open: (path: string) => Promise<H5Bytes>;
  /** A new path beside `path`, on the same volume. */
  readonly temporary: (path: string) => string;
  /** Overwrites bytes of an existing file, each patch at its offset. */
  readonly patch: (path: string, edit: (read: ReadAt, write: WriteAt) => void) => void;
  /** Gives the finished file its name; ExistsError where `path` exists and `overwrite` is false. */
  readonly publish: (temporary: string, path: string, overwrite: boolean) => Promise<void>;
  /** What has that name; null if nothing has. */
  readonly kindOf: (path: string) => Promise<"file" | "folder" | null>;
  /** No error where the file is not there. */
  readonly remove: (path: string) => Promise<void>;
}

/** The bytes of an open file. */
export interface H5Bytes {
  readonly size: number;
  readonly read: ReadAt;
  readonly close: () => void;
}

/** Bytes from an offset on; fewer than asked for at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;
export type WriteAt = (offset: number, bytes: Uint8Array) => void;

let disk: H5Disk | undefined;
let memory: Promise<H5Library> | undefined;
let lastFile = 0;

/** Makes paths openable. */
export function registerH5Disk(platform: H5Disk): void {
  disk = platform;
}

/** The disk, or UnsupportedError where there is none. */
export function h5Disk(path: string): H5Disk {
  if (disk !== undefined) return disk;
  throw new UnsupportedError("opening H5AD files by path needs Node; give the file's bytes instead", {
    where: path,
  });
}

/** One build of the library, with its messages kept off the console. */
export class H5Library {
  readonly module: H5Module;
  private diagnostics = "";

  constructor(module: H5Module) {
    this.module = module;
  }

  /**
   * Runs calls of the library. HDF5 prints a stack of messages for each failure, and h5wasm offers only to throw them
   * from within, which leaks what the C++ frames hold; so writes to stderr are caught meanwhile, and explain a failure.
   */
  call<T>(work: (module: H5Module) => T, what: string, where: string): T {
    const files = this.module.FS as unknown as StreamWriter;
    const write = files.write;
    this.diagnostics = "";
    files.write = (stream, buffer, offset, length, ...rest) => {
      if (stream.fd !== 2) return write.call(files, stream, buffer, offset, length, ...rest);
      if (this.diagnostics.length < 16_384) this.note(buffer, offset, length);
      return length;
    };
    try {
      return work(this.module);
    } catch (error) {
      if (isCellarrError(error)) throw error;
      throw this.failure(what, where, error);
    } finally {
      files.write = write;
    }
  }

  /** `call` for writing, where h5wasm reports no status: a call that made HDF5 print anything has failed. */
  write<T>(work: (module: H5Module) => T, what: string, where: string): T {
    const checked = (module: H5Module): T => {
      const result = work(module);
      if (this.diagnostics !== "") throw new StorageError(`${what}: ${this.reason()}`, { where });
      return result;
    };
    return this.call(checked, what, where);
  }

  /** The error for a call that failed, with HDF5's innermost message. */
  failure(what: string, where: string, cause?: unknown): FormatError | UnsupportedError {
    const missing = /required filter '([^']*)' is not registered/.exec(this.diagnostics);
    if (missing !== null) {
      return new UnsupportedError(
        `${what}: needs the HDF5 filter '${missing[1]}', which is not available here`,
        {
          where,
        },
      );
    }
    return new FormatError(`${what}: ${this.reason(cause)}`, { where, cause });
  }

  private reason(cause?: unknown): string {
    // The first failure explains those after it.
    const stack = this.diagnostics.split("HDF5-DIAG")[1] ?? "";
    const messages = [...stack.matchAll(/^ +#\d+: .*? in [^:]*: (.*)$/gm)];
    return messages.at(-1)?.[1] ?? (cause instanceof Error ? cause.message : "the HDF5 library failed");
  }

  private note(buffer: ArrayLike<number>, offset: number, length: number): void {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = buffer[offset + at]!;
    this.diagnostics += new TextDecoder().decode(bytes);
  }
}

/** Emscripten's file system, as its own system calls use it. */
interface StreamWriter {
  write(
    stream: { fd?: number },
    buffer: ArrayLike<number>,
    offset: number,
    length: number,
    ...rest: unknown[]
  ): number;
}

/** The build that sees only memory. */
export function memoryLibrary(): Promise<H5Library> {
  memory ??= import("h5wasm").then(async (h5wasm) => {
    const module = await h5wasm.ready;
    return new H5Library(module);
  });
  return memory;
}

/** A path in the memory build's file system that nothing else uses. */
export function memoryPath(): string {
  lastFile++;
  return `/cellarr-${lastFile}.h5`;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Where the HDF5 part starts: there may be a user block before it, of 512 bytes or a doubling of that. */
function signatureOffset({ read, size }: H5Bytes): number | null {
  for (let at = 0; at + 8 <= size; at = at === 0 ? 512 : at * 2) {
    const bytes = read(at, 8);
    if (SIGNATURE.every((byte, place) => bytes[place] === byte)) return at;
  }
  return null;
}

/** An HDF5 file open for reading. */
export class H5File {
  /** Path or given name, for messages. */
  readonly name: string;
  readonly library: H5Library;
  /** Bytes of the file: bounds what its datasets can claim. */
  readonly size: number;
  private id: bigint | undefined;
  private readonly bytes: H5Bytes;
  /** Addresses within the file count from here. */
  private readonly base: number;

  private constructor(name: string, library: H5Library, bytes: H5Bytes, base: number, path: string) {
    this.name = name;
    this.library = library;
    this.size = bytes.size;
    this.bytes = bytes;
    this.base = base;
    this.id = openId(library, path, name);
  }

  /**
   * Opens a path (Node: read from disk as needed) or bytes (not copied; don't change them while open).
   * Throws NotFoundError, or FormatError for a cut, empty or foreign file.
   */
  static async open(source: string | Uint8Array, name?: string): Promise<H5File> {
    const where = name ?? (typeof source === "string" ? source : "bytes");
    const isPath = typeof source === "string";
    const bytes = isPath ? await h5Disk(source).open(source) : bytesInMemory(source);
    try {
      const base = checkedBase(bytes, where);
      const library = await (isPath ? h5Disk(source).library() : memoryLibrary());
      const path = isPath ? source : mount(library, source, bytes);
      return new H5File(where, library, bytes, base, path);
    } catch (error) {
      bytes.close();
      throw error;
    }
  }

  /** Id of the open file; throws where it was closed. */
  get fileId(): bigint {
    if (this.id === undefined) throw new ArgumentError("the file is closed", { where: this.name });
    return this.id;
  }

  close(): void {
    if (this.id === undefined) return;
    const id = this.id;
    this.id = undefined;
    this.library.call((module) => module.close_file(id), "closing", this.name);
    this.bytes.close();
  }

  /** Bytes at an address within the file; none where they are not all there. */
  readonly read: ReadAt = (address, length) => {
    const offset = this.base + address;
    return offset + length <= this.size ? this.bytes.read(offset, length) : new Uint8Array(0);
  };

  /** Address of an object's header. */
  address(path: string): number {
    const reference = this.library.call(
      (module) => module.create_object_reference(this.fileId, path),
      path,
      this.name,
    );
    return Number(new DataView(Uint8Array.from(reference).buffer).getBigUint64(0, true));
  }

  /** What is at an absolute path; null for nothing, or for a link to nowhere. */
  kind(path: string): "group" | "dataset" | null {
    const type = this.library.call((module) => module.get_type(this.fileId, path), path, this.name);
    if (type === this.library.module.H5G_GROUP) return "group";
    return type === this.library.module.H5G_DATASET ? "dataset" : null;
  }

  /** Names in a group, sorted as HDF5 lists them. */
  keys(path: string): string[] {
    return this.library.call((module) => module.get_names(this.fileId, path, false), path, this.name);
  }

  attributeNames(path: string): string[] {
    return this.library.call((module) => module.get_attribute_names(this.fileId, path), path, this.name);
  }
}

function bytesInMemory(bytes: Uint8Array): MemoryBytes {
  const memory: MemoryBytes = {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    close: () => memory.unmount?.(),
  };
  return memory;
}

interface MemoryBytes extends H5Bytes {
  unmount?: () => void;
}

/** Gives bytes a name in the library's own file system, until they are closed. */
function mount(library: H5Library, source: Uint8Array, bytes: MemoryBytes): string {
  const path = memoryPath();
  library.module.FS.writeFile(path, source, { canOwn: true } as object);
  bytes.unmount = () => library.module.FS.unlink(path);
  return path;
}

function checkedBase(bytes: H5Bytes, name: string): number {
  if (bytes.size === 0) throw new FormatError("not an HDF5 file: it is empty", { where: name });
  const base = signatureOffset(bytes);
  if (base === null) throw new FormatError("not an HDF5 file: no HDF5 signature", { where: name });
  return base;
}

function openId(library: H5Library, path: string, name: string): bigint {
  return library.call(
    (module) => {
      const id = module.open(path, module.H5F_ACC_RDONLY, false, -1, -1);
      if (id < 0n) throw library.failure("cannot open as HDF5", name);
      return id;
    },
    "cannot open as HDF5",
    name,
  );
}

/** Memory of the library's heap for the time of `work`. */
export function withHeap<T>(module: H5Module, bytes: number, work: (pointer: number) => T): T {
  const pointer = module._malloc(Math.max(8, bytes));
  if (pointer === 0) throw new StorageError(`the HDF5 library has no room for ${bytes} bytes`);
  try {
    return work(pointer);
  } finally {
    module._free(pointer);
  }
}
