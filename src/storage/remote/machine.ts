/**
 * What stores ask of the machine for credentials: variables of the environment and small text files. Browsers have
 * neither; the Node entries set the reader of files.
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
