import { readFileSync } from "node:fs";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readGenericTile, writeGenericTile } from "../../src/format/generic-tile.js";
import { openArray } from "../../src/tiledb-node.js";
import { jsonRows } from "../support/cells-json.js";
import { writeLegacyArray } from "../support/legacy-fragments.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Format versions 1 and 2, from arrays of version 3 and 4 whose cells are known. */

const fixtures = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const scripts = fileURLToPath(new URL("../python", import.meta.url));
const names = [
  "v3/sparse-2d.int",
  "v3/sparse-3d.int16",
  "v3/dense-2d.sparse-fragments",
  "v4/fragments.overlapping",
];
const cases = names.flatMap((name) => ([1, 2] as const).map((version) => ({ name, version })));

async function legacyCopy(name: string, version: 1 | 2): Promise<string> {
  const uri = join(await temporaryFolder(), "array");
  await writeLegacyArray(join(fixtures, name, "array"), uri, version);
  return uri;
}

const cellsOf = (name: string): unknown =>
  JSON.parse(readFileSync(join(fixtures, name, "cells.json"), "utf8"));

describe("format versions 1 and 2", () => {
  it.each(cases)("$name as version $version", async ({ name, version }) => {
    const array = await openArray(await legacyCopy(name, version));
    expect(new Set(array.fragments.map((fragment) => fragment.formatVersion))).toEqual(new Set([version]));
    const dimensions = array.schema.dimensions.map((dimension) => dimension.name);
    expect(jsonRows(await array.read({ dimensions, order: "row-major" }))).toEqual(cellsOf(name));
    const original = await openArray(join(fixtures, name, "array"));
    expect(array.nonEmptyDomain()).toEqual(original.nonEmptyDomain());
    expect((await array.plan()).totals.tiles).toBe((await original.plan()).totals.tiles);
  });

  it.skipIf(!hasPython)("are what the official library reads", async () => {
    const uris = await Promise.all(cases.map(({ name, version }) => legacyCopy(name, version)));
    const script =
      "import json, sys\nuris, scripts = json.load(sys.stdin)\nsys.path.insert(0, scripts)\n" +
      "import content\nprint(json.dumps([content.cells_json(uri) for uri in uris]))";
    expect(await runPython(script, [uris, scripts])).toEqual(cases.map(({ name }) => cellsOf(name)));
  });

  it("a cut or foreign metadata file is a typed error", async () => {
    const uri = await legacyCopy("v3/sparse-2d.int", 2);
    const folder = (await readdir(uri)).find((entry) => !entry.endsWith(".tdb"))!;
    const file = join(uri, folder, "__fragment_metadata.tdb");
    const bytes = new Uint8Array(await readFile(file));
    const { data } = await readGenericTile(bytes, 0, "metadata");
    for (let length = 0; length < data.byteLength; length += 3) {
      await writeFile(file, await writeGenericTile(data.subarray(0, length)));
      await expect(openArray(uri)).rejects.toMatchObject({ code: "FORMAT" });
    }
    await writeFile(file, bytes);
    await truncate(file, bytes.byteLength - 1);
    await expect(openArray(uri)).rejects.toMatchObject({ code: "FORMAT" });
    const newer = data.slice();
    newer[0] = 3;
    await writeFile(file, await writeGenericTile(newer));
    await expect(openArray(uri)).rejects.toMatchObject({ code: "FORMAT" });
  });
});
