import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { publishStore } from "../../src/node.js";
import type { StorageOptions } from "../../src/storage/remote/settings.js";
import { serveFolders } from "../support/folder-server.js";
import { otherNodes, runtime } from "../support/runtimes.js";
import { temporaryFolder } from "../support/temporary.js";

/** A first slice is mostly loading and compiling: what it loads stays little, whatever is added for others. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

beforeAll(() => run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]));

const fixture = join(root, "spec-fixtures", "cellarr-0.3.2", "store.plain", "dataset");

/** What of ours, of packages and of Node's is loaded. */
async function loaded(
  store: string,
  storage: StorageOptions = {},
  node = process.execPath,
): Promise<string[]> {
  const script = join(root, "test", "house", "first-slice.mjs");
  const { stdout } = await run(node, [script, store, JSON.stringify(storage)]);
  expect(stdout).toContain("shape 2,1");
  return stdout.split("\n").filter((line) => /^(file:|node:|internal |ended )/.test(line));
}

/** Chunks that `entry` brings along, at once. */
function staticImports(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = readFileSync(path, "utf8");
  for (const [, target] of text.matchAll(/(?:^|[;}\n])(?:import|export)(?:[^"'();=]*\bfrom)?\s*"([^"]+)"/g)) {
    if (target!.startsWith(".")) staticImports(join(path, "..", target!), seen);
    else seen.add(target!);
  }
  return seen;
}

describe("a process that only reads", () => {
  it("loads the entry, few chunks and no package", async () => {
    const urls = await loaded(fixture);
    const files = urls.filter((url) => url.startsWith("file:")).map((url) => fileURLToPath(url));
    expect(files.filter((path) => path.includes("node_modules"))).toEqual([]);
    expect(files.length).toBeGreaterThan(2);
    expect(files.length).toBeLessThanOrEqual(5);
    const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThan(345_000);
    const builtIn = urls.filter((url) => url.startsWith("node:"));
    expect(builtIn).not.toContain("node:crypto");
    expect(builtIn).not.toContain("node:worker_threads");
    const internal = urls.filter((url) => url.startsWith("internal "));
    // Node's names of what it has loaded: the test below would not see anything else.
    expect(internal).toContain("internal NativeModule fs");
    expect(internal.filter((name) => /NativeModule (_?https?|.*undici)/.test(name))).toEqual([]);
  });

  it.each([
    ["node", 3],
    ["web/index", 8],
  ])(
    "loads with %s.js what all of it shares, and no package",
    (entry, most) => {
      const imports = [...staticImports(join(root, "dist", `${entry}.js`))];
      const files = imports.filter((name) => existsSync(name));
      expect(files.length).toBeLessThanOrEqual(most);
      expect(imports.filter((name) => !name.startsWith("node:") && !files.includes(name))).toEqual([]);
    },
    120_000,
  );
});

describe.each(["this Node", ...otherNodes] as const)("a process that reads from afar, in %s", (name) => {
  it("does without Node's fetch, and ends with its connections open", async (context) => {
    const node = name === "this Node" ? process.execPath : await runtime(name, context);
    const files = await temporaryFolder();
    await cp(fixture, join(files, "store"), { recursive: true });
    await publishStore(join(files, "store"));
    const server = await serveFolders({ bucket: files });
    onTestFinished(() => server.close());
    const config = {
      "vfs.s3.endpoint_override": server.url,
      "vfs.s3.use_virtual_addressing": false,
      "vfs.s3.aws_access_key_id": "key",
      "vfs.s3.aws_secret_access_key": "secret",
    };
    for (const place of [`${server.url}/bucket/store`, "s3://bucket/store"]) {
      const lines = await loaded(place, { config, index: "trust" }, node);
      const internal = lines.filter((line) => line.startsWith("internal "));
      expect(internal).toContain("internal NativeModule http");
      expect(internal.filter((line) => line.includes("undici"))).toEqual([]);
      // Idle connections are kept for 5 s.
      const ended = lines.find((line) => line.startsWith("ended after "));
      expect(Number(ended?.split(" ")[2])).toBeLessThan(3000);
    }
  }, 120_000);
});

describe("what all readers share", () => {
  it("has nothing of remote places but their names", () => {
    const sources = ["core", "node-core"].flatMap((name) => {
      const map = readFileSync(join(root, "dist", "chunks", `${name}.js.map`), "utf8");
      return (JSON.parse(map) as { sources: string[] }).sources;
    });
    expect(sources.some((source) => source.endsWith("storage/remote/locate.ts"))).toBe(true);
    const late = /storage\/(http|s3|gcs|azure|zip)\/(?!zip-late)|remote\/(http-client|retry|settings)\.ts$/;
    expect(sources.filter((source) => late.test(source))).toEqual([]);
  });
});

describe("bundles", () => {
  it.each(["index", "tiledb", "h5ad", "server"])("%s.js, for browsers, brings nothing of Node", (entry) => {
    const imports = [...staticImports(join(root, "dist", "web", `${entry}.js`))];
    expect(imports.filter((name) => name.startsWith("node:") || name.endsWith("node-core.js"))).toEqual([]);
  });

  it("are ASCII: of other text the engine keeps and reads two bytes a character", () => {
    for (const name of ["core", "node-core"]) {
      const bytes = readFileSync(join(root, "dist", "chunks", `${name}.js`));
      expect(bytes.findIndex((byte) => byte > 127)).toBe(-1);
    }
  });

  it("keep the names of errors and functions", async () => {
    const { FormatError } = await import(join(root, "dist", "node.js"));
    expect(new FormatError("x").name).toBe("FormatError");
    expect(readFileSync(join(root, "dist", "chunks", "core.js"), "utf8")).toContain("function readDense(");
  });

  it("have source maps that lead to the sources", () => {
    const map = JSON.parse(readFileSync(join(root, "dist", "chunks", "core.js.map"), "utf8")) as {
      sources: string[];
      sourcesContent: string[];
    };
    expect(map.sources.some((source) => source.endsWith("src/array/open.ts"))).toBe(true);
    expect(map.sourcesContent.length).toBe(map.sources.length);
  });
});
