import { StorageError } from "../../errors.js";
import type { ByteRange } from "../types.js";
import type { HttpAnswer } from "./http-client.js";

/**
 * Answers to requests for a range: 206 with the range, 200 with all of it where a server has no ranges, 416 where the
 * range lies behind the end. In browsers Content-Range may be hidden (CORS); the length is all there is to check then.
 */

/** The header that asks for a range, which must not be empty. */
export function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${start}-${end - 1}`;
}

/** Exactly the bytes of `range`. Throws StorageError where the value ends before it, or the answer is another. */
export function rangeBytes(answer: HttpAnswer, range: ByteRange, where: string): Uint8Array {
  const { status, bytes } = answer;
  const total = totalSize(answer);
  if (status === 416 || (total !== undefined && range.end > total)) throw tooShort(range, total, where);
  if (status === 200) return bytes.subarray(range.start, range.end);
  const flaw = rangeFlaw(answer, range);
  if (flaw !== undefined) throw new StorageError(flaw, { where });
  return bytes;
}

/**
 * Why an answer cannot be that to a request for `range`, for `HttpRequest.flaw`; undefined where it can, also where it
 * says that the value is shorter.
 */
export function rangeFlaw(answer: HttpAnswer, range: ByteRange): string | undefined {
  if (answer.status !== 206) return undefined;
  const said = answer.headers.get("content-range");
  if (answer.headers.get("content-type")?.startsWith("multipart/")) {
    return "the server answered in several parts, asked was for one range";
  }
  const wanted = range.end - range.start;
  if (said !== null) {
    const found = parseContentRange(said);
    if (found === undefined) return `the server answered with the range '${said}'`;
    if (found.total !== undefined && found.total < range.end) return undefined;
    if (found.start !== range.start || found.end !== range.end) {
      return `the server answered with ${said}, asked was for ${rangeHeader(range)}`;
    }
  }
  const came = answer.bytes.byteLength;
  return came === wanted ? undefined : `the server sent ${came} bytes of ${rangeHeader(range)}`;
}

/** Bytes of the whole value, where the answer says it. */
export function totalSize({ status, headers, bytes }: HttpAnswer): number | undefined {
  if (status === 200) return bytes.byteLength;
  const said = headers.get("content-range");
  if (said === null) return undefined;
  const rest = /^bytes\s+\*\/(\d+)$/.exec(said.trim())?.[1];
  return rest === undefined ? parseContentRange(said)?.total : Number(rest);
}

/** `end` exclusive. */
function parseContentRange(
  text: string,
): { readonly start: number; readonly end: number; readonly total: number | undefined } | undefined {
  const found = /^bytes\s+(\d+)-(\d+)\/(\d+|\*)$/.exec(text.trim());
  if (found === null) return undefined;
  const total = found[3] === "*" ? undefined : Number(found[3]);
  return { start: Number(found[1]), end: Number(found[2]) + 1, total };
}

function tooShort({ start, end }: ByteRange, total: number | undefined, where: string): StorageError {
  const file = total === undefined ? "a file that ends before them" : `a file of ${total} bytes`;
  return new StorageError(`bytes ${start} to ${end} asked of ${file}`, { where });
}
