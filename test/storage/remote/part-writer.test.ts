import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PartTarget, PartWriter } from "../../../src/storage/remote/part-writer.js";

/** A target that keeps what arrives, each part after a few turns of the event loop. */
function keeping(partBytes: (index: number) => number, parallel: number) {
  const parts: Uint8Array[] = [];
  const offsets: number[] = [];
  const state = { underWay: 0, most: 0, finished: 0, discarded: 0, failAt: -1, value: new Uint8Array() };
  const keep = async (part: Uint8Array, index: number, offset: number) => {
    state.most = Math.max(state.most, ++state.underWay);
    for (let turn = 0; turn < 5 - (index % 5); turn++) await Promise.resolve();
    state.underWay--;
    if (index === state.failAt) throw new Error(`part ${index} is lost`);
    parts[index] = part;
    offsets[index] = offset;
  };
  const target: PartTarget = {
    partBytes,
    parallel,
    upload: keep,
    async finish(rest, index, offset) {
      expect(state.underWay).toBe(0);
      await keep(rest, index, offset);
      state.finished++;
      state.value = Uint8Array.from(parts.flatMap((part) => [...part]));
    },
    async discard() {
      expect(state.underWay).toBe(0);
      state.discarded++;
    },
  };
  return { target, parts, offsets, state };
}

describe("a value written in parts", () => {
  it("arrives whole, in parts of the sizes asked, no more than allowed at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 4 }),
        async (pieces, size, parallel) => {
          const partBytes = (index: number) => size + index;
          const { target, parts, offsets, state } = keeping(partBytes, parallel);
          const writer = new PartWriter(target, undefined);
          for (const piece of pieces) {
            const mine = piece.slice();
            await writer.write(mine);
            mine.fill(99);
          }
          await writer.close();
          const whole = pieces.flatMap((piece) => [...piece]);
          expect([...state.value]).toEqual(whole);
          let offset = 0;
          for (const [index, part] of parts.entries()) {
            expect(offsets[index]).toBe(offset);
            if (index < parts.length - 1) expect(part.byteLength).toBe(partBytes(index));
            else if (whole.length > 0) expect(part.byteLength).toBeGreaterThan(0);
            offset += part.byteLength;
          }
          expect(state.most).toBeLessThanOrEqual(parallel);
          expect(state.finished).toBe(1);
          await writer.close();
          expect([state.finished, state.discarded]).toEqual([1, 0]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is dropped when a part fails, with its error", async () => {
    for (const failAt of [0, 1, 2]) {
      const { target, state } = keeping(() => 4, 2);
      state.failAt = failAt;
      const writer = new PartWriter(target, undefined);
      const run = async () => {
        await writer.write(new Uint8Array(10));
        await writer.close();
      };
      await expect(run()).rejects.toThrow(`part ${failAt} is lost`);
      await writer.abort();
      expect([state.finished, state.discarded]).toEqual([0, 1]);
    }
  });

  it("is dropped by abort and by the signal", async () => {
    const { target, state } = keeping(() => 4, 2);
    const writer = new PartWriter(target, undefined);
    await writer.write(new Uint8Array(10));
    await writer.abort();
    await expect(writer.write(new Uint8Array(1))).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(writer.close()).rejects.toMatchObject({ code: "ARGUMENT" });
    expect([state.finished, state.discarded]).toEqual([0, 1]);
    const abort = new AbortController();
    const other = new PartWriter(target, abort.signal);
    await other.write(new Uint8Array(10));
    abort.abort();
    await expect(other.close()).rejects.toMatchObject({ code: "ABORTED" });
    await other.abort();
    expect([state.finished, state.discarded]).toEqual([0, 2]);
  });
});
