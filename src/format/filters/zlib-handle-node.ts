import * as zlib from "node:zlib";
import { badPart } from "./compression.js";
import type { Decompress } from "./filter.js";

/**
 * Node's own decoders without a new stream object, native state and result for each part: one state is reset and writes
 * to where the cells belong. For 20 KB inflate then takes a quarter of the time, for 40 KB Zstandard less than half. Node
 * offers this only to itself (`_handle`, `_writeState`); where these are not as expected, or do not pass a trial, there is
 * none.
 */

/** What of the native stream is used. */
interface Handle {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array | null,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
  onerror: (message: string) => void;
}

function isHandle(value: unknown): value is Handle {
  if (typeof value !== "object" || value === null) return false;
  return ["reset", "writeSync", "onerror"].every((name) => typeof Reflect.get(value, name) === "function");
}

/** A native stream, and after each write the bytes that are free in the output and those left of the input. */
interface Engine {
  readonly handle: Handle;
  readonly left: Uint32Array;
}

function engineOf(stream: object): Engine | null {
  const handle: unknown = Reflect.get(stream, "_handle");
  const left: unknown = Reflect.get(stream, "_writeState");
  if (!isHandle(handle) || !(left instanceof Uint32Array) || left.length !== 2) return null;
  return { handle, left };
}

let inflate: Decompress | null | undefined;

/** Of data that are no chunk of a tile. */
const plain = { spec: { type: "gzip", level: -1 }, datatype: "uint8", cellBytes: 1, version: 22 } as const;

/** A decoder of zlib streams that reuses one native state, or null. One serves all pipelines. */
export function reusedInflate(): Decompress | null {
  if (inflate !== undefined) return inflate;
  const engine = engineOf(zlib.createInflate());
  const made = engine === null ? null : inflateWith(engine);
  const passes = made !== null && passesTrial(deflatedTrial, (part, out) => made(part, out, plain));
  inflate = passes ? made : null;
  return inflate;
}

/** The same for zlib streams of other origin: fills `out` or throws. */
export function inflateInto(): ((part: Uint8Array, out: Uint8Array) => void) | null {
  const decode = reusedInflate();
  return decode === null ? null : (part, out) => decode(part, out, plain);
}

/** Decodes one frame that says its size, which `out` has; false where it does not decode to that. */
export type DecodeFrame = (frame: Uint8Array, out: Uint8Array) => boolean;

/** What of node:zlib is there since Node 22.15. */
interface ZstdStreams {
  createZstdDecompress(): object;
  zstdCompressSync(bytes: Uint8Array): Uint8Array;
  readonly constants: { readonly ZSTD_e_end: number };
}

let unzstd: DecodeFrame | null | undefined;

/** A decoder of Zstandard frames that reuses one native state, or null. */
export function reusedUnzstd(module: object): DecodeFrame | null {
  if (unzstd !== undefined) return unzstd;
  const streams = module as ZstdStreams;
  const engine = engineOf(streams.createZstdDecompress());
  const made = engine === null ? null : unzstdWith(engine, streams.constants.ZSTD_e_end);
  const decode = (part: Uint8Array, out: Uint8Array) => {
    if (made?.(part, out) !== true) throw new Error("corrupt");
  };
  unzstd = passesTrial(streams.zstdCompressSync(trial), decode) ? made : null;
  return unzstd;
}

const trial = Uint8Array.from({ length: 64 }, (_, i) => i % 5);

/** The trial as a zlib stream: to compress it here would take as long as ten decoded tiles. */
const deflatedTrial = Uint8Array.of(
  ...[0x78, 0x9c, 0x63, 0x60, 0x64, 0x62, 0x66, 0x61, 0x20, 0x9f],
  ...[0, 0, 0x0f, 0xfe, 0, 0x7f],
);

/** Whether the bytes decode, a cut stream and a longer one do not, and what follows these does again. */
function passesTrial(stored: Uint8Array, decode: (part: Uint8Array, out: Uint8Array) => void): boolean {
  const works = (part: Uint8Array): boolean => {
    const found = new Uint8Array(trial.length);
    try {
      decode(part, found);
    } catch {
      return false;
    }
    return trial.every((byte, i) => found[i] === byte);
  };
  const longer = new Uint8Array(stored.length + 4);
  longer.set(stored);
  return works(stored) && !works(stored.subarray(0, -4)) && !works(longer) && works(stored);
}

function inflateWith({ handle, left }: Engine): Decompress {
  const { Z_FINISH } = zlib.constants;
  const spare = new Uint8Array(1);
  let problem: string | null = null;
  // Node's own would destroy the stream.
  handle.onerror = (message) => {
    problem = message;
  };
  return (part, out) => {
    problem = null;
    handle.reset();
    if (out.byteLength > 0) handle.writeSync(Z_FINISH, part, 0, part.byteLength, out, 0, out.byteLength);
    if (problem !== null) throw badPart("gzip", part, out, problem);
    const [free, unread] = out.byteLength > 0 ? [left[0]!, left[1]!] : [0, part.byteLength];
    if (free > 0) throw badPart("gzip", part, out, `it gives ${out.byteLength - free}`);
    // With room left over only the end of the stream, whose checksum holds, is no error.
    const rest = part.subarray(part.byteLength - unread);
    handle.writeSync(Z_FINISH, rest, 0, rest.byteLength, spare, 0, 1);
    if (problem !== null) throw badPart("gzip", part, out, problem);
    if (left[0] === 0) throw badPart("gzip", part, out, "it gives more");
    if (left[1]! > 0) throw badPart("gzip", part, out, `${left[1]} bytes follow the stream`);
  };
}

function unzstdWith({ handle, left }: Engine, flush: number): DecodeFrame {
  let failed = false;
  handle.onerror = () => {
    failed = true;
  };
  return (frame, out) => {
    failed = false;
    handle.reset();
    // The decoder itself compares the bytes with the size that the frame says, once it has read all of it.
    handle.writeSync(flush, frame, 0, frame.byteLength, out, 0, out.byteLength);
    return !failed && left[0] === 0 && left[1] === 0;
  };
}
