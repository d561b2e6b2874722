import { spawn, spawnSync } from "node:child_process";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

/** The command line as a process, compiled for the test file that asks for it. */

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  /** The module that is run. */
  readonly main: string;
  /** Runs `cellarr ARGS` to its end. */
  run(...args: readonly string[]): Promise<Outcome>;
  /** The same with `folder` as the system's place for temporary files. */
  runIn(folder: string, ...args: readonly string[]): Promise<Outcome>;
  /** Runs it through a shell: `$CELLARR ARGS | head -1`. */
  shell(command: string): Promise<Outcome>;
  /** Runs it and interrupts it as soon as `when` is true. */
  interrupt(when: () => boolean, ...args: readonly string[]): Promise<Outcome>;
  /** Runs it and kills it as soon as `when` is true; it has no time to tidy up, and no code. */
  kill(when: () => boolean, ...args: readonly string[]): Promise<Outcome>;
}

/** Call once at the top of a test file. dist/ is left alone: other tests may be building or reading it. */
export function compiledCli(): Cli {
  const folder = join(root, ".cache", `cli-${process.pid}-${Date.now()}`);
  const main = join(folder, "dist", "cli", "main.js");
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await copyFile(join(root, "package.json"), join(folder, "package.json"));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const args = [
      tsc,
      "-p",
      join(root, "tsconfig.build.json"),
      "--outDir",
      join(folder, "dist"),
      "--declaration",
      "false",
      "--emitDeclarationOnly",
      "false",
    ];
    const result = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (result.status !== 0) throw new Error(`tsc failed:\n${result.stdout}`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    main,
    run: (...args) => outcome(process.execPath, [main, ...args]),
    runIn: (folder, ...args) => outcome(process.execPath, [main, ...args], { TMPDIR: folder }),
    shell: (command) => outcome("/bin/sh", ["-c", command], { CELLARR: `${process.execPath} ${main}` }),
    interrupt: (when, ...args) => outcome(process.execPath, [main, ...args], {}, { when, signal: "SIGINT" }),
    kill: (when, ...args) => outcome(process.execPath, [main, ...args], {}, { when, signal: "SIGKILL" }),
  };
}

function outcome(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  stop?: { readonly when: () => boolean; readonly signal: "SIGINT" | "SIGKILL" },
): Promise<Outcome> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  const timer = setInterval(() => {
    if (stop?.when() !== true) return;
    clearInterval(timer);
    child.kill(stop.signal);
  }, 5);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, ...texts });
    });
  });
}

/** The objects of newline-delimited JSON. */
export function ndjson(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
