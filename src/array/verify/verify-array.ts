import { isCellarrError } from "../../errors.js";
import { fieldFileName, fieldNames } from "../../format/fragment/fragment-fields.js";
import { lastPart } from "../../storage/key.js";
import type { StoreLocation } from "../../storage/types.js";
import {
  type ArrayDirectory,
  FRAGMENT_METADATA_FILE,
  type FragmentFiles,
  loadArrayDirectory,
} from "../directory/array-directory.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import { openFragments, SchemaFiles } from "../directory/open-fragments.js";
import { ALL_TIME, schemaAt, visibleFragments } from "../directory/visible-at.js";
import type { VerifyContext } from "./defect.js";
import { verifyFragment } from "./verify-fragment.js";

/**
 * Reads every tile of an array and reports what is wrong with it; a defect hides no other where that can be helped.
 * What a query would not see (fragments that were replaced, or never committed) is listed but not read.
 */
export async function verifyArray(location: StoreLocation, context: VerifyContext): Promise<void> {
  const { signal } = context;
  const directory = await loadArrayDirectory(location, { signal });
  const { uri } = directory;
  const current = schemaAt(directory, ALL_TIME);
  if (current === undefined) {
    context.report({ kind: "missing-part", severity: "error", where: uri, message: "there is no schema" });
    return;
  }
  await reportUnknownFiles(directory, context);
  const schemas = new SchemaFiles(directory);
  const schema = await attempt(uri, context, () => schemas.load(current.name, { signal }));
  if (schema === undefined) return;
  for (const files of visibleFragments(directory, ALL_TIME, schema.arrayType === "dense")) {
    const where = `${location.store.uri}/${files.key}`;
    const opened = await attempt(where, context, () =>
      openFragments(directory, [files], schema, schemas, { signal }),
    );
    const fragment = opened?.[0];
    if (fragment === undefined) continue;
    await attempt(where, context, () => verifyFragment(fragment, context));
    reportUnknownFragmentFiles(fragment, context);
  }
}

/** The result, or undefined if the thing cannot be read, which is reported. Anything but a typed error is thrown. */
export async function attempt<T>(
  where: string,
  context: VerifyContext,
  action: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!isCellarrError(error) || error.code === "ABORTED") throw error;
    const kind = error.code === "NOT_FOUND" ? "missing-part" : "unreadable";
    context.report({ kind, severity: "error", where: error.where ?? where, message: error.message });
    return undefined;
  }
}

const FOLDERS = ["__schema", "__commits", "__meta", "__fragment_meta", "__labels"];
const ROOT_FILES = ["__lock.tdb", "__array_schema.tdb"];

/** Files that the format does not know, and fragments that no commit names. */
async function reportUnknownFiles(
  directory: ArrayDirectory,
  { signal, report }: VerifyContext,
): Promise<void> {
  const { store, path } = directory.location;
  const committed = new Set(directory.fragments.map(({ name }) => name));
  const uncommitted = new Set<string>();
  const start = path === "" ? 0 : path.length + 1;
  for (const { key } of await store.list(path, { recursive: true, ...(signal && { signal }) })) {
    const parts = key.slice(start).split("/");
    const [first] = parts;
    const fragment = first === "__fragments" ? parts[1] : parts.length > 1 ? first : undefined;
    if (fragment !== undefined && committed.has(fragment)) continue;
    if (parts.length > 1 && FOLDERS.includes(first!)) continue;
    if (parts.length === 1 && (ROOT_FILES.includes(key.slice(start)) || first!.startsWith("__"))) continue;
    if (fragment?.startsWith("__") && !uncommitted.has(fragment)) uncommitted.add(fragment);
    else if (!fragment?.startsWith("__")) {
      const message = "a file that the format does not know";
      report({ kind: "unknown-file", severity: "warning", where: `${store.uri}/${key}`, message });
    }
  }
  for (const name of uncommitted) {
    const message = `fragment '${name}' was never committed: a write was interrupted`;
    report({ kind: "uncommitted", severity: "warning", where: directory.uri, message });
  }
}

function reportUnknownFragmentFiles(
  { files, footer, schema, uri }: FragmentReader,
  context: VerifyContext,
): void {
  const known = new Set([FRAGMENT_METADATA_FILE]);
  for (const name of fieldNames(schema, footer)) {
    const file = fieldFileName(schema, name, footer.version);
    for (const end of ["", "_var", "_validity"]) known.add(`${file}${end}.tdb`);
  }
  for (const file of unknownFiles(files, known)) {
    const message = "a file that the fragment does not have";
    context.report({ kind: "unknown-file", severity: "warning", where: `${uri}/${file}`, message });
  }
}

function unknownFiles({ files }: FragmentFiles, known: ReadonlySet<string>): string[] {
  return [...files.keys()].map(lastPart).filter((file) => !known.has(file));
}
