import { FormatError, UnsupportedError } from "../../errors.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../datatype.js";
import type { FilterPipeline, FilterSpec } from "../filter-pipeline.js";
import { integerOf } from "./element.js";
import type { Filter, Filtered, FilterStep, Output, Stored } from "./filter.js";
import { loadFilter, loadRunsEncoder } from "./registry.js";

/** What a pipeline needs to know of the cells that go through it. */
export interface PipelineContext {
  readonly datatype: Datatype;
  /** Values per cell; VAR_NUM of variable-length cells. */
  readonly cellValNum: number;
  /** Format version of the fragment. */
  readonly version: number;
}

/** A filter that has been loaded, with its place in the pipeline. */
export interface LoadedStep extends FilterStep {
  readonly filter: Filter;
}

/** A pipeline whose filters are in memory, so that tiles decode and encode synchronously. */
export interface LoadedPipeline {
  readonly context: PipelineContext;
  readonly maxChunkSize: number;
  /**
   * How variable-length strings are coded as the pipeline's first step, if they are; `steps` are the other filters.
   * The data then hold the cells' lengths, and the offsets are not stored.
   */
  readonly stringCoding: "rle" | "dictionary" | null;
  readonly steps: readonly LoadedStep[];
  readonly scratch: Scratch;
}

export interface LoadOptions {
  /** Loads what writing needs besides; without it `encodeTile` may refuse. */
  readonly encode?: boolean | undefined;
  /** The data repeat nothing but single bytes: Zstandard parts are encoded by ../zstd/encode-runs.ts. */
  readonly withoutRepeats?: boolean | undefined;
  /** Of an encrypted array, 32 bytes. */
  readonly encryptionKey?: Uint8Array | undefined;
}

/**
 * Loads the filters of a pipeline: once, when an array opens. Throws UnsupportedError for a filter that is not there, or that cannot take values
 * of the type.
 */
export async function loadPipeline(
  pipeline: FilterPipeline,
  context: PipelineContext,
  options: LoadOptions = {},
): Promise<LoadedPipeline> {
  const stringCoding = stringCodingOf(pipeline, context);
  const specs = stringCoding === null ? pipeline.filters : pipeline.filters.slice(1);
  const info = datatypeInfo(context.datatype);
  const cellBytes = context.cellValNum === VAR_NUM ? info.bytes : info.bytes * context.cellValNum;
  let datatype = context.datatype;
  const steps: LoadedStep[] = [];
  const scratch = new Scratch();
  const { encryptionKey: key } = options;
  const copiedBelow = specs.findLastIndex(({ type }) => makesOwnMemory.has(type));
  for (const spec of key === undefined ? specs : encrypted(specs)) {
    checkInput(spec, datatype, options.encode === true && context.version >= 20);
    const filter = await (options.withoutRepeats === true && spec.type === "zstd"
      ? loadRunsEncoder()
      : loadFilter(spec.type, options.encode === true, key));
    const slot = steps.length;
    const output = slot < copiedBelow ? (bytes: number) => scratch.take(slot, bytes) : undefined;
    steps.push({ filter, spec, datatype, cellBytes, version: context.version, output });
    // Before version 20 (core 2.17) all filters were told the type of the cells.
    if (context.version >= 20) datatype = outputOf(spec, datatype);
  }
  return { context, maxChunkSize: pipeline.maxChunkSize, stringCoding, steps, scratch };
}

/** Compressors whose output is no view of their input and is not used again, so that what comes before them may be. */
const makesOwnMemory: ReadonlySet<string> = new Set(["gzip", "zstd", "bzip2", "lz4"]);

/** Encryption comes last; only generic tiles' pipelines say so themselves. */
function encrypted(specs: readonly FilterSpec[]): readonly FilterSpec[] {
  return specs.at(-1)?.type === "aes_256_gcm" ? specs : [...specs, { type: "aes_256_gcm" }];
}

/** RLE since version 12, dictionary since 13, both since 17 for UTF-8; only as the first filter of the pipeline. */
function stringCodingOf(pipeline: FilterPipeline, context: PipelineContext): "rle" | "dictionary" | null {
  const first = pipeline.filters[0]?.type;
  if (context.cellValNum !== VAR_NUM || (first !== "rle" && first !== "dictionary")) return null;
  if (context.datatype === "string_utf8") return context.version >= 17 ? first : null;
  if (context.datatype !== "string_ascii") return null;
  return context.version >= (first === "rle" ? 12 : 13) ? first : null;
}

/** The type of the values that a filter puts out. */
function outputOf(spec: FilterSpec, input: Datatype): Datatype {
  switch (spec.type) {
    case "delta":
    case "double_delta":
      return spec.reinterpret ?? input;
    case "scale_float":
      return integers[spec.byteWidth] ?? input;
    case "xor":
      return integers[datatypeInfo(input).bytes] ?? input;
    default:
      return input;
  }
}

