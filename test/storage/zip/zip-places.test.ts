import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import "../../../src/node-platform.js";
import { openArray } from "../../../src/array/open.js";
import { createArray } from "../../../src/array/write/create.js";
import { writeSparse } from "../../../src/array/write/write-sparse.js";
import { NodeFsStore } from "../../../src/storage/node-fs.js";
import { resolveReadable } from "../../../src/storage/resolve.js";
import { writeZip, zipStore } from "../../../src/storage/zip-late.js";
import { startFileServer } from "../../support/file-server.js";
import { keptFolder } from "../../support/temporary.js";

/** Zip files wherever places are taken. */

const values = Float64Array.from({ length: 5000 }, (_, i) => Math.sqrt(i));

let folder: string;

beforeAll(async () => {
  const kept = await keptFolder();
  folder = kept.path;
  const array = join(folder, "group", "array");
  await createArray(array, {
    arrayType: "sparse",
    dimensions: [{ name: "d", datatype: "int32", domain: [0, 9999], tileExtent: 100 }],
    attributes: [{ name: "a", datatype: "float64", filters: [] }],
    capacity: 100,
  });
  await writeSparse(array, { d: Int32Array.from(values, (_, i) => i), a: values });
  await writeZip(array, join(folder, "array.zip"));
  await writeZip(join(folder, "group"), join(folder, "group.zip"));
  return kept.remove;
});

async function readSome(place: Parameters<typeof openArray>[0]): Promise<void> {
  const array = await openArray(place);
  const { columns } = await array.read({ ranges: { d: [[1000, 1099]] } });
  expect(columns.a).toMatchObject({ values: values.slice(1000, 1100) });
}

describe("a zip file", () => {
  it("is the place of what is in it, by its path, as a file: URI, with #zip and a folder", async () => {
    for (const name of ["array.zip", "array.zip#zip", "group.zip", "group.zip#zip", "group.zip#zip/"]) {
      await readSome(join(folder, name));
    }
    await readSome(pathToFileURL(join(folder, "array.zip")).href);
    await writeZip(folder, join(folder, "all.zip"));
    await readSome(join(folder, "all.zip#zip/group/array"));
    const error = await openArray(join(folder, "all.zip#zip/none")).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: "NOT_FOUND" });
  });

  it("of that name may be a folder all the same", async () => {
    const store = new NodeFsStore(folder);
    await store.put("folder.zip/key", new Uint8Array([1]));
    const place = resolveReadable(join(folder, "folder.zip"));
    expect((await place.store.list(place.path)).map(({ key }) => key)).toEqual(["folder.zip/key"]);
  });

  it("on a web server is read by ranges", async () => {
    const server = await startFileServer(new NodeFsStore(folder));
    try {
      for (const place of [
        `${server.url}/array.zip`,
        `${server.url}/group.zip?x=1`,
        `${server.url}/group.zip#zip`,
      ]) {
        await readSome(place);
      }
      expect(server.requests.filter((line) => line.startsWith("HEAD"))).toEqual([]);
      const { size } = await stat(join(folder, "array.zip"));
      server.requests.length = 0;
      await (await openArray(`${server.url}/array.zip`)).read({ ranges: { d: [[1000, 1099]] } });
      // The directory; schema, fragment and tiles.
      expect(server.requests.length).toBeLessThan(14);
      expect(size).toBeGreaterThan(40_000);
    } finally {
      await server.close();
    }
  });

  it("in memory is a store", async () => {
    const store = zipStore(await readFile(join(folder, "array.zip")));
    await readSome({ store, path: "" });
    await readSome({ store: zipStore({ store: new NodeFsStore(folder), path: "array.zip" }), path: "" });
    await expect(writeZip(join(folder, "group"), { store, path: "x.zip" })).rejects.toMatchObject({
      code: "ARGUMENT",
    });
  });

  it("is not replaced unasked, and stays as it is where writing fails", async () => {
    const path = join(folder, "kept.zip");
    await writeFile(path, "something");
    const array = join(folder, "group", "array");
    await expect(writeZip(array, path)).rejects.toMatchObject({ code: "EXISTS" });
    const signal = AbortSignal.abort();
    await expect(writeZip(array, path, { overwrite: true, signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    await expect(writeZip(join(folder, "none"), path, { overwrite: true })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await readFile(path, "utf8")).toBe("something");
    const { files } = await writeZip(array, path, { overwrite: true });
    expect(files).toBeGreaterThan(3);
    await readSome(path);
  });
});
