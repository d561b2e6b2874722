import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ArraySchema, readArraySchema, writeArraySchema } from "../../src/format/array-schema.js";
import type { Attribute } from "../../src/format/attribute.js";
import { readConsolidatedCommits, writeConsolidatedCommits } from "../../src/format/consolidated-commits.js";
import { type Datatype, datatypes, VAR_NUM } from "../../src/format/datatype.js";
import { deleteCommitKind, readDeleteCommit } from "../../src/format/delete-commit.js";
import type { Dimension } from "../../src/format/dimension.js";
import {
  enumerationSize,
  enumerationValues,
  fixedEnumeration,
  readEnumeration,
  textEnumeration,
  writeEnumeration,
} from "../../src/format/enumeration.js";
import { defaultFill } from "../../src/format/fill-value.js";
import { emptyPipeline } from "../../src/format/filter-pipeline.js";
import { fieldFileName, fieldIndex, fieldNames } from "../../src/format/fragment/fragment-fields.js";
import {
  type GroupMember,
  mergeGroupDetails,
  readGroupDetails,
  writeGroupDetails,
} from "../../src/format/group.js";
import { readIgnoreFile } from "../../src/format/ignore-file.js";
import { bytesOfText, compareText, textOfBytes } from "../../src/format/text-bytes.js";
import { readVacuumFile } from "../../src/format/vacuum-file.js";
import { goldenFiles, payloadOf } from "./golden-files.js";

const dimension: Dimension = {
  name: "x",
  datatype: "int32",
  cellValNum: 1,
  filters: emptyPipeline,
  domain: [0, 9],
  tileExtent: 5,
};

function attribute(name: string, datatype: Datatype, cellValNum = 1): Attribute {
  const fill = defaultFill(datatype, cellValNum);
  return {
    name,
    datatype,
    cellValNum,
    filters: emptyPipeline,
    fill,
    nullable: false,
    fillValid: false,
    order: "unordered",
    enumeration: null,
  };
}

function schemaOf(changes: Partial<ArraySchema>): ArraySchema {
  return {
    version: 22,
    arrayType: "sparse",
    allowsDuplicates: true,
    tileOrder: "row-major",
    cellOrder: "col-major",
    capacity: 10,
    coordsFilters: emptyPipeline,
    offsetsFilters: emptyPipeline,
    validityFilters: emptyPipeline,
    dimensions: [dimension],
    attributes: [],
    labels: [],
    enumerations: [],
    currentDomain: null,
    ...changes,
  };
}

const through = (schema: ArraySchema) => readArraySchema(writeArraySchema(schema), "f");

