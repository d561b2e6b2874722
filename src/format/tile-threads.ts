import type { FilterPipeline } from "./filter-pipeline.js";
import type { LoadedPipeline, PipelineContext } from "./filters/pipeline.js";

/** Decoding tiles of fixed cells on other threads, where the platform has some. */

/** Tiles that go through the same filters, to decode one after the other. */
export interface TilesToDecode {
  readonly pipeline: FilterPipeline;
  readonly context: PipelineContext;
  /** The tiles' stored bytes, one after the other; taken away from the caller. */
  readonly stored: Uint8Array<ArrayBuffer>;
  /** Of each tile: stored bytes, bytes when unfiltered. */
  readonly sizes: readonly (readonly [stored: number, decoded: number])[];
}

export interface TileThreads {
  /** Whether one of `threads` would take tiles now; starts them where they are not running. */
  isFree(threads: number): boolean;
  /** The decoded tiles, one after the other; undefined where it failed, which decoding them here will tell more of. */
  decode(tiles: TilesToDecode, threads: number): Promise<Uint8Array | undefined>;
  /** Lets what threads have answered arrive. */
  turn(): Promise<void>;
}

let load: (() => Promise<TileThreads>) | null = null;

/** Says how a platform starts threads. */
export function setTileThreads(start: () => Promise<TileThreads>): void {
  load = start;
}

/** Null where the platform has no threads. */
export async function tileThreads(): Promise<TileThreads | null> {
  return load === null ? null : load();
}

/** What another thread needs to know to load the pipeline; null of one with a key or of coded strings. */
export function sharedPipeline({
  steps,
  maxChunkSize,
  stringCoding,
  context,
}: LoadedPipeline): Pick<TilesToDecode, "pipeline" | "context"> | null {
  const filters = steps.map(({ spec }) => spec);
  if (stringCoding !== null || filters.some(({ type }) => type === "aes_256_gcm")) return null;
  return { pipeline: { maxChunkSize, filters }, context };
}
