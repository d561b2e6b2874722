import { describe, expect, test } from "vitest";
import { decodeChunk, decodesHere } from "../../src/h5ad/h5-chunks.js";
import { decodeHalf } from "../../src/h5ad/h5-type.js";
import { decodeLzf } from "../../src/h5ad/lzf.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (...values: (number | string)[]) =>
  Uint8Array.from(values.flatMap((value) => (typeof value === "number" ? [value] : [...Buffer.from(value)])));

describe("lzf", () => {
  test("literals, a repetition that overlaps itself, a long one", () => {
    expect(text(decodeLzf(bytes(2, "abc"), 3))).toBe("abc");
    expect(text(decodeLzf(bytes(1, "ab", (4 << 5) | 0, 1), 8))).toBe("abababab");
    expect(text(decodeLzf(bytes(0, "x", 7 << 5, 20, 0), 30))).toBe("x".repeat(30));
  });

  test.each([
    ["a literal past the end", bytes(3, "ab"), 4],
    ["a repetition before the start", bytes(0, "a", 1 << 5, 5), 4],
    ["more than expected", bytes(2, "abc"), 2],
    ["less than expected", bytes(2, "abc"), 4],
    ["a cut repetition", bytes(0, "a", 1 << 5), 4],
  ])("%s is a FormatError", (_what, input, size) => {
    expect(() => decodeLzf(input, size)).toThrow(expect.objectContaining({ code: "FORMAT" }));
  });
});

test("a chunk: shuffled, filters that its mask leaves out, a checksum behind it", () => {
  const filters = [2, 32000, 3].map((id) => ({ id, cd_values: [] }));
  const shuffled = bytes(3, 1, 2, 0, 0);
  expect([...decodeChunk(bytes(...shuffled, 9, 9, 9, 9), 0, filters, 4, 2)]).toEqual([1, 0, 2, 0]);
  expect([...decodeChunk(bytes(1, 2, 0, 0, 9, 9, 9, 9), 0b010, filters, 4, 2)]).toEqual([1, 0, 2, 0]);
  expect(() => decodeChunk(bytes(1, 2, 3), 0b111, filters, 4, 2)).toThrow("chunk of 3 bytes, expected 4");
});

test("only chains with lzf, and nothing unknown in them, are decoded here", () => {
  const of = (...ids: number[]) => decodesHere(ids.map((id) => ({ id, cd_values: [] })));
  expect([of(1), of(2, 32000), of(32000, 32015), of()]).toEqual([false, true, false, false]);
});

test("float16, all kinds of it", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x3555);
  expect([...decodeHalf(new Uint8Array(halves.buffer))]).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    -0,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    0.333251953125,
  ]);
});
