import { promisify } from "node:util";
import { inflate } from "node:zlib";
import { plainBytes } from "../util/typed-arrays.js";
import type { InflateAside } from "./h5-inflate.js";

const inflated = promisify<Uint8Array, { chunkSize: number; maxOutputLength: number }, Uint8Array>(inflate);

/** On a thread of Node's pool; the result in one piece. */
export const inflateOnThread: InflateAside = async (stored, size) =>
  // A Buffer's `slice` would be a view where a Uint8Array's is a copy.
  plainBytes(await inflated(stored, { chunkSize: Math.max(64, size), maxOutputLength: Math.max(1, size) }));
