import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { S3Client } from "../../../src/storage/s3/client.js";
import { copyObject } from "../../../src/storage/s3/copy.js";
import { listObjects } from "../../../src/storage/s3/list.js";
import { S3Store } from "../../../src/storage/s3/s3-store.js";
import { putObject } from "../../../src/storage/s3/upload.js";
import { listedSizes } from "../../support/listed-sizes.js";
import { hasServer, type S3ServerName, s3Server } from "../../support/s3-server.js";
import { storeSuite } from "../store-suite.js";

/** The store against servers that check signatures. */

const MIB = 2 ** 20;

async function newStore(server: S3ServerName, config: Record<string, string> = {}): Promise<S3Store> {
  const { config: common, bucket } = await s3Server(server);
  return new S3Store({ bucket: await bucket(), config: { ...common, ...config } });
}

const pattern = (length: number, seed = 0) =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 11) + seed) % 256);

for (const name of ["s3proxy", "versitygw"] as const) {
  describe.skipIf(!hasServer[name])(name, { timeout: 180_000 }, () => {
    storeSuite(`S3Store on ${name}`, () => newStore(name), { canRename: false });

    it("takes keys with all letters that URLs and XML escape", async () => {
      const store = await newStore(name);
      const keys = ["a+b c", "50%", "q?x=1&y=2#z", "<t>'\"!()*", "ü/日本/😀", "~-_.", "=;,:@$"];
      for (const [at, key] of keys.entries()) await store.put(`in/${key}`, new Uint8Array(at + 1));
      const listed = await store.list("in");
      expect(new Map(listed.map(({ key, size }) => [key, size]))).toEqual(
        new Map(keys.map((key, at) => [`in/${key}`, at + 1])),
      );
      for (const [at, key] of keys.entries()) expect((await store.get(`in/${key}`))?.byteLength).toBe(at + 1);
      await store.deletePrefix("in");
      expect(await store.list("")).toEqual([]);
    });

    it("writes in parts what is larger than one, and reads any range of it", async () => {
      const store = await newStore(name);
      const value = pattern(13 * MIB + 5);
      const writer = await store.writer("large");
      const piece = 3 * MIB + 1;
      for (let at = 0; at < value.length; at += piece) await writer.write(value.subarray(at, at + piece));
      expect(await store.list("")).toEqual([]);
      await writer.close();
      expect(await listedSizes(store, "")).toEqual([{ key: "large", size: value.length }]);
      const ranges = fc
        .tuple(fc.nat(value.length), fc.nat(value.length))
        .map((ends) => ends.sort((a, b) => a - b));
      await fc.assert(
        fc.asyncProperty(ranges, async ([start, end]) => {
          const part = await store.getRange("large", { start: start!, end: end! });
          expect(Buffer.compare(part!, value.subarray(start, end))).toBe(0);
        }),
        { numRuns: 5 },
      );
    });

    it("leaves no parts of what is aborted", async () => {
      const store = await newStore(name);
      const writer = await store.writer("dropped");
      await writer.write(pattern(11 * MIB));
      await writer.abort();
      expect(await store.list("")).toEqual([]);
      const server = await s3Server(name);
      const uploads = await server.request("GET", `${store.uri.slice("s3://".length)}?uploads=`);
      expect(uploads.status).toBe(200);
      expect(await uploads.text()).not.toContain("<UploadId>");
    });

    it("copies without reading, in parts as well", async () => {
      const { config, bucket } = await s3Server(name);
      const client = new S3Client(await bucket(), { config });
      const store = await newStore(name);
      const value = pattern(5 * MIB + 77);
      await store.put("from+ü?/k", value);
      await store.copy("from+ü?/k", value.length, "to");
      expect(Buffer.compare((await store.get("to"))!, value)).toBe(0);
      await expect(store.copy("nothing", 1, "to")).rejects.toThrow("NoSuchKey");
      expect((await store.list("")).map(({ key }) => key)).toEqual(["from+ü?/k", "to"]);

      const settings = await client.settings();
      await putObject(client, "large one", pattern(13 * MIB), settings, undefined);
      await copyObject(client, { from: "large one", size: 13 * MIB, to: "copied" }, settings, 5 * MIB);
      const answer = await client.send({ method: "GET", key: "copied", what: "read", accept: [200] });
      expect(Buffer.compare(answer.bytes, pattern(13 * MIB))).toBe(0);
      const lost = copyObject(client, { from: "nothing", size: 13 * MIB, to: "lost" }, settings, 5 * MIB);
      await expect(lost).rejects.toThrow("NoSuchKey");
    });

    it("writes what is new for one of those who ask at the same time", async () => {
      const store = await newStore(name);
      const told = await Promise.all(
        Array.from({ length: 5 }, (_, at) => store.putNew("lock", new Uint8Array(3).fill(at))),
      );
      expect(told.filter(Boolean)).toHaveLength(1);
      const bytes = (await store.get("lock"))!;
      expect(Array.from(bytes)).toEqual(Array(3).fill(told.indexOf(true)));
      await store.delete("lock");
      expect(await store.putNew("lock", new Uint8Array(0))).toBe(true);
    });

    it("gives the ends of values with their sizes", async () => {
      const store = await newStore(name);
      await store.put("k", pattern(10));
      await store.put("empty", new Uint8Array(0));
      expect(await store.getTail("k", 4)).toEqual({ bytes: pattern(10).slice(6), size: 10 });
      expect(await store.getTail("k", 10)).toEqual({ bytes: pattern(10), size: 10 });
      expect(await store.getTail("k", 11)).toEqual({ bytes: pattern(10), size: 10 });
      expect(await store.getTail("empty", 4)).toEqual({ bytes: new Uint8Array(0), size: 0 });
      expect(await store.getTail("none", 4)).toBeUndefined();
    });

    it("refuses a wrong secret, saying so", async () => {
      const server = await s3Server(name);
      const bucket = await server.bucket();
      const config = { ...server.config, "vfs.s3.aws_secret_access_key": "wrong" };
      const store = new S3Store({ bucket, config });
      await expect(store.get("k")).rejects.toMatchObject({ code: "STORAGE", where: `s3://${bucket}/k` });
      await expect(store.get("k")).rejects.toThrow("SignatureDoesNotMatch");
      await expect(store.list("")).rejects.toThrow("SignatureDoesNotMatch");
      await expect(store.put("k", new Uint8Array(3))).rejects.toThrow("SignatureDoesNotMatch");
    });

    it("signs by the server's clock where this machine's is wrong", async () => {
      const store = await newStore(name);
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 5 * 3_600_000 });
      try {
        await store.put("k", new Uint8Array(3));
        expect((await store.get("k"))!.byteLength).toBe(3);
      } finally {
        vi.useRealTimers();
      }
    });

    it("says that a bucket is not there, which is not the same as a key", async () => {
      const { config } = await s3Server(name);
      const store = new S3Store({ bucket: "no-such-bucket-here", config });
      await expect(store.get("k")).rejects.toThrow("NoSuchBucket");
      await expect(store.list("")).rejects.toThrow("NoSuchBucket");
      await expect(store.put("k", new Uint8Array(1))).rejects.toThrow("NoSuchBucket");
    });

    it("lists more keys than a page has, and deletes them", async () => {
      const { config, bucket } = await s3Server(name);
      const bucketName = await bucket();
      const store = new S3Store({ bucket: bucketName, config });
      const keys = Array.from(
        { length: 85 },
        (_, at) => `many/${at % 3}/${String(at).padStart(3, "0")}`,
      ).sort();
      await Promise.all([...keys, "other"].map((key) => store.put(key, new Uint8Array(1))));
      const client = new S3Client(bucketName, { config });
      const paged = async (prefix: string, isRecursive: boolean) =>
        (await listObjects(client, prefix, isRecursive, undefined, 20)).map(({ key }) => key).sort();
      expect(await paged("many", true)).toEqual(keys);
      expect(await paged("many/1", false)).toEqual(keys.filter((key) => key.startsWith("many/1/")));
      expect((await listObjects(client, "many", false, undefined, 2)).map(({ key }) => key)).toEqual([
        "many/0",
        "many/1",
        "many/2",
      ]);
      await store.deletePrefix("many");
      expect(await listedSizes(store, "")).toEqual([{ key: "other", size: 1 }]);
    });
  });
}
