import { crc32 as ofNode } from "node:zlib";
import { describe, expect, it } from "vitest";
import { registerNodeCodecs } from "../../src/format/filters/codecs-node.js";
import { crc32 } from "../../src/util/crc32.js";

const bytes = Uint8Array.from({ length: 100 }, (_, at) => (at * 31) % 251);

/** Sums of parts of all lengths and alignments, in one piece and in two. */
function sums(sum: typeof crc32): number[] {
  return Array.from({ length: 360 }, (_, at) => {
    const part = bytes.subarray(at % 9, (at % 9) + Math.floor(at / 9));
    const half = part.length >> 1;
    const whole = sum(part);
    expect(sum(part.subarray(half), sum(part.subarray(0, half)))).toBe(whole);
    return whole;
  });
}

describe("CRC-32", () => {
  it("is that of zlib, by our own code and with what Node brings", () => {
    const expected = sums(ofNode);
    expect(sums(crc32)).toEqual(expected);
    registerNodeCodecs();
    expect(sums(crc32)).toEqual(expected);
  });
});
