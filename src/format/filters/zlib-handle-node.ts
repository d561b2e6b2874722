import * as zlib from "node:zlib";
import { badPart } from "./compression.js";
import type { Decompress } from "./filter.js";

/**
 * Node's inflate without a new stream object, native state and result for each part: one state is reset and writes to
 * where the cells belong, in a quarter of the time for 20 KB. Node offers this only to itself (`_handle`,
 * `_writeState`); where they are not as expected, or do not pass a trial, there is none.
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

let kept: Decompress | null | undefined;

/** A decoder of zlib streams that reuses one native state, or null. One serves all pipelines. */
export function reusedInflate(): Decompress | null {
  if (kept === undefined) kept = makeInflate();
  return kept;
}

function makeInflate(): Decompress | null {
  const stream = zlib.createInflate();
  const handle: unknown = Reflect.get(stream, "_handle");
  const left: unknown = Reflect.get(stream, "_writeState");
  if (!isHandle(handle) || !(left instanceof Uint32Array) || left.length !== 2) return null;
  const decompress = inflateWith(handle, left);
  return passesTrial(decompress) ? decompress : null;
}

function passesTrial(decompress: Decompress): boolean {
  const step = {
    spec: { type: "gzip", level: -1 },
    datatype: "uint8",
    cellBytes: 1,
    version: 22,
  } as const;
  const expected = Uint8Array.from({ length: 300 }, (_, i) => i * i);
  const stored = zlib.deflateSync(expected);
  const found = new Uint8Array(expected.length);
  try {
    decompress(stored, found, step);
  } catch {
    return false;
  }
  const fails = [stored.subarray(0, -4), Buffer.concat([stored, stored])].every((bad) => {
    try {
      decompress(bad, new Uint8Array(expected.length), step);
      return false;
    } catch {
      return true;
    }
  });
  return fails && expected.every((byte, i) => found[i] === byte);
}

/** `left`: after a write, the bytes that are free in the output and those left of the input. */
function inflateWith(handle: Handle, left: Uint32Array): Decompress {
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
