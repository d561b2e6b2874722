import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { ensurePython, findPython } from "../../scripts/python-env.mjs";

/**
 * The official libraries as counterparts of tests. `describe.skipIf(!hasPython)(...)`; the environments are installed
 * by the first test that needs them, if `npm test` has not done so.
 */

export type PythonEnvironment = "reference" | "newest" | "exports" | "models" | "torch";

/** False only where python3 is missing, which CI does not forgive. */
export const hasPython: boolean = findPython() !== null;

if (!hasPython && process.env.CI === "true") {
  throw new Error("python3 with its venv module is missing: the exchange tests must run in CI");
}

const scripts = fileURLToPath(new URL("../python", import.meta.url));

/**
 * Runs a Python program and gives the JSON of the last line that it printed (undefined if it printed nothing).
 * `script` is source text, or the name of a file of test/python; `input` arrives as JSON on stdin.
 */
export async function runPython(
  script: string,
  input?: unknown,
  environment: PythonEnvironment = "reference",
): Promise<unknown> {
  const python = await ensurePython(environment);
  const isFile = /^[\w-]+\.py$/.test(script);
  const child = start(python, isFile ? [join(scripts, script)] : ["-c", script]);
  child.stdin.on("error", () => {}); // a script that reads no input may be gone already
  child.stdin.end(input === undefined ? "" : toJson(input));
  const [printed, complaints, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    exitOf(child),
  ]);
  if (status !== 0) throw new Error(`python ended with ${status}:\n${complaints}`);
  const last = printed.trimEnd().split("\n").at(-1);
  return last === undefined || last === "" ? undefined : JSON.parse(last);
}

/** A Python process that answers calls of the functions of test/python/peer*.py. */
export interface Peer {
  /** `args` are keyword arguments; a Python exception rejects with its traceback. Calls run one after another. */
  call(functionName: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

const peers = new Map<PythonEnvironment, Promise<Peer>>();

/** One process per test file and environment, started at the first call and ended after the file's tests. */
export function pythonPeer(environment: PythonEnvironment = "reference"): Promise<Peer> {
  let peer = peers.get(environment);
  if (peer === undefined) {
    peer = startPeer(environment);
    peers.set(environment, peer);
  }
  return peer;
}

if (hasPython) {
  afterAll(async () => {
    const started = [...peers.values()];
    peers.clear();
    for (const peer of await Promise.all(started)) await peer.close();
  });
}

/** Whether the error says that the official library crashed the process that was asked. */
export function isCrash(error: unknown): boolean {
  return /peer ended with SIG|peer has ended/.test(String(error));
}

/**
 * Asks the environment's peer, and a new one where the official library crashes: now and then it does, at the call that
 * spoilt its memory or at a later one. A second crash is an error.
 */
export async function askTwice(
  environment: PythonEnvironment,
  functionName: string,
  args: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  try {
    return await (await pythonPeer(environment)).call(functionName, args);
  } catch (error) {
    if (!isCrash(error)) throw error;
    return (await pythonPeer(environment)).call(functionName, args);
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

async function startPeer(environment: PythonEnvironment): Promise<Peer> {
  const python = await ensurePython(environment);
  const child = start(python, [join(scripts, "peer.py")]);
  const pending = new Map<number, Pending>();
  let complaints = "";
  let count = 0;
  let hasEnded = false;
  child.stderr.on("data", (text: string) => {
    complaints = (complaints + text).slice(-10_000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const { resolve, reject } = pending.get(answer.id)!;
    pending.delete(answer.id);
    if (answer.error === undefined) resolve(answer.result);
    else reject(new Error(answer.error));
  });
  child.stdin.on("error", () => {}); // the exit below reports it
  const ended = exitOf(child).then((status) => {
    for (const { reject } of pending.values()) reject(new Error(`peer ended with ${status}:\n${complaints}`));
    pending.clear();
    hasEnded = true;
    peers.delete(environment); // the next test starts a new one
  });
  return {
    call(functionName, args = {}) {
      if (hasEnded) return Promise.reject(new Error(`the peer has ended:\n${complaints}`));
      const id = count++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        child.stdin.write(`${toJson({ id, function: functionName, args })}\n`);
      });
    },
    close() {
      child.stdin.end();
      return ended;
    },
  };
}

function start(python: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(python, args, {
    cwd: scripts,
    env: { ...process.env, PYTHONPATH: scripts, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" },
  });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const part of stream) text += part;
  return text;
}

function exitOf(child: ChildProcessWithoutNullStreams): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal ?? code ?? 0));
  });
}

/** Bigints travel as numbers' digits, which Python reads exactly; bytes as {"base64": ...}. */
function toJson(value: unknown): string {
  const raw = JSON as JSON & { rawJSON?: (text: string) => unknown };
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === "bigint") return raw.rawJSON ? raw.rawJSON(String(item)) : { integer: String(item) };
    if (item instanceof Uint8Array) return { base64: Buffer.from(item).toString("base64") };
    return item;
  });
}