const integers: Readonly<Record<number, Datatype>> = { 1: "int8", 2: "int16", 4: "int32", 8: "int64" };

/** The official library refuses to make arrays with what is refused here; `strict` is for writing. */
function checkInput(spec: FilterSpec, input: Datatype, strict: boolean): void {
  const { bytes } = datatypeInfo(input);
  if (spec.type === "delta" || spec.type === "double_delta") {
    const as = datatypeInfo(spec.reinterpret ?? input);
    if (as.kind === "float") throw new UnsupportedError(`${spec.type} filter: no values of type ${as.name}`);
    if (spec.reinterpret === undefined || bytes % as.bytes === 0) return;
    throw new UnsupportedError(`${spec.type} filter: ${input} cannot be reinterpreted as ${as.name}`);
  }
  const windowed = spec.type === "bit_width_reduction" || spec.type === "positive_delta";
  if (strict && windowed && integerOf(input) === null) {
    throw new UnsupportedError(`${spec.type} filter: no values of type ${input}`);
  }
  if (spec.type === "scale_float" && bytes !== 4 && bytes !== 8) {
    throw new UnsupportedError(`scale_float filter: no values of type ${input}`);
  }
}

/** Runs a chunk forward through filters. */
export function runForward(steps: readonly LoadedStep[], input: Filtered): Filtered {
  let current = input;
  for (const step of steps) current = step.filter.forward(current, step);
  return current;
}

/**
 * Runs a stored chunk back through filters. With `target`, the data must fill it exactly, and are written to it;
 * without, they may be as large as `limit` and may lie in scratch memory, valid until the next call.
 */
export function runReverse(
  pipeline: LoadedPipeline,
  stored: Stored,
  target: Uint8Array | null,
  limit: number,
): Stored {
  const { steps, scratch } = pipeline;
  let current = stored;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!;
    const most = i === 0 && target === null ? limit : mostBytes(limit, i);
    const output = new ChunkOutput(step, scratch, i, i === 0 ? target : null, most);
    current = step.filter.reverse(current, step, output);
  }
  if (target === null || current.data === target) return current;
  if (current.data.byteLength !== target.byteLength) {
    throw new FormatError(
      `expected ${target.byteLength} bytes after the filters, found ${current.data.byteLength}`,
    );
  }
  target.set(current.data);
  return { metadata: current.metadata, data: target };
}

/**
 * The most that `count` filters can make of a chunk's `bytes` on writing. No filter makes more than six times of
 * small chunks' values (positive delta with windows of one byte); more is the claim of a corrupt file.
 */
function mostBytes(bytes: number, count: number): number {
  return Math.min((bytes + 4096) * 8 ** count, 0x7fffffff);
}

class ChunkOutput implements Output {
  readonly #step: LoadedStep;
  readonly #scratch: Scratch;
  readonly #slot: number;
  readonly #target: Uint8Array | null;
  readonly #limit: number;

  constructor(step: LoadedStep, scratch: Scratch, slot: number, target: Uint8Array | null, limit: number) {
    this.#step = step;
    this.#scratch = scratch;
    this.#slot = slot;
    this.#target = target;
    this.#limit = limit;
  }

  data(bytes: number): Uint8Array {
    if (this.#target !== null) {
      if (bytes === this.#target.byteLength) return this.#target;
      throw new FormatError(
        `${this.#step.spec.type} filter: expected ${this.#target.byteLength} bytes, found ${bytes}`,
      );
    }
    this.#check(bytes);
    return this.#scratch.take(this.#slot, bytes);
  }

  metadata(bytes: number): Uint8Array {
    this.#check(bytes);
    return new Uint8Array(bytes);
  }

  #check(bytes: number): void {
    if (bytes <= this.#limit) return;
    throw new FormatError(
      `${this.#step.spec.type} filter: ${bytes} bytes, more than the ${this.#limit} that the chunk can account for`,
    );
  }
}

/** Memory for what goes from filter to filter, one piece per filter, reused from chunk to chunk. */
export class Scratch {
  readonly #pieces: Uint8Array[] = [];

  /** Not cleared. */
  take(slot: number, bytes: number): Uint8Array {
    let piece = this.#pieces[slot];
    if (piece === undefined || piece.byteLength < bytes) {
      piece = new Uint8Array(Math.max(bytes, 1024));
      // Pieces for chunks out of the ordinary are not kept for the life of the array.
      if (bytes <= 1 << 20) this.#pieces[slot] = piece;
    }
    return piece.subarray(0, bytes);
  }
}
