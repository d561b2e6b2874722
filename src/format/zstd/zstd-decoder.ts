import { decodeBase64 } from "../../util/base64.js";
import { badPart } from "../filters/compression.js";
import type { Decompress } from "../filters/filter.js";
import { zstdFrames } from "./zstd-frames.js";
import { ZSTD_WASM } from "./zstd-wasm.js";

/**
 * Zstandard decoding for hosts that have none: wasm/zstd.ts, compiled in a few milliseconds; where modules must not be
 * compiled at run time, the one that the platform brings, or a decoder in plain JavaScript.
 */

/** Readable and writable bytes that the decoder wants behind its input and its output. */
const PADDING = 64;
const PAGE = 1 << 16;

/** Memory never shrinks: an instance that took more than this for a large part is given up after it. */
const KEPT_BYTES = 1 << 24;

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** First byte that is free for input and output. */
  readonly HEAP: WebAssembly.Global;
  /** Bytes decoded from those between `at` and `end`, or -1. */
  decode(at: number, end: number, to: number, limit: number): number;
}

let compiled: WebAssembly.Module | undefined;

/** Gives the decoder's module where a bundler has compiled it. Decoders started before keep theirs. */
export function setZstdModule(module: WebAssembly.Module): void {
  compiled = module;
}

export async function startZstdDecoder(): Promise<Decompress> {
  const module = await zstdModule();
  if (module === null) return (await import("./plain/plain-decoder.js")).startPlainDecoder();
  let decoder: Decoder | null = null;
  return (part, out) => {
    zstdFrames(part, out);
    decoder ??= new Decoder(module);
    const size = decoder.decode(part, out);
    if (decoder.memoryBytes > KEPT_BYTES) decoder = null;
    if (size !== out.byteLength) throw badPart("zstd", part, out, "corrupt frame");
  };
}

/** Null where there is no WebAssembly, or none may be compiled: Cloudflare's workers, pages with a strict policy. */
async function zstdModule(): Promise<WebAssembly.Module | null> {
  if (compiled !== undefined) return compiled;
  try {
    return await WebAssembly.compile(decodeBase64(ZSTD_WASM));
  } catch {
    return null;
  }
}

class Decoder {
  readonly #exports: Exports;
  readonly #heap: number;
  #bytes: Uint8Array;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module);
    this.#exports = exports as object as Exports;
    this.#heap = this.#exports.HEAP.value as number;
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
  }

  get memoryBytes(): number {
    return this.#bytes.byteLength;
  }

  /** Fills `out`; the number of bytes that the part gave, -1 where it is corrupt. */
  decode(part: Uint8Array, out: Uint8Array): number {
    const at = this.#heap;
    const end = at + part.byteLength;
    const to = (end + PADDING + 7) & ~7;
    this.#reserve(to + out.byteLength + PADDING);
    this.#bytes.set(part, at);
    const size = this.#exports.decode(at, end, to, to + out.byteLength);
    if (size === out.byteLength) out.set(this.#bytes.subarray(to, to + size));
    return size;
  }

  #reserve(bytes: number): void {
    const { memory } = this.#exports;
    const missing = bytes - this.#bytes.byteLength;
    if (missing <= 0) return;
    memory.grow(Math.ceil(missing / PAGE));
    this.#bytes = new Uint8Array(memory.buffer);
  }
}
