import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GoneError } from "../../src/errors.js";
import type { WritableStore } from "../../src/storage/types.js";
import { listedSizes } from "../support/listed-sizes.js";

const bytes = (...values: number[]) => new Uint8Array(values);

/** What every writable store promises; `makeStore` gives a new, empty one. Object stores have no `rename`. */
export function storeSuite(
  name: string,
  makeStore: () => Promise<WritableStore>,
  { canRename = true }: { canRename?: boolean } = {},
): void {
  describe(`${name} keeps the promises of a store`, () => {
    it("gives back what was put, and undefined for what was not", async () => {
      const store = await makeStore();
      await store.put("a/b.tdb", bytes(1, 2, 3));
      expect(Array.from((await store.get("a/b.tdb"))!)).toEqual([1, 2, 3]);
      expect(await store.get("a/c.tdb")).toBeUndefined();
      expect(await store.get("a")).toBeUndefined();
      expect(await store.get("a/b.tdb/c")).toBeUndefined();
      expect(await store.getRange("nothing", { start: 0, end: 1 })).toBeUndefined();
    });

    it("keeps its own copy of what was put", async () => {
      const store = await makeStore();
      const mine = bytes(1, 2, 3);
      await store.put("k", mine);
      mine[0] = 9;
      expect(Array.from((await store.get("k"))!)).toEqual([1, 2, 3]);
    });

    it("replaces a value, also by an empty one", async () => {
      const store = await makeStore();
      await store.put("k", bytes(1, 2, 3));
      await store.put("k", bytes());
      expect((await store.get("k"))!.byteLength).toBe(0);
      expect(await listedSizes(store, "")).toEqual([{ key: "k", size: 0 }]);
    });

    it("reads exactly any range inside a value", async () => {
      const store = await makeStore();
      const value = Uint8Array.from({ length: 300 }, (_, i) => i);
      await store.put("k", value);
      await fc.assert(
        fc.asyncProperty(fc.nat(300), fc.nat(300), async (a, b) => {
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          const part = (await store.getRange("k", range))!;
          expect(Array.from(part)).toEqual(Array.from(value.subarray(range.start, range.end)));
        }),
        { numRuns: 30 },
      );
    });

    it("refuses a range past the end instead of padding", async () => {
      const store = await makeStore();
      await store.put("k", bytes(1, 2, 3));
      await expect(store.getRange("k", { start: 2, end: 4 })).rejects.toMatchObject({ code: "STORAGE" });
      await expect(store.getRange("k", { start: -1, end: 2 })).rejects.toMatchObject({ code: "STORAGE" });
      await expect(store.getRange("k", { start: 2, end: 1 })).rejects.toMatchObject({ code: "STORAGE" });
    });

    it("lists recursively and by level, sorted, with sizes", async () => {
      const store = await makeStore();
      for (const key of ["b/z", "b/a/x", "b/a/y", "bc", "a"]) await store.put(key, bytes(1, 2));
      expect((await store.list("")).map((e) => e.key)).toEqual(["a", "b/a/x", "b/a/y", "b/z", "bc"]);
      expect((await store.list("b")).map((e) => e.key)).toEqual(["b/a/x", "b/a/y", "b/z"]);
      expect(await listedSizes(store, "b", { recursive: false })).toEqual([
        { key: "b/a", size: undefined },
        { key: "b/z", size: 2 },
      ]);
      expect(await store.list("nowhere")).toEqual([]);
      expect(await store.list("a")).toEqual([]);
    });

    it("gives the version that was listed, and says where its ETags tell that there is another one", async () => {
      const store = await makeStore();
      await store.put("a/k", bytes(1, 2, 3));
      const [listed] = await store.list("a");
      const version = { size: 3, etag: listed!.etag };
      expect(await store.get("a/k", { version })).toEqual(bytes(1, 2, 3));
      expect(await store.getRange("a/k", { start: 1, end: 3 }, { version })).toEqual(bytes(2, 3));
      if (listed!.etag === undefined) return;
      await store.put("a/k", bytes(4, 5, 6));
      await expect(store.get("a/k", { version })).rejects.toThrow(GoneError);
      await expect(store.getRange("a/k", { start: 1, end: 3 }, { version })).rejects.toThrow(GoneError);
    });

    it("shows a written value only after close, whole", async () => {
      const store = await makeStore();
      const writer = await store.writer("f/part");
      const buffer = bytes(1, 2);
      await writer.write(buffer);
      buffer.fill(7);
      await writer.write(bytes(3));
      expect(await store.get("f/part")).toBeUndefined();
      expect(await store.list("")).toEqual([]);
      await writer.close();
      expect(Array.from((await store.get("f/part"))!)).toEqual([1, 2, 3]);
    });

    it("keeps pieces of all sizes in order, whose memory is used again", async () => {
      const store = await makeStore();
      const writer = await store.writer("f");
      const whole: number[] = [];
      const piece = new Uint8Array(600_000);
      for (const [i, size] of [
        100_000, 200_000, 0, 250_000, 600_000, 7, 262_144, 100_000, 170_000,
      ].entries()) {
        piece.fill(i + 1);
        await writer.write(piece.subarray(0, size));
        for (let at = 0; at < size; at++) whole.push(i + 1);
      }
      await writer.close();
      const stored = (await store.get("f"))!;
      expect(stored.byteLength).toBe(whole.length);
      expect(stored.every((value, at) => value === whole[at])).toBe(true);
    });

    it("leaves the old value when a writer aborts", async () => {
      const store = await makeStore();
      await store.put("k", bytes(1));
      const writer = await store.writer("k");
      await writer.write(bytes(2, 2));
      await writer.abort();
      expect(Array.from((await store.get("k"))!)).toEqual([1]);
      expect((await store.list("")).length).toBe(1);
    });

    it("deletes one key, or all below a folder and no others", async () => {
      const store = await makeStore();
      for (const key of ["a/x", "a/b/y", "ab/z"]) await store.put(key, bytes(1));
      await store.delete("a/x");
      await store.delete("a/missing");
      await store.delete("a/b");
      expect((await store.list("")).map((e) => e.key)).toEqual(["a/b/y", "ab/z"]);
      await store.deletePrefix("a");
      await store.deletePrefix("missing");
      expect((await store.list("")).map((e) => e.key)).toEqual(["ab/z"]);
    });

    const moves = canRename ? it : () => {};
    moves("moves all below a folder and no others", async () => {
      const store = await makeStore();
      const rename = store.rename!.bind(store);
      for (const key of ["a/x", "a/b/y", "ab/z"]) await store.put(key, bytes(1, 2));
      await rename("a", "new/place");
      const keys = async () => (await store.list("")).map(({ key }) => key);
      const moved = ["ab/z", "new/place/b/y", "new/place/x"];
      expect(await keys()).toEqual(moved);
      expect(Array.from((await store.get("new/place/x"))!)).toEqual([1, 2]);
      for (const [from, to] of [
        ["missing", "x"],
        ["ab", "new/place"],
        ["ab", "new"],
        ["ab/z", "file"],
        ["new", "new/place/in"],
      ] as const) {
        await expect(rename(from, to)).rejects.toMatchObject({ code: "STORAGE" });
      }
      await expect(rename("", "x")).rejects.toMatchObject({ code: "ARGUMENT" });
      await expect(rename("ab", "../x")).rejects.toMatchObject({ code: "ARGUMENT" });
      const signal = AbortSignal.abort();
      await expect(rename("ab", "cd", { signal })).rejects.toMatchObject({ code: "ABORTED" });
      expect(await keys()).toEqual(moved);
    });

    it.each(["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "", "a/", "a\\b", "a\0b"])(
      "refuses the key %j, which leaves the store or is no name",
      async (key) => {
        const store = await makeStore();
        await expect(store.get(key)).rejects.toMatchObject({ code: "ARGUMENT" });
        await expect(store.put(key, bytes(1))).rejects.toMatchObject({ code: "ARGUMENT" });
        await expect(store.delete(key)).rejects.toMatchObject({ code: "ARGUMENT" });
        if (key !== "") await expect(store.deletePrefix(key)).rejects.toMatchObject({ code: "ARGUMENT" });
      },
    );

    it("takes names that file URIs would escape", async () => {
      const store = await makeStore();
      for (const key of ["a b/c%20d", "ü#?&=", "x.tdb"]) await store.put(key, bytes(1));
      expect((await store.list("")).map((e) => e.key)).toEqual(["a b/c%20d", "x.tdb", "ü#?&="]);
      expect((await store.get("a b/c%20d"))!.byteLength).toBe(1);
    });

    it("obeys an aborted signal", async () => {
      const store = await makeStore();
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(store.get("k", { signal })).rejects.toMatchObject({ code: "ABORTED" });
      await expect(store.list("", { signal })).rejects.toMatchObject({ code: "ABORTED" });
      await expect(store.put("k", bytes(1), { signal })).rejects.toMatchObject({ code: "ABORTED" });
      expect(await store.list("")).toEqual([]);
    });
  });
}
