import { describe, expect, test } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { addGroupMember, createGroup, readGroup, removeGroupMember } from "../../src/array/write/group-io.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { ArgumentError, ExistsError, NotFoundError, ValueError } from "../../src/errors.js";
import { MemoryStore } from "../../src/storage/memory.js";

const sparse = {
  arrayType: "sparse",
  dimensions: [{ name: "row", datatype: "int32", domain: [0, 9] }],
  attributes: [],
} as const;

async function groupWithArrays() {
  const store = new MemoryStore();
  const group = { store, path: "g" };
  await createGroup(group);
  await createArray({ store, path: "g/a" }, sparse);
  await createArray({ store, path: "g/b" }, sparse);
  await createGroup({ store, path: "g/sub" });
  return group;
}

describe("groups", () => {
  test("hold arrays and groups, with and without names", async () => {
    const group = await groupWithArrays();
    await addGroupMember(group, { uri: "b" });
    await addGroupMember(group, { uri: "a", name: "first" });
    await addGroupMember(group, { uri: "sub", name: "inner" });
    const members = [
      { uri: "b", relative: true, name: null, type: "array" },
      { uri: "a", relative: true, name: "first", type: "array" },
      { uri: "sub", relative: true, name: "inner", type: "group" },
    ];
    expect((await readGroup(group)).members).toEqual(members);
    await removeGroupMember(group, "first");
    expect((await readGroup(group)).members).toEqual([members[0], members[2]]);
    await removeGroupMember(group, "b");
    await addGroupMember(group, { uri: "b", name: "first" });
    expect((await readGroup(group)).members.map((member) => member.uri)).toEqual(["b", "sub"]);
    // What was removed is still there.
    expect((await openArray({ ...group, path: "g/a" })).fragments).toEqual([]);
  });

  test("are read as they were at a time", async () => {
    const group = await groupWithArrays();
    await addGroupMember(group, { uri: "a" }, { timestamp: 10 });
    await addGroupMember(group, { uri: "b" }, { timestamp: 20 });
    await removeGroupMember(group, "a", { timestamp: 30 });
    const at = async (timestamp: number) =>
      (await readGroup(group, { timestamp })).members.map(({ uri }) => uri);
    expect([await at(5), await at(10), await at(25), await at(30)]).toEqual([[], ["a"], ["a", "b"], ["b"]]);
  });

  test("refuse members that are not there or there already, and names they do not have", async () => {
    const group = await groupWithArrays();
    await addGroupMember(group, { uri: "a", name: "A" });
    await expect(addGroupMember(group, { uri: "nothing" })).rejects.toThrow(NotFoundError);
    await expect(addGroupMember(group, { uri: "b", name: "A" })).rejects.toThrow(ExistsError);
    await expect(addGroupMember(group, { uri: "" })).rejects.toThrow(ArgumentError);
    await expect(addGroupMember(group, { uri: "../x" })).rejects.toThrow(ArgumentError);
    await expect(removeGroupMember(group, "B")).rejects.toThrow(/no member 'B', there are 'A'/);
    await expect(readGroup({ ...group, path: "g/a" })).rejects.toThrow(/no group, there is an array/);
    await expect(addGroupMember({ ...group, path: "none" }, { uri: "a" })).rejects.toThrow(NotFoundError);
  });
});

describe("putMetadata", () => {
  test.each(["g", "g/a"])("sets and removes keys of %s", async (path) => {
    const group = await groupWithArrays();
    const place = { ...group, path };
    await putMetadata(place, {
      text: "é",
      n: 3,
      x: 1.5,
      big: 2n ** 60n,
      yes: true,
      list: Int16Array.of(1, -2),
    });
    await putMetadata(place, {
      n: { datatype: "uint8", value: 200 },
      x: null,
      ascii: { datatype: "string_ascii", value: "a" },
    });
    const found =
      path === "g" ? (await readGroup(place)).metadata : await (await openArray(place)).metadata();
    expect(Object.fromEntries(found)).toEqual({
      ascii: "a",
      big: 2n ** 60n,
      list: Int16Array.of(1, -2),
      n: 200,
      text: "é",
      yes: 1n,
    });
  });

  test("refuses values that do not fit, empty keys and places without an array or group", async () => {
    const group = await groupWithArrays();
    await expect(putMetadata(group, { n: { datatype: "uint8", value: 256 } })).rejects.toThrow(ValueError);
    await expect(putMetadata(group, { "": 1 })).rejects.toThrow(ArgumentError);
    await expect(putMetadata({ ...group, path: "none" }, { a: 1 })).rejects.toThrow(NotFoundError);
    expect((await readGroup(group)).metadata.size).toBe(0);
  });
});
