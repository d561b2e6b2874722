import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/build.mjs";
import * as cellarr from "../../src/node.js";
import * as tiledb from "../../src/tiledb-node.js";
import { otherNodes, type RuntimeName, runtime } from "../support/runtimes.js";
import { observeWritten } from "./program/observe.mjs";
import { expectedHere, makeSetting, type Results, type Setting } from "./setting.js";

/** The package in other versions of Node, in Bun and in Deno gives what its sources give here. */

const run = promisify(execFile);

let setting: Setting;
let expected: Results;

beforeAll(async () => {
  await buildIfStale();
  setting = await makeSetting();
  expected = await expectedHere(setting, { read: setting.places, write: await setting.emptyFolder() });
});
afterAll(() => setting.close());

/** Arguments before the program's name. */
const FLAGS: Partial<Record<RuntimeName, readonly string[]>> = {
  bun: ["run"],
  deno: ["run", "--allow-all", "--node-modules-dir=manual", "--no-remote", "--quiet"],
};

describe("the expected results", () => {
  it("are values, not errors", () => {
    expect(setting.arrays.length).toBeGreaterThan(40);
    expect(JSON.stringify(expected)).not.toContain('"error"');
    expect(expected.http).toEqual(expected.memory);
    expect(expected.localRead).toEqual(expected.memory);
  });
});

describe.each([...otherNodes, "bun", "deno"] as const)("%s", (name) => {
  it("reads and writes as this Node does, from memory, over HTTP and in folders", async (context) => {
    const command = await runtime(name, context);
    const write = await setting.emptyFolder();
    const task = { url: setting.url, arrays: setting.arrays, local: { read: setting.places, write } };
    const args = [...(FLAGS[name] ?? []), "command.mjs", JSON.stringify(task)];
    const { stdout } = await run(command, args, {
      cwd: setting.installed,
      maxBuffer: 1 << 28,
      timeout: 120_000,
    });
    const found = JSON.parse(stdout) as Results;
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const part of Object.keys(expected)) expect(found[part], part).toEqual(expected[part]);
    const written = await observeWritten({ cellarr, tiledb }, (place) => `${write}/${place}`);
    expect(written, "written to a folder, read here").toEqual(pick(expected.localWritten, written));
  }, 180_000);
});

function pick(from: unknown, like: object): unknown {
  return Object.fromEntries(Object.keys(like).map((name) => [name, (from as Results)[name]]));
}
