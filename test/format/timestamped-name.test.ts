import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareTimestampedNames,
  makeTimestampedName,
  parseTimestampedName,
  randomUuid,
} from "../../src/format/timestamped-name.js";

const uuid = "0f209c0af7182a6967c40655546adbb7";

describe("timestamped name", () => {
  test("in all its forms and places", () => {
    const expected = { start: 10, end: 25, uuid, version: 22 };
    for (const name of [
      `__10_25_${uuid}_22`,
      `__10_25_${uuid}_22/`,
      `__10_25_${uuid}_22.wrt`,
      `s3://bucket/a.b/__fragments/__10_25_${uuid}_22/`,
      `a/__commits/__10_25_${uuid}_22.con`,
    ]) {
      expect(parseTimestampedName(name)).toEqual(expected);
    }
    expect(parseTimestampedName(`__10_25_${uuid}`)).toEqual({ ...expected, version: null });
    expect(parseTimestampedName(`__${uuid}_10`)).toEqual({ start: 10, end: 10, uuid, version: null });
    expect(parseTimestampedName(`__${uuid}_10_25`)).toEqual({ ...expected, version: null });
  });

  test("nothing else", () => {
    for (const name of [
      "",
      "/",
      "__",
      "__fragments",
      "__enumerations",
      `__25_10_${uuid}_22`,
      `__10_25_${uuid.slice(1)}_22`,
      `_10_25_${uuid}_22`,
      `__10_25_${uuid}_22_1`,
      `__-1_25_${uuid}`,
      `x__10_25_${uuid}`,
      `__10_25_${uuid.replace("0", "g")}`,
    ]) {
      expect(parseTimestampedName(name)).toBeNull();
    }
  });

  test("what is made is parsed", () => {
    const time = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(time, time, fc.option(fc.nat(100), { nil: undefined }), (a, b, version) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const parsed = parseTimestampedName(makeTimestampedName(start, end, version));
        expect(parsed).toMatchObject({ start, end, version: version ?? null });
      }),
    );
    expect(randomUuid()).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(Array.from({ length: 50 }, randomUuid)).size).toBe(50);
  });

  test("order: by start, then by name", () => {
    const names = [`__10_11_${uuid}`, `__2_3_${uuid}`, `__10_10_${uuid}`, `__10_9999_${uuid}`];
    const sorted = names
      .map((name) => ({ name, start: parseTimestampedName(name)?.start ?? 0 }))
      .sort(compareTimestampedNames)
      .map(({ name }) => name.slice(2, 9));
    expect(sorted).toEqual(["2_3_0f2", "10_10_0", "10_11_0"].concat(["10_9999"]));
  });
});
