import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary.js";

/** What users get: names of the entries, the tree of dependencies, the packed tarball. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

describe("entries", () => {
  const entries = {
    cellarr: [() => import("../../src/index.js"), () => import("../../src/node.js")],
    "cellarr/tiledb": [() => import("../../src/tiledb.js"), () => import("../../src/tiledb-node.js")],
    "cellarr/h5ad": [() => import("../../src/h5ad.js"), () => import("../../src/h5ad-node.js")],
    "cellarr/server": [() => import("../../src/server.js"), () => import("../../src/server-node.js")],
    "cellarr/ml": [() => import("../../src/ml.js"), () => import("../../src/ml-node.js")],
    "cellarr/ml/autoencoder": [
      () => import("../../src/autoencoder.js"),
      () => import("../../src/autoencoder-node.js"),
    ],
  } as const;

  it.each(Object.entries(entries))(
    "%s has these names, in browsers and in Node",
    async (_name, [browser, node]) => {
      const names = Object.keys(await browser()).sort();
      expect(Object.keys(await node()).sort()).toEqual(names);
      expect(names).toMatchSnapshot();
    },
  );

  it("package.json names them all, and files that the build makes", () => {
    const { exports } = json(join(root, "package.json")) as {
      exports: Record<string, string | { node: Record<string, string> }>;
    };
    const named = Object.keys(exports).filter((name) => name !== "./package.json");
    expect(named.map((name) => name.replace(/^\./, "cellarr"))).toEqual(Object.keys(entries));
    for (const path of JSON.stringify(exports).matchAll(/"\.\/dist\/(?:web\/)?([^"]+)\.(?:d\.ts|js)"/g)) {
      expect(existsSync(join(root, "src", `${path[1]}.ts`)), path[1]).toBe(true);
    }
  });
});

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
  readonly os?: string[];
  readonly cpu?: string[];
}

describe("dependencies of users", () => {
  const { packages } = json(join(root, "package-lock.json")) as { packages: Record<string, LockedPackage> };
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);

  it("compile and download nothing", () => {
    expect(production.length).toBeGreaterThan(5);
    for (const [path, { hasInstallScript, os, cpu }] of production) {
      expect([path, hasInstallScript ?? false, os ?? [], cpu ?? []]).toEqual([path, false, [], []]);
      expect(nativeFiles(join(root, path))).toEqual([]);
    }
  });

  it("have permissive licences", () => {
    const one = "(MIT|ISC|BSD-\\d-Clause|Apache-2\\.0|0BSD)";
    const permissive = new RegExp(`^${one}( (AND|OR) ${one})*$`, "i");
    for (const [path] of production) {
      // h5wasm points to a file: the public domain of NIST, and HDF5's own BSD-like licence.
      if (path === "node_modules/h5wasm") continue;
      const { license } = json(join(root, path, "package.json")) as { license?: string };
      expect([path, license]).toEqual([path, expect.stringMatching(permissive)]);
    }
  });
});

function nativeFiles(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((path) => /\.(node|so|dylib|dll)$|(^|[\\/])binding\.gyp$/.test(path));
}

describe("the packed tarball", () => {
  it("installs without scripts, builds and queries a store, and has a command line", async () => {
    // The fresh build that `npm test` makes; packing must not rebuild under the feet of other tests.
    await run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
    const folder = await temporaryFolder();
    const packed = await npm(root, "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
    const [tarball] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
    const paths = tarball.files.map(({ path }) => path);
    expect(
      paths.filter((path) => !/^(dist\/|package\.json$|README\.md$|CHANGELOG\.md$|LICENSE$)/.test(path)),
    ).toEqual([]);
    expect(paths).toContain("dist/cli/main.js");

    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
    await npm(folder, "install", "--ignore-scripts", ...quiet, `./${tarball.filename}`);
    expect(nativeFiles(join(folder, "node_modules"))).toEqual([]);

    const installed = join(root, "test", "house", "installed");
    await copyFile(join(installed, "use.mjs"), join(folder, "use.mjs"));
    expect((await run(process.execPath, ["use.mjs"], { cwd: folder })).stdout).toBe("works\n");

    const info = await npm(folder, "exec", "--offline", "--", "cellarr", "info", "store", "--json");
    expect(JSON.parse(info)).toMatchObject({ shape: [6, 3] });

    await copyFile(join(installed, "types.ts.txt"), join(folder, "types.ts"));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const strict = ["--strict", "--noEmit", "--module", "NodeNext", "--target", "ES2022", "--types", ""];
    await run(process.execPath, [tsc, ...strict, "types.ts"], { cwd: folder });
  }, 240_000);
});

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("npm", args, { cwd, maxBuffer: 1 << 26, shell: process.platform === "win32" });
  return stdout;
}