describe("array schema", () => {
  test("of any names, datatypes and versions comes back", () => {
    const names = fc.string({ unit: "grapheme", maxLength: 8 });
    const attributes = fc.array(
      fc.record({
        name: names,
        datatype: fc.constantFrom(...datatypes.map(({ name }) => name)),
        cellValNum: fc.constantFrom(1, 2, 5, VAR_NUM),
        nullable: fc.boolean(),
        order: fc.constantFrom("unordered", "increasing", "decreasing"),
        enumeration: fc.option(names.filter((name) => name !== "")),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(attributes, fc.integer({ min: 18, max: 23 }), names, (parts, version, name) => {
        const schema = schemaOf({
          version,
          dimensions: [{ ...dimension, name }],
          currentDomain: version >= 22 ? [[2, 3]] : null,
          attributes: parts.map((part) => ({
            ...attribute(part.name, part.datatype, part.cellValNum),
            nullable: part.nullable,
            order: part.order,
            enumeration: version >= 20 ? part.enumeration : null,
          })),
        });
        expect(through(schema)).toEqual(schema);
      }),
    );
  });

  test("an extent beyond 2^63 - 1, which the official library sets for wide domains, is not negative", () => {
    const domain = [-(2n ** 63n), 2n ** 63n - 11n] as const;
    const wide = { ...dimension, datatype: "int64", domain, tileExtent: 2n ** 64n - 10n } as const;
    const schema = schemaOf({ dimensions: [wide] });
    expect(through(schema)).toEqual(schema);
    const narrow = { ...wide, domain: [0n, 99n], tileExtent: -10n } as const;
    expect(() => through(schemaOf({ dimensions: [narrow] }))).toThrow(
      "tile extent -10, expected more than 0",
    );
  });

  test("a name that begins with a byte order mark keeps it", () => {
    expect(through(schemaOf({ attributes: [attribute("\ufeffx", "int8")] })).attributes[0]!.name).toBe(
      "\ufeffx",
    );
  });

  test.each<[string, Partial<ArraySchema>, string]>([
    ["no dimensions", { dimensions: [] }, "no dimensions, expected at least 1"],
    ["capacity", { capacity: 0 }, "capacity is 0, expected at least 1"],
    [
      "cell order",
      { cellOrder: "global-order" },
      "cell order is global-order, expected row-major or col-major or hilbert",
    ],
    ["tile order", { tileOrder: "hilbert" }, "tile order is hilbert, expected row-major or col-major"],
    ["domain", { dimensions: [{ ...dimension, domain: [3, 2] }] }, "dimension x has the empty domain [3, 2]"],
    [
      "extent",
      { dimensions: [{ ...dimension, tileExtent: -1 }] },
      "dimension x has tile extent -1, expected more than 0",
    ],
    [
      "values",
      { dimensions: [{ ...dimension, cellValNum: 2 }] },
      "dimension x of type int32 has 2 values per coordinate",
    ],
    [
      "dense without extent",
      { arrayType: "dense", dimensions: [{ ...dimension, tileExtent: null }] },
      "dimension x of a dense array has no tile extent",
    ],
    [
      "dense float",
      { arrayType: "dense", dimensions: [{ ...dimension, datatype: "float32" }] },
      "dimension x of a dense array is of type float32",
    ],
    [
      "fill",
      { attributes: [{ ...attribute("v", "int32"), fill: new Uint8Array(3) }] },
      "fill value of v has 3 bytes, which is no int32 cell",
    ],
    ["old", { version: 0 }, "format version 0 is older than what this package reads, 1 to 23"],
    ["new", { version: 24 }, "format version 24 is newer than what this package reads, 1 to 23"],
  ])("refuses a wrong %s", (_, changes, message) => {
    expect(() => through(schemaOf(changes))).toThrow(`array schema: ${message} (f)`);
  });

  test("default fills are those of the official library", async () => {
    let compared = 0;
    for (const file of goldenFiles("schema").filter(({ name }) => !name.endsWith("/fills"))) {
      for (const { datatype, cellValNum, fill } of readArraySchema(await payloadOf(file)).attributes) {
        expect({ datatype, fill: defaultFill(datatype, cellValNum) }).toEqual({ datatype, fill });
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  test("fields of a fragment by name, index and file", () => {
    const schema = schemaOf({ attributes: [attribute("", "int8"), attribute("b", "int8")] });
    const extra = { hasTimestamps: true, hasDeleteMetadata: true };
    const names = fieldNames(schema, extra);
    expect(names.map((name) => fieldIndex(schema, name, extra))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(names.map((name) => fieldFileName(schema, name))).toEqual([
      "a0",
      "a1",
      "__coords",
      "d0",
      "t",
      "dt",
      "dci",
    ]);
    expect(fieldFileName(schema, "b", 9)).toBe("a1");
    expect(fieldFileName(schema, "x", 8)).toBe("x");
    expect(() => fieldIndex(schema, "t")).toThrow('no field "t" in the fragment, it has , b, __coords, x');
  });
});

test("names of data files before version 9", () => {
  const schema = schemaOf({ attributes: [attribute("", "int8"), attribute('x.y:z*?"<>|\\~é', "int8")] });
  const [, named] = schema.attributes;
  expect(fieldFileName(schema, "", 8)).toBe("");
  expect(fieldFileName(schema, named!.name, 7)).toBe('x.y:z*?"<>|\\~é');
  // As the core wrote them: "<>|" and the backslash are not what percent-encoding makes of them.
  expect(fieldFileName(schema, named!.name, 8)).toBe("x.y%3Az%2A%3F%22%20%2D%3C%30~é");
  expect(fieldFileName(schema, "__coords", 4)).toBe("__coords");
});

describe("text of string coordinates", () => {
  test("any bytes come back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesOfText(textOfBytes(bytes))).toEqual(bytes);
      }),
    );
  });

  test("order is that of bytes", () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "b", "\0", "é", "\uffee", "𝒳", "😀"), maxLength: 4 }),
      fc.uint8Array({ maxLength: 3 }).map(textOfBytes),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(bytesOfText(a), bytesOfText(b));
        expect(Math.sign(compareText(a, b))).toBe(expected);
      }),
    );
  });
});

describe("enumeration", () => {
  test("of texts", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.boolean(), (values, ordered) => {
        const enumeration = textEnumeration("e", values, { ordered });
        const read = readEnumeration(writeEnumeration(enumeration));
        expect(read).toEqual(enumeration);
        expect(enumerationValues(read)).toEqual(values);
        expect(enumerationSize(read)).toBe(values.length);
      }),
    );
    expect(textEnumeration("e", []).file).toMatch(/^__[0-9a-f]{32}_0$/);
  });

  test("of numbers, booleans and datetimes", () => {
    const values = (datatype: Datatype, array: Parameters<typeof fixedEnumeration>[2]) =>
      enumerationValues(readEnumeration(writeEnumeration(fixedEnumeration("e", datatype, array))));
    expect(values("int16", Int16Array.of(-1, 5))).toEqual([-1, 5]);
    expect(values("bool", Uint8Array.of(1, 0))).toEqual([true, false]);
    expect(values("datetime_day", BigInt64Array.of(7n))).toEqual([7n]);
  });

  test("offsets that are no offsets", () => {
    const write = (offsets: number[]) =>
      writeEnumeration({ ...textEnumeration("e", ["ab", "c"]), offsets: Float64Array.from(offsets) });
    expect(() => readEnumeration(write([0, 9, 3]))).toThrow("item 1 begins at 9, after its end");
    expect(() => readEnumeration(write([1, 2, 3]))).toThrow("the first item is not at offset 0");
  });
});

