import { describe, expect, test } from "vitest";
import { listObjects, type WalkOptions, walkObjects } from "../../src/array/objects.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { createGroup } from "../../src/array/write/group-io.js";
import { AbortedError, FormatError } from "../../src/errors.js";
import { writeGenericTile } from "../../src/format/generic-tile.js";
import { writeGroupDetails } from "../../src/format/group.js";
import { MemoryStore } from "../../src/storage/memory.js";

const schema = {
  arrayType: "sparse",
  dimensions: [{ name: "row", datatype: "int32", domain: [0, 9] }],
  attributes: [],
} as const;

async function tree() {
  const store = new MemoryStore("mem://objects");
  for (const path of ["g", "g/sub", "h"]) await createGroup({ store, path });
  for (const path of ["g/sub/x", "g/a", "free"]) await createArray({ store, path }, schema);
  return store;
}

async function uris(store: MemoryStore, path: string, options: WalkOptions = {}) {
  const found: string[] = [];
  for await (const one of walkObjects({ store, path }, options)) {
    found.push(`${one.depth} ${one.type} ${one.uri.slice(store.uri.length + 1)} ${one.name}`);
  }
  return found;
}

describe("objects", () => {
  test("before and after what they hold", async () => {
    const store = await tree();
    const pre = [
      "1 array free free",
      "1 group g g",
      "2 array g/a a",
      "2 group g/sub sub",
      "3 array g/sub/x x",
      "1 group h h",
    ];
    expect(await uris(store, "")).toEqual(pre);
    expect(await uris(store, "", { order: "post" })).toEqual([0, 2, 4, 3, 1, 5].map((i) => pre[i]));
  });

  test("by members, wherever they are; by folders in a group that names none", async () => {
    const store = await tree();
    const members = [
      { uri: "mem://objects/g", relative: false, name: "G", type: "group", deleted: false },
      { uri: "mem://objects/gone/", relative: false, name: null, type: "group", deleted: false },
      { uri: "mem://objects/h", relative: false, name: "itself", type: "group", deleted: false },
    ] as const;
    await store.put(
      "h/__group/__1_1_00000000000000000000000000000001_2",
      await writeGenericTile(writeGroupDetails({ version: 2, members })),
    );
    expect(await uris(store, "h", { by: "members" })).toEqual([
      "1 group g G",
      "2 array g/a a",
      "2 group g/sub sub",
      "3 array g/sub/x x",
      "1 group h itself",
      "1 group gone gone",
    ]);
    const [first] = await listObjects({ store, path: "h" }, { by: "members" });
    const [array] = await listObjects(first!.location);
    expect((await openArray(array!.location)).fragments).toEqual([]);
  });

  test("a member's path that leaves its group is a FormatError", async () => {
    for (const uri of ["../free", "a//b", "mem://objects/../x"]) {
      const store = await tree();
      const member = {
        uri,
        relative: !uri.startsWith("mem"),
        name: null,
        type: "array",
        deleted: false,
      } as const;
      const bytes = await writeGenericTile(writeGroupDetails({ version: 2, members: [member] }));
      await store.put("h/__group/__1_1_00000000000000000000000000000001_2", bytes);
      await expect(listObjects({ store, path: "h" }, { by: "members" })).rejects.toThrow(FormatError);
    }
  });

  test("end when the caller aborts", async () => {
    const signal = AbortSignal.abort();
    await expect(listObjects({ store: await tree(), path: "" }, { signal })).rejects.toThrow(AbortedError);
  });
});
