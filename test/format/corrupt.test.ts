import { describe, expect, test } from "vitest";
import { isCellarrError } from "../../src/errors.js";
import { readArraySchema, writeArraySchema } from "../../src/format/array-schema.js";
import { readConsolidatedCommits } from "../../src/format/consolidated-commits.js";
import {
  readConsolidatedFooter,
  readConsolidatedFragmentMetadata,
} from "../../src/format/consolidated-fragment-metadata.js";
import { enumerationValues, readEnumeration } from "../../src/format/enumeration.js";
import { readFragmentFooter } from "../../src/format/fragment/fragment-footer.js";
import { readGroupDetails } from "../../src/format/group.js";
import { readIgnoreFile } from "../../src/format/ignore-file.js";
import { decodeMetadataValue, mergeMetadata, readMetadata } from "../../src/format/metadata.js";
import { readVacuumFile } from "../../src/format/vacuum-file.js";
import { type GoldenFile, goldenFiles, goldenFragment, payloadOf } from "./golden-files.js";

/**
 * Official structures, cut at every length and with every byte changed in several ways, give a value or an error of this
 * package's family: no other error, no hang, no allocation beyond what the bytes can account for (which would throw a
 * RangeError or end the process).
 */
function survives(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => unknown,
): { values: number; errors: number } {
  let values = 0;
  let errors = 0;
  const attempt = (input: Uint8Array) => {
    try {
      read(input);
      values++;
    } catch (error) {
      if (!isCellarrError(error)) throw error;
      errors++;
    }
  };
  for (let length = 0; length < bytes.byteLength; length++) attempt(bytes.slice(0, length));
  const changed = bytes.slice();
  for (let at = 0; at < bytes.byteLength; at++) {
    for (const value of [0, 0xff, bytes[at]! ^ 1]) {
      changed[at] = value;
      attempt(changed);
    }
    changed[at] = bytes[at]!;
  }
  return { values, errors };
}

/** Every cut must be noticed, except where what is left is whole. */
function check(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  expect(() => read(bytes)).not.toThrow();
  const { values, errors } = survives(bytes, read);
  expect(values + errors).toBe(bytes.byteLength * 4);
  expect(errors).toBeGreaterThan(0);
}

function each(kind: string, ending: string, run: (file: GoldenFile) => void | Promise<void>): void {
  const files = goldenFiles(kind, ending).filter(({ name }) => name.startsWith("v22/"));
  test(`there are files of ${kind}`, () => expect(files.length).toBeGreaterThan(0));
  for (const file of files) test(file.name, () => run(file));
}

describe("array schema", () => {
  each("schema", "", async (file) => {
    check(await payloadOf(file), (bytes) => writeArraySchema(readArraySchema(bytes)));
  });
});

describe("enumeration", () => {
  each("enumeration", "", async (file) => {
    check(await payloadOf(file), (bytes) => enumerationValues(readEnumeration(bytes)));
  });
});

describe("metadata", () => {
  each("metadata", "", async (file) => {
    check(await payloadOf(file), (bytes) =>
      Array.from(mergeMetadata([readMetadata(bytes)]).values(), decodeMetadataValue),
    );
  });
});

describe("group", () => {
  each("group", "", async (file) => check(await payloadOf(file), (bytes) => readGroupDetails(bytes)));
});

describe("fragment metadata", () => {
  each("fragment", ".metadata", async (file) => {
    const { schema, sections, end } = await goldenFragment(file);
    check(file.bytes.subarray(end), (bytes) => readFragmentFooter(bytes, () => schema));
    const seen = new Set<string>();
    for (const { name, payload, roundTrip } of sections) {
      const content = `${name.replace(/\d+/, "")} ${payload.join()}`;
      if (!seen.has(content)) check(payload, roundTrip);
      seen.add(content);
    }
  });
});

describe("files of commits", () => {
  each("commits", ".con", (file) => check(file.bytes, (bytes) => readConsolidatedCommits(bytes)));
  each("commits", ".vac", (file) => check(file.bytes, (bytes) => readVacuumFile(bytes)));
  each("commits", ".ign", (file) => check(file.bytes, (bytes) => readIgnoreFile(bytes)));
  each("commits", ".meta", async (file) => {
    const fragments = await Promise.all(goldenFiles("fragment/evolved", ".metadata").map(goldenFragment));
    const schemaOf = (name: string) =>
      (fragments.find(({ footer }) => footer.schemaName === name) ?? fragments[0]!).schema;
    check(await payloadOf(file), (bytes) => {
      const footers = readConsolidatedFragmentMetadata(bytes);
      for (const name of footers.offsets.keys()) readConsolidatedFooter(footers, name, schemaOf);
    });
  });
});
