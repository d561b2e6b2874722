import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowingNumbers } from "../../src/h5ad/h5-growing.js";

describe("a dataset that grows", () => {
  it("is written by whole chunks, each once and in order, whatever is appended", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 65535 }), { maxLength: 12 })),
        (chunk, parts) => {
          const written: number[] = [];
          const lengths: number[] = [];
          const growing = new GrowingNumbers(chunk, (bytes, first, end) => {
            expect(first).toBe(written.length);
            const values = new Uint16Array(bytes.slice().buffer);
            expect(values.length).toBe(end - first);
            written.push(...values);
            lengths.push(values.length);
          });
          let count = 0;
          for (const part of parts) {
            growing.append(Uint16Array.from(part));
            count += part.length;
            expect(growing.length).toBe(count);
          }
          growing.finish();
          expect(written).toEqual(parts.flat());
          for (const length of lengths.slice(0, -1)) expect(length % chunk).toBe(0);
        },
      ),
    );
  });
});
