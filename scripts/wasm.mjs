// `npm run wasm`: compiles wasm/*.ts (AssemblyScript) and writes the result as text into the modules that use it. With
// --check it only says whether these are up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is compiled, and the module that takes it. */
const targets = [{ source: "wasm/zstd.ts", module: "src/format/zstd/zstd-wasm.ts" }];

const options = ["--runtime", "stub", "--noAssert", "--use", "abort=", "--enable", "bulk-memory"];

async function compile(source) {
  let wasm;
  const { error, stderr } = await asc.main(
    [source, "--outFile", "out.wasm", "-O3s", "--converge", ...options],
    {
      readFile: (name) => (name === source ? readFileSync(join(root, source), "utf8") : null),
      writeFile: (_, content) => {
        wasm = content;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${source}: ${error.message}\n${stderr.toString()}`);
  return wasm;
}

function moduleText(source, wasm) {
  const lines = Buffer.from(wasm)
    .toString("base64")
    .match(/.{1,104}/g);
  return [
    `/** ${source} as WebAssembly in base64, made by \`npm run wasm\`. */`,
    "export const ZSTD_WASM =",
    lines.map((line) => `  "${line}"`).join(" +\n"),
  ]
    .join("\n")
    .concat(";\n");
}

let stale = false;
for (const { source, module } of targets) {
  const text = moduleText(source, await compile(source));
  const path = join(root, module);
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    process.stderr.write(`${module} is not what ${source} compiles to: npm run wasm\n`);
    stale = true;
  }
}
process.exitCode = stale ? 1 : 0;
