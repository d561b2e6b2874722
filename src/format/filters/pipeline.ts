import { FormatError } from "../../errors.js";
import type { Datatype } from "../datatype.js";
import type { FilterPipeline } from "../filter-pipeline.js";
import type { Filter, Filtered, FilterStep, Output, Stored } from "./filter.js";
import type { Scratch } from "./scratch.js";
import type { Strings } from "./strings.js";

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

/** See string-decode.ts. */
export type DecodeStrings = (
  coding: "rle" | "dictionary",
  stored: Stored,
  cells: number,
  size: number,
) => Strings;

/** A pipeline whose filters are in memory, so that tiles decode and encode synchronously. */
export interface LoadedPipeline {
  readonly context: PipelineContext;
  readonly maxChunkSize: number;
  /**
   * How variable-length strings are coded as the pipeline's first step, if they are; `steps` are the other filters.
   * The data then hold the cells' lengths, and the offsets are not stored.
   */
  readonly stringCoding: "rle" | "dictionary" | null;
  /** Undoes that coding. */
  readonly decodeStrings: DecodeStrings | null;
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
  loading ??= import("./load-pipeline.js");
  return (await loading).loadPipeline(pipeline, context, options);
}

let loading: Promise<typeof import("./load-pipeline.js")> | undefined;

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
