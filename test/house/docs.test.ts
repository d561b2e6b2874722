import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transformSync } from "rolldown/utils";
import { describe, expect, it } from "vitest";
import { AnnData, Frame, type FrameColumn, textColumn } from "../../src/node.js";
import { type DocumentedPlaces, documentedPlaces } from "../support/documented-places.js";
import { hasServer } from "../support/s3-server.js";
import { temporaryFolder } from "../support/temporary.js";

/**
 * Code in the documentation runs. The `ts` and `js` blocks of a file run one after another as modules of their own in a
 * folder with a.h5ad and b.h5ad (100 genes, layers "counts" and "log-norm", obs columns cellids and tissue, the latter
 * missing in b). A block that names places elsewhere runs where these are stood in for. A block after
 * `<!-- not run: why -->` is left out.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md") && existsSync(join(root, name)),
);
const textOf = (name: string) => readFileSync(join(root, name), "utf8");

interface Block {
  readonly code: string;
  readonly line: number;
}

function blocksOf(name: string): Block[] {
  const text = textOf(name);
  const fences = text.matchAll(
    /(<!-- not run: .+? -->\s*)?^```(?:ts|js|typescript|javascript)\n([\s\S]*?)^```$/gm,
  );
  return [...fences]
    .filter(([, excuse]) => excuse === undefined)
    .map((match) => ({ code: match[2]!, line: text.slice(0, match.index).split("\n").length }));
}

function withoutTypes(code: string): string {
  const { code: plain, errors } = transformSync("block.ts", code, {
    typescript: { onlyRemoveTypeImports: true },
  });
  if (errors.length > 0) throw new Error(`${errors[0]}`);
  return plain;
}

/** Of a bucket or of a web server. */
const elsewhere = /["'](?:s3:|https:\/\/host\/)/;

async function sample(name: string, cells: number, columns: Record<string, FrameColumn>): Promise<AnnData> {
  const genes = Array.from({ length: 100 }, (_, gene) => `gene_${gene + 1}`);
  const cellNames = Array.from({ length: cells }, (_, cell) => `${name}_${cell}`);
  const stored = cells * 10;
  const layer = (value: (i: number) => number) =>
    ({
      format: "csr",
      shape: [cells, genes.length],
      indptr: Int32Array.from({ length: cells + 1 }, (_, cell) => cell * 10),
      indices: Int32Array.from({ length: stored }, (_, i) => (i % 10) * 10 + (Math.floor(i / 10) % 10)),
      data: Float32Array.from({ length: stored }, (_, i) => value(i)),
    }) as const;
  const obs = new Map<string, FrameColumn>([["cellids", textColumn(cellNames)], ...Object.entries(columns)]);
  return new AnnData({
    obs: new Frame(textColumn(cellNames), obs),
    var: new Frame(textColumn(genes), new Map()),
    X: layer((i) => (i % 7) + 1),
    layers: { counts: layer((i) => (i % 7) + 1), "log-norm": layer((i) => Math.log1p((i % 7) + 1)) },
  });
}

async function readersFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules", "cellarr"), "junction");
  const tissue = textColumn(Array.from({ length: 30 }, (_, cell) => (cell % 3 === 0 ? "lung" : "heart")));
  await (await sample("a", 30, { tissue })).write(join(folder, "a.h5ad"));
  await (await sample("b", 20, {})).write(join(folder, "b.h5ad"));
  return folder;
}

describe("documentation", () => {
  const withCode = documents.filter((name) => blocksOf(name).length > 0);

  it.each(withCode)("code of %s runs", async (name) => {
    await run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
    const folder = await readersFolder();
    let places: DocumentedPlaces | undefined;
    for (const { code, line } of blocksOf(name)) {
      const isElsewhere = elsewhere.test(code);
      if (isElsewhere && !hasServer.s3proxy) continue;
      if (isElsewhere) places ??= await documentedPlaces(folder);
      const { env, options } = isElsewhere ? places! : { env: {}, options: [] };
      const file = `line-${line}.mjs`;
      await writeFile(join(folder, file), withoutTypes(code));
      const ended = run(process.execPath, [...options, file], {
        cwd: folder,
        env: { ...process.env, ...env },
      });
      await expect(ended, `${name}:${line}`).resolves.toBeDefined();
    }
  });

  it("names only scripts that package.json has", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const named = [...documents, "CONTRIBUTING.md"].flatMap((name) =>
      [...textOf(name).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script]) => script!),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  it("points only to files that are there", () => {
    const broken = [...documents, "CONTRIBUTING.md"].flatMap((name) => {
      const folder = join(root, name, "..");
      return [...textOf(name).matchAll(/\]\((?!https?:|mailto:|#)([^)#]+)[^)]*\)/g)]
        .filter(([, target]) => !existsSync(join(folder, target!)))
        .map(([, target]) => `${name}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});
