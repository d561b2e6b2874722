import type { RequestSigner } from "../s3/sign.js";
import type { Transport } from "./transport.js";

/**
 * What stores ask of the machine: how requests are sent and signed, and for credentials variables of the environment and small text
 * files. Browsers have neither of these; the Node entries set the reader of files, and what sends and signs there.
 */

/** The text of a file, or undefined if it does not exist. "~/" is the user's home. */
export type TextFileReader = (path: string) => Promise<string | undefined>;

let textFiles: TextFileReader | undefined;

/** Called by the platform entries. */
export function setTextFileReader(reader: TextFileReader | undefined): void {
  textFiles = reader;
}

/** The text of a file, or undefined where it does not exist, or no files are known here. */
export async function readTextFile(path: string): Promise<string | undefined> {
  return textFiles?.(path);
}

let transport: Transport | undefined;

/** The global fetch as it was when the platform set its transport. */
let fetchBefore: typeof globalThis.fetch | undefined;

/** Called by the platform entries where requests are better made by something else than the global fetch. */
export function setTransport(own: Transport | undefined): void {
  transport = own;
  fetchBefore = globalThis.fetch;
}

/** Undefined where the global fetch is to be used, also because the program has put another one in its place. */
export function platformTransport(): Transport | undefined {
  return globalThis.fetch === fetchBefore ? transport : undefined;
}

let loadSigner: (() => Promise<RequestSigner>) | undefined;

/** Called by the platform entries where requests to S3 are better signed by something else than `crypto.subtle`. */
export function setSigner(load: (() => Promise<RequestSigner>) | undefined): void {
  loadSigner = load;
}

/** Undefined where there is none but `crypto.subtle`. */
export function platformSigner(): Promise<RequestSigner> | undefined {
  return loadSigner?.();
}

interface Process {
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The environment's variables; none in browsers. */
export function environment(): Readonly<Record<string, string | undefined>> | undefined {
  return (globalThis as { process?: Process }).process?.env;
}

/** A variable of the environment; empty counts as not set. */
export function environmentVariable(name: string): string | undefined {
  return environment()?.[name] || undefined;
}