describe("group details", () => {
  const member = (changes: Partial<GroupMember>): GroupMember => ({
    uri: "a",
    relative: true,
    name: null,
    type: "array",
    deleted: false,
    ...changes,
  });

  test("of version 2 add up, those of version 1 replace", () => {
    const files = [
      { version: 2, members: [member({}), member({ uri: "b", name: "B" })] },
      { version: 2, members: [member({ deleted: true }), member({ uri: "c", type: "group" })] },
    ] as const;
    const read = files.map((file) => readGroupDetails(writeGroupDetails(file)));
    expect(read).toEqual(files);
    expect([...mergeGroupDetails(read).keys()]).toEqual(["B", "c"]);
    const old = readGroupDetails(writeGroupDetails({ version: 1, members: [member({ uri: "d" })] }));
    expect([...mergeGroupDetails([...read, old]).keys()]).toEqual(["d"]);
  });

  test("of an unknown version or type", () => {
    const bytes = writeGroupDetails({ version: 2, members: [member({})] }).slice();
    bytes[16] = 3;
    expect(() => readGroupDetails(bytes)).toThrow("object type 3, expected 0 to 2");
    bytes[0] = 3;
    expect(() => readGroupDetails(bytes, "g")).toThrow("group details: version is 3, expected 1 or 2 (g)");
  });
});

describe("files of commits", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  test("absolute URIs of older versions are known by their last component", () => {
    const lines = "file:///tmp/a/__fragments/__1_2_u_18\ns3://b/a/__3_4_u/\n";
    expect(readVacuumFile(text(lines)).names).toEqual(["__1_2_u_18", "__3_4_u"]);
  });

  test("without a newline at the end, or not text", () => {
    expect(() => readIgnoreFile(text("__commits/a"), "f")).toThrow(
      'ignore file: the last line has no end: "__commits/a" (f)',
    );
    expect(() => readVacuumFile(Uint8Array.of(0xff, 10))).toThrow("vacuum file: not UTF-8 text");
  });

  test("consolidated ones hold deletes with their content", () => {
    const commits = [
      { name: "__1_1_u_22.wrt", kind: "write", content: new Uint8Array(0) },
      { name: "__2_2_u_22.del", kind: "delete", content: text("a\nb") },
      { name: "__3_3_u_22.upd", kind: "update", content: new Uint8Array(0) },
      { name: "__4_4_u.ok", kind: "write", content: new Uint8Array(0) },
    ] as const;
    expect(readConsolidatedCommits(writeConsolidatedCommits(commits))).toEqual(commits);
    expect(() => writeConsolidatedCommits([{ ...commits[0], kind: "delete" }])).toThrow(
      "is no delete commit",
    );
    expect(() => readConsolidatedCommits(text("__commits/x.vac\n"))).toThrow(
      '"x.vac" before offset 16 is no commit',
    );
    expect(() => readConsolidatedCommits(text("x"))).toThrow("no newline after offset 0");
  });

  test("delete commits are recognised, alone and consolidated", async () => {
    const files = goldenFiles("commits/deleted");
    const read = await Promise.all(files.map(({ bytes, name }) => readDeleteCommit(bytes, name)));
    expect(read.map((commit) => commit?.time.start)).toEqual([1, 2, 3, 4]);
    expect(read.every((commit) => commit?.kind === "delete" && commit.condition.byteLength > 10)).toBe(true);
    expect(read[0]!.name).toBe(files[0]!.name.split("/").at(-1));
    for (const { bytes } of goldenFiles("commits/consolidated", ".con")) {
      const deletes = readConsolidatedCommits(bytes).filter(({ kind }) => kind === "delete");
      expect(deletes).toHaveLength(2);
      for (const { name, content } of deletes) {
        expect((await readDeleteCommit(content, name))?.condition[0]).toBeLessThan(2);
      }
    }
    expect(deleteCommitKind("__1_1_0f209c0af7182a6967c40655546adbb7_22.upd")).toBe("update");
    expect(deleteCommitKind("__1_1_0f209c0af7182a6967c40655546adbb7_22.wrt")).toBeNull();
    expect(deleteCommitKind("x.del")).toBeNull();
    expect(await readDeleteCommit(new Uint8Array(0), "x.del")).toBeNull();
  });
});
