import type { Column } from "../../array/columns.js";
import { ArgumentError, NotFoundError } from "../../errors.js";
import { isRemote } from "../../storage/remote/locate.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { childLocation, resolveFile, resolveReadable } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { Frame, type FrameColumn } from "../../util/frame.js";
import { type FormedColumn, formColumn, type MetadataForm } from "../columns/column-form.js";
import { type CsvOptions, parseCsv, parseCsvText } from "../frames/csv.js";
import { type FrameAttribute, isAddedColumn } from "../layout.js";
import type { ObsTypes, TableInput } from "./options.js";

/** The caller's tables, frames or CSV, and their columns in the types of the store. */

/** A frame from whatever the caller gave. CSV paths are resolved like other locations. */
export async function readTable(
  input: TableInput,
  what: string,
  indexColumn: boolean,
  storage?: StorageOptions,
): Promise<Frame> {
  if (input instanceof Frame) return input;
  if (input instanceof Uint8Array) return parseCsv(input, { indexColumn, where: what });
  if (typeof input !== "string") {
    throw new ArgumentError(`${what} is ${typeof input}, expected a Frame, a CSV path or CSV`);
  }
  const options: CsvOptions = { indexColumn, where: input };
  if (/[\r\n]/.test(input)) return parseCsvText(input, { indexColumn, where: what });
  return parseCsv(await readFile(input, what, storage), options);
}

async function readFile(
  path: string,
  what: string,
  storage: StorageOptions | undefined,
): Promise<Uint8Array> {
  const { store, path: key } = filePlace(path, storage);
  const bytes = key === "" ? undefined : await store.get(key);
  if (bytes === undefined) throw new NotFoundError(`${what}: no such file`, { where: path });
  return bytes;
}

function filePlace(path: string, storage: StorageOptions | undefined): StoreLocation {
  if (isRemote(path)) return resolveFile(path, storage);
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const name = path.slice(cut + 1);
  const folder = resolveReadable(cut < 0 ? "." : path.slice(0, Math.max(cut, 1)));
  return name === "" ? { ...folder, path: "" } : childLocation(folder, name);
}

/** Columns of a frame with the types that they get in the store. */
export interface TypedTable {
  readonly attributes: readonly FrameAttribute[];
  readonly columns: readonly Column[];
}

/**
 * All columns in the store's types: those of `types`, otherwise by `form`. Throws ArgumentError if `types` names a column
 * that is not there, ValueError naming column and row for a value that does not have its type.
 */
export function typedTable(
  columns: ReadonlyMap<string, FrameColumn>,
  types: ObsTypes | undefined,
  form: MetadataForm,
  what: string,
): TypedTable {
  checkTypedNames([...columns.keys()], types, what);
  const formed = [...columns].map(([name, column]) => {
    // What cellarr adds is text in every store, unless the caller says otherwise.
    const own = isAddedColumn(name) ? "python" : form;
    return formColumn(
      name,
      column,
      types?.[name] ?? undefined,
      types?.[name] ? form : own,
      `${what}: column '${name}'`,
    );
  });
  return { attributes: formed.map(({ attribute }) => attribute), columns: formed.map(({ cells }) => cells) };
}

/** Columns put behind those of a table, in place of any of the same names. */
export function extendTable(table: TypedTable, added: readonly FormedColumn[]): TypedTable {
  const names = new Set(added.map(({ attribute }) => attribute.name));
  const kept = table.attributes.flatMap((attribute, at): FormedColumn[] =>
    names.has(attribute.name) ? [] : [{ attribute, cells: table.columns[at]! }],
  );
  const all = [...kept, ...added];
  return { attributes: all.map(({ attribute }) => attribute), columns: all.map(({ cells }) => cells) };
}

function checkTypedNames(names: readonly string[], types: ObsTypes | undefined, what: string): void {
  const unknown = Object.keys(types ?? {}).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const present = names.map((name) => `'${name}'`).join(", ");
  throw new ArgumentError(`${what}: columnTypes names '${unknown}', which is none of its columns ${present}`);
}
