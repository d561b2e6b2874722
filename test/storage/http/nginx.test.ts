import { execFileSync } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CellArrDataset, publishStore, slice } from "../../../src/node.js";
import { HttpStore } from "../../../src/storage/http/http-store.js";
import { NodeFsStore } from "../../../src/storage/node-fs.js";
import type { StorageOptions } from "../../../src/storage/remote/settings.js";
import type { ReadableStore } from "../../../src/storage/types.js";
import { createArray, openArray, writeSparse } from "../../../src/tiledb-node.js";
import { type Nginx, needsNginx, startNginx } from "../../support/nginx.js";
import { keptFolder } from "../../support/temporary.js";

/** Static hosting as it is: nginx. */

const fixture = fileURLToPath(
  new URL("../../../spec-fixtures/cellarr-0.3.2/store.plain/dataset", import.meta.url),
);
const isThere = needsNginx();

let nginx: Nginx;
let files: string;
let remove: () => Promise<void>;

const SERVER = `
  location / { root files; }
  location /compressed/ { alias files/; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; }
  location /no-ranges/ { alias files/; max_ranges 0; }
  location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }
  location /private/ { alias files/; auth_basic "private"; auth_basic_user_file passwords; }
  location /busy/ { alias files/; limit_req zone=few; limit_req_status 503; }
`;

beforeAll(async () => {
  if (!isThere) return;
  const folder = await keptFolder();
  remove = folder.remove;
  files = join(folder.path, "files");
  await put("text", "0123456789");
  await put("empty", "");
  await put("repeated", "0123456789".repeat(10_000));
  await writeFile(join(folder.path, "passwords"), "user:{PLAIN}p@ss\n");
  // Read while the process changes nothing: nginx finds what its folder has.
  nginx = await startNginx(folder.path, SERVER, "limit_req_zone $server_name zone=few:1m rate=20r/s;");
});

afterAll(async () => {
  await nginx?.close();
  await remove?.();
});

async function put(key: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(files, key)), { recursive: true });
  await writeFile(join(files, key), content);
}

const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value);

/** Files over HTTP; the listing is that of the folder. */
function listed(path: string, options?: StorageOptions): ReadableStore {
  const http = new HttpStore(`${nginx.url}${path}`, options);
  const local = new NodeFsStore(files);
  return {
    uri: http.uri,
    isRemote: true,
    get: (key, given) => http.get(key, given),
    getRange: (key, range, given) => http.getRange(key, range, given),
    list: (prefix, given) => local.list(prefix, given),
  };
}

describe("nginx", () => {
  it.each(["", "/compressed", "/no-ranges", "/moved"])("gives files and ranges from %s/", async (path) => {
    const store = new HttpStore(nginx.url + path);
    expect(text(await store.get("text"))).toBe("0123456789");
    expect(text(await store.get("empty"))).toBe("");
    expect(text(await store.get("repeated"))).toBe("0123456789".repeat(10_000));
    expect(text(await store.getRange("text", { start: 3, end: 6 }))).toBe("345");
    expect(text(await store.getRange("repeated", { start: 99_990, end: 100_000 }))).toBe("0123456789");
    expect(await store.getRange("empty", { start: 0, end: 0 })).toEqual(new Uint8Array(0));
    expect(await store.get("none")).toBeUndefined();
    expect(await store.getRange("none", { start: 0, end: 1 })).toBeUndefined();
    for (const [start, end] of [
      [5, 11],
      [10, 12],
    ] as const) {
      await expect(store.getRange("text", { start, end })).rejects.toThrow(/asked of a file of 10 bytes/);
    }
  });

  it("gives files of any name", async () => {
    const keys = ["a b/100%", "a#b?c", "ünï/基因", "+&=;", "%41", "..a/b..", "'\"<>|*"];
    for (const key of keys) await put(`odd/${key}`, key);
    const store = new HttpStore(`${nginx.url}/odd`);
    for (const key of keys) expect(text(await store.get(key)), key).toBe(key);
  });

  it("serves an array that is read as from disk", async () => {
    const place = { store: new NodeFsStore(files), path: "array" };
    await createArray(place, {
      arrayType: "sparse",
      dimensions: [{ name: "x", datatype: "uint32", domain: [0, 999_999], tileExtent: 1000 }],
      attributes: [{ name: "value", datatype: "float64" }],
      capacity: 1000,
    });
    for (const step of [3, 7]) {
      const x = Uint32Array.from({ length: 20_000 }, (_, at) => at * step);
      await writeSparse(place, { x, value: Float64Array.from(x, Math.sqrt) });
    }
    const query = { ranges: { x: [[10, 20_000] as const] }, order: "row-major" } as const;
    const expected = await (await openArray(place)).read(query);
    expect(expected.cellCount).toBeGreaterThan(5000);
    for (const path of ["", "/compressed", "/moved"]) {
      const array = await openArray({ store: listed(path), path: "array" });
      expect(await array.read(query), path).toEqual(expected);
    }
  });

  it("serves a store whose index file was made, and says what is missing of another", async () => {
    await cp(fixture, join(files, "store"), { recursive: true });
    const open = (path: string) => CellArrDataset.open(nginx.url + path);
    await expect(open("/store")).rejects.toThrow(/cellarr publish/);
    await publishStore(join(files, "store"));
    const local = await CellArrDataset.open(join(files, "store"));
    const genes = (await local.getGeneAnnotationIndex()).slice(3, 12);
    const expected = (await local.get(slice(0, 40), genes)).matrix("counts");
    expect(expected.data.length).toBeGreaterThan(5);
    for (const path of ["/store", "/compressed/store", "/no-ranges/store", "/moved/store/"]) {
      const dataset = await open(path);
      expect(dataset.shape).toEqual(local.shape);
      expect((await dataset.get(slice(0, 40), genes)).matrix("counts"), path).toEqual(expected);
    }
  });

  it("may want fewer requests: they are made again", async () => {
    const store = new HttpStore(`${nginx.url}/busy`, {
      config: { "vfs.http.connect_max_tries": 30, "vfs.http.connect_scale_factor": 20 },
    });
    const ranges = Array.from({ length: 12 }, (_, at) => ({ start: 10 * at, end: 10 * at + 10 }));
    const answers = await Promise.all(ranges.map((range) => store.getRange("repeated", range)));
    expect(answers.map(text)).toEqual(ranges.map(() => "0123456789"));
  });

  it("asks for credentials", async () => {
    const [, host] = nginx.url.split("//");
    const withPassword = new HttpStore(`http://user:p%40ss@${host}/private`);
    expect(text(await withPassword.get("text"))).toBe("0123456789");
    const refused = new HttpStore(`${nginx.url}/private`).get("text");
    await expect(refused).rejects.toThrow(/the server answered 401 Unauthorized/);
  });

  it("gives another version after a while: that is noticed", async () => {
    await put("changing", "0123456789");
    const store = new HttpStore(nginx.url);
    expect(text(await store.getRange("changing", { start: 0, end: 2 }))).toBe("01");
    await put("changing", "abcdefghij");
    execFileSync("touch", ["-d", "2001-01-01", join(files, "changing")]);
    const later = store.getRange("changing", { start: 2, end: 4 });
    await expect(later).rejects.toThrow(/the file changed while it was read/);
  });
});
