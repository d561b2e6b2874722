import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listObjects, type WalkedObject, walkObjects } from "../../src/tiledb-node.js";
import { patience, runs } from "../support/property.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";

/** Listing and walking against tiledb.ls, tiledb.walk and tiledb.Group. */

const asTheirs = ({ uri, type }: { uri: string; type: string }) => [uri, type];
/** Theirs are file: URLs, whose names are not escaped. */
const asOurs = (list: unknown) =>
  (list as string[][]).map(([uri, ...rest]) => [uri!.replace(/^file:\/\//, ""), ...rest]);

async function walked(uri: string, options: Parameters<typeof walkObjects>[1]): Promise<WalkedObject[]> {
  const all: WalkedObject[] = [];
  for await (const one of walkObjects(uri, options)) all.push(one);
  return all;
}

describe.skipIf(!hasPython)("objects in folders", () => {
  it(
    "drawn trees",
    async () => {
      const peer = await pythonPeer();
      await fc.assert(
        fc.asyncProperty(tree, async (objects) => {
          const { path: root, remove } = await keptFolder();
          await peer.call("make_objects", { root, objects });
          for (const uri of [root, ...objects.map(({ path }) => `${root}/${path}`)]) {
            const theirs = asOurs(await peer.call("list_objects", { uri }));
            expect((await listObjects(uri)).map(asTheirs)).toEqual(theirs);
          }
          for (const order of ["pre", "post"] as const) {
            const theirs = asOurs(await peer.call("walk_objects", { uri: root, order: `${order}order` }));
            expect((await walked(root, { order })).map(asTheirs)).toEqual(theirs);
          }
          await remove();
        }),
        { numRuns: runs(15, 300) },
      );
    },
    patience(60_000),
  );

  it("nothing where nothing is, and in a file", async () => {
    const root = await temporaryFolder();
    expect(await listObjects(`${root}/none`)).toEqual([]);
    expect(await walked(root, {})).toEqual([]);
  });
});

const name = fc.constantFrom("a", "B", "b", "b-2", "é", "x y", "group.tdb", "z");
/** Objects whose parents come before them, so that folders of no type stay none. */
const tree = fc
  .uniqueArray(
    fc.record({
      path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
      type: fc.constantFrom("group", "array", "folder"),
    }),
    { minLength: 1, maxLength: 10, selector: ({ path }) => path },
  )
  .map((list) => list.sort((a, b) => (a.path < b.path ? -1 : 1)))
  .map((list) =>
    list.filter(
      ({ path, type }) => type !== "folder" || !list.some((one) => one.path.startsWith(`${path}/`)),
    ),
  );

describe.skipIf(!hasPython)("members of groups", () => {
  it("relative and absolute, named and not, nested", async () => {
    const root = await temporaryFolder();
    const peer = await pythonPeer();
    const objects = [
      {
        path: "top",
        type: "group",
        members: [
          { uri: "inner", relative: true, name: "first" },
          { uri: "left", relative: true },
          { uri: `${root}/elsewhere/far`, name: "second" },
          { uri: pathToFileURL(`${root}/other`).href, name: "third" },
        ],
      },
      { path: "top/inner", type: "group", members: [{ uri: "deep/er", relative: true, name: "d" }] },
      { path: "top/inner/deep/er", type: "array" },
      { path: "top/left", type: "array" },
      { path: "top/not-a-member", type: "array" },
      { path: "elsewhere/far", type: "group", members: [{ uri: `${root}/other` }] },
      { path: "other", type: "array" },
    ];
    await peer.call("make_objects", { root, objects });
    const theirs = asOurs(await peer.call("walk_members", { uri: `${root}/top` }));
    const ours = await walked(`${root}/top`, { by: "members" });
    const sorted = (list: unknown[][]) => list.map((one) => JSON.stringify(one)).sort();
    // Theirs is null where the group gives no name.
    const named = (list: unknown[][]) =>
      list.map(([uri, type, given]) => [uri, type, given ?? String(uri).split("/").at(-1)]);
    expect(sorted(ours.map(({ uri, type, name: given }) => [uri, type, given]))).toEqual(
      sorted(named(theirs)),
    );
    expect(ours.length).toBe(6);
    // By folders it is another tree.
    expect((await walked(`${root}/top`, {})).map(({ uri }) => uri)).toEqual([
      `${root}/top/inner`,
      `${root}/top/left`,
      `${root}/top/not-a-member`,
    ]);
  });
});
