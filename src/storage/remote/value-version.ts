import { GoneError } from "../../errors.js";
import type { ValueVersion } from "../types.js";
import type { HttpAnswer } from "./http-client.js";
import { totalSize } from "./range-answer.js";

/** Throws GoneError where an answer is of another version than was listed, as far as it says so. */
export function checkVersion(answer: HttpAnswer, listed: ValueVersion | undefined, where: string): void {
  if (listed === undefined) return;
  const size = totalSize(answer);
  if (size !== undefined && size !== listed.size) {
    throw new GoneError(`a file has ${size} bytes, ${listed.size} were listed`, { where });
  }
  const etag = answer.headers.get("etag");
  if (etag !== null && listed.etag !== undefined && plain(etag) !== plain(listed.etag)) {
    throw new GoneError(`a file is another one than was listed (ETag ${etag}, ${listed.etag} before)`, {
      where,
    });
  }
}

/** Listings leave out quotes, marks of weak ones too. */
function plain(etag: string): string {
  return etag.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
