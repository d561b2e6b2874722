import { describe, expect, test } from "vitest";
import { readArraySchema, writeArraySchema } from "../../src/format/array-schema.js";
import { ByteWriter } from "../../src/format/byte-writer.js";
import { readConsolidatedCommits, writeConsolidatedCommits } from "../../src/format/consolidated-commits.js";
import {
  readConsolidatedFooter,
  readConsolidatedFragmentMetadata,
  writeConsolidatedFragmentMetadata,
} from "../../src/format/consolidated-fragment-metadata.js";
import { readEnumeration, writeEnumeration } from "../../src/format/enumeration.js";
import { writeFooter } from "../../src/format/fragment/fragment-footer.js";
import { readGroupDetails, writeGroupDetails } from "../../src/format/group.js";
import { readIgnoreFile, writeIgnoreFile } from "../../src/format/ignore-file.js";
import { readMetadata, writeMetadata } from "../../src/format/metadata.js";
import { readVacuumFile, writeVacuumFile } from "../../src/format/vacuum-file.js";
import { type GoldenFile, goldenFiles, goldenFragment, goldenVersions, payloadOf } from "./golden-files.js";

/** Official files, read and written again: every byte of the payload comes back. */

function eachFile(kind: string, ending: string, check: (file: GoldenFile) => Promise<void>): void {
  const files = goldenFiles(kind, ending);
  test(`there are files of ${kind}`, () => expect(files.length).toBeGreaterThan(0));
  for (const file of files) test(file.name, () => check(file));
}

/** A structure that is the payload of a generic tile. */
function eachPayload(kind: string, ending: string, roundTrip: (payload: Uint8Array) => Uint8Array): void {
  eachFile(kind, ending, async (file) => {
    const payload = await payloadOf(file);
    expect(roundTrip(payload)).toEqual(payload);
  });
}

test("versions 18 to 22 are covered", () => expect(goldenVersions).toEqual([18, 19, 20, 21, 22]));

describe("array schema", () => {
  eachPayload("schema", "", (payload) => writeArraySchema(readArraySchema(payload)));
});

describe("enumeration", () => {
  eachPayload("enumeration", "", (payload) => writeEnumeration(readEnumeration(payload)));
});

describe("metadata", () => {
  eachPayload("metadata", "", (payload) => writeMetadata(readMetadata(payload)));
});

describe("group", () => {
  eachPayload("group", "", (payload) => writeGroupDetails(readGroupDetails(payload)));
});

describe("fragment metadata", () => {
  eachFile("fragment", ".metadata", async (file) => {
    const { footer, schema, sections, end } = await goldenFragment(file);
    for (const { name, payload, roundTrip } of sections) {
      expect({ name, payload: roundTrip(payload) }).toEqual({ name, payload });
    }
    const bytes = writeFooter(footer, schema);
    const length = new ByteWriter();
    length.u64n(bytes.byteLength);
    expect(bytes).toEqual(file.bytes.subarray(end, -8));
    expect(length.finish()).toEqual(file.bytes.subarray(-8));
  });
});

describe("consolidated fragment metadata", () => {
  eachFile("commits", ".meta", async (file) => {
    const payload = await payloadOf(file);
    const footers = readConsolidatedFragmentMetadata(payload, file.name);
    const fragments = await Promise.all(goldenFiles("fragment/evolved", ".metadata").map(goldenFragment));
    const schemaOf = (name: string) => fragments.find(({ footer }) => footer.schemaName === name)!.schema;
    const written = Array.from(footers.offsets.keys(), (name) => {
      const footer = readConsolidatedFooter(footers, name, schemaOf)!;
      expect(fragments.map((fragment) => fragment.footer)).toContainEqual(footer);
      return { name, footer: writeFooter(footer, schemaOf(footer.schemaName)) };
    });
    expect(written).toHaveLength(2);
    expect(writeConsolidatedFragmentMetadata(written)).toEqual(payload);
    expect(readConsolidatedFooter(footers, "__1_1_other_22", schemaOf)).toBeUndefined();
  });
});

describe("consolidated commits", () => {
  eachFile("commits", ".con", async (file) => {
    const commits = readConsolidatedCommits(file.bytes, file.name);
    expect(commits.length).toBeGreaterThan(1);
    expect(writeConsolidatedCommits(commits)).toEqual(file.bytes);
  });
});

describe("vacuum file", () => {
  eachFile("commits", ".vac", async (file) => {
    const { lines, names } = readVacuumFile(file.bytes, file.name);
    expect(lines).toHaveLength(3);
    const isRelative = !file.name.startsWith("v18/");
    expect(lines.every((line) => line.startsWith("/__fragments/"))).toBe(isRelative);
    for (const name of names) expect(name).toMatch(/^__\d+_\d+_[0-9a-f]{32}_\d+$/);
    if (isRelative) expect(writeVacuumFile("__fragments", names)).toEqual(file.bytes);
  });
});

describe("ignore file", () => {
  eachFile("commits", ".ign", async (file) => {
    const names = readIgnoreFile(file.bytes, file.name);
    expect(names).toHaveLength(2);
    expect(writeIgnoreFile(names)).toEqual(file.bytes);
  });
});
