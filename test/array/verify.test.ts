import "../../src/node-platform.js";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { verifyArray } from "../../src/array/verify/verify-array.js";
import { resolveReadable } from "../../src/storage/resolve.js";

/** What the official library wrote is right: `verifyArray` must find nothing in it, of any version. */

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));

/** Slips of old cores, whose arrays are read by other means than what is wrong in them. */
const slips: Readonly<Record<string, readonly string[]>> = {
  // The rectangles of datetimes were made of other bytes.
  "v3/sparse-1d.datetime": ["statistics", "statistics"],
  // The order of the curve was another one.
  "v7/sparse-2d.hilbert": ["order"],
};

const versions = readdirSync(root).filter((name) => /^v\d+$/.test(name));

it.each(versions)("arrays of %s have no defect", { timeout: 60_000 }, async (version) => {
  const found: Record<string, readonly string[]> = {};
  const expected: Record<string, readonly string[]> = {};
  let bytes = 0;
  for (const name of readdirSync(join(root, version))) {
    const path = join(root, version, name, "array");
    if (!existsSync(path) || name.startsWith("encrypted")) continue;
    const kinds: string[] = [];
    await verifyArray(resolveReadable(path), {
      report: (defect) => kinds.push(defect.kind),
      onBytes: (read) => {
        bytes += read;
      },
    });
    found[name] = kinds;
    expected[name] = slips[`${version}/${name}`] ?? [];
  }
  expect(found).toEqual(expected);
  expect(bytes).toBeGreaterThan(0);
});
