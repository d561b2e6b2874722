import { LimitError } from "../../errors.js";
import type { PartTarget } from "../remote/part-writer.js";

/**
 * A blob written as a list of blocks: Put Block for each, then Put Block List, which makes the blob. Blocks that no list
 * names are dropped by the service after a week, or with the next write of the blob.
 */

interface BlockOptions {
  readonly blockBytes: number;
  readonly parallel: number;
  putBlob(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void>;
  /** PUT on the blob with parameters of the URL. */
  put(
    parameters: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void>;
}

/** A blob has at most 50,000 blocks. */
const MAX_BLOCKS = 50_000;

/** So many blocks on, blocks are twice as large: 5 MiB at first is 24 TiB in all. */
const DOUBLED_EVERY = 4000;

/** Of one block. */
const MAX_BLOCK_BYTES = 4000 * 2 ** 20;

export class BlockTarget implements PartTarget {
  readonly parallel: number;
  readonly #options: BlockOptions;
  /** Makes the ids of two writers of one blob differ. */
  readonly #name = crypto.randomUUID();

  constructor(options: BlockOptions) {
    this.#options = options;
    this.parallel = options.parallel;
  }

  partBytes(index: number): number {
    // Memory holds `parallel` blocks, so they do not grow without need.
    return Math.min(MAX_BLOCK_BYTES, this.#options.blockBytes * 2 ** Math.floor(index / DOUBLED_EVERY));
  }

  async upload(
    part: Uint8Array,
    index: number,
    _offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (index >= MAX_BLOCKS) throw new LimitError(`a blob has at most ${MAX_BLOCKS} blocks`);
    await this.#options.put({ comp: "block", blockid: this.#id(index) }, part, signal);
  }

  async finish(
    rest: Uint8Array,
    index: number,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (index === 0) return this.#options.putBlob(rest, signal);
    await this.upload(rest, index, offset, signal);
    const ids = Array.from({ length: index + 1 }, (_, at) => `<Latest>${this.#id(at)}</Latest>`);
    const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.join("")}</BlockList>`;
    await this.#options.put({ comp: "blocklist" }, new TextEncoder().encode(list), signal);
  }

  async discard(): Promise<void> {}

  /** All ids of a blob have the same length. */
  #id(index: number): string {
    return btoa(`${this.#name}-${String(index).padStart(6, "0")}`);
  }
}
