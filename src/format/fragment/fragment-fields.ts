import { NotFoundError } from "../../errors.js";
import type { ArraySchema } from "../array-schema.js";
import { VAR_NUM } from "../datatype.js";
import { WRITE_VERSION } from "../version.js";

/**
 * Fields of a fragment in the order in which footers and statistics list them: attributes as in the schema, then the
 * legacy `__coords` (there in all versions, without a file since version 5), then dimensions, then the fields of
 * consolidated fragments.
 */

/** The legacy field of zipped coordinates; its index is the number of attributes. */
export const COORDS = "__coords";
/** uint64 time at which each cell was written; `t.tdb`; since version 14. */
export const TIMESTAMPS = "__timestamps";
/** uint64 time at which each cell was deleted, 2^64 - 1 where it was not; `dt.tdb`; since version 15. */
export const DELETE_TIMESTAMPS = "__delete_timestamps";
/** uint64 index into the processed conditions of the delete that hit the cell; `dci.tdb`; since version 15. */
const DELETE_CONDITION_INDEX = "__delete_condition_index";

/** What a fragment has beyond its schema's fields. */
export interface ExtraFields {
  readonly hasTimestamps: boolean;
  readonly hasDeleteMetadata: boolean;
}

/** Names of all fields by index. The anonymous attribute's name is "". */
export function fieldNames(schema: ArraySchema, extra: ExtraFields): string[] {
  return [
    ...schema.attributes.map((attribute) => attribute.name),
    COORDS,
    ...schema.dimensions.map((dimension) => dimension.name),
    ...(extra.hasTimestamps ? [TIMESTAMPS] : []),
    ...(extra.hasDeleteMetadata ? [DELETE_TIMESTAMPS, DELETE_CONDITION_INDEX] : []),
  ];
}

export function fieldCount(schema: ArraySchema, extra: ExtraFields): number {
  const extras = (extra.hasTimestamps ? 1 : 0) + (extra.hasDeleteMetadata ? 2 : 0);
  return schema.attributes.length + 1 + schema.dimensions.length + extras;
}

/** Index of a field of a fragment; NotFoundError with the names there are if it has none of that name. */
export function fieldIndex(
  schema: ArraySchema,
  name: string,
  extra: ExtraFields = { hasTimestamps: false, hasDeleteMetadata: false },
): number {
  const names = fieldNames(schema, extra);
  const index = names.indexOf(name);
  if (index >= 0) return index;
  throw new NotFoundError(`no field ${JSON.stringify(name)} in the fragment, it has ${names.join(", ")}`);
}

/**
 * Name of a field's data file without `.tdb` in fragments of that format version. Since version 9: `a0`, `d1`, `t`,
 * `dt`, `dci`; before, the name of the attribute or dimension, in version 8 with some characters percent-encoded.
 * Variable-length values add `_var`, validity adds `_validity`.
 */
export function fieldFileName(schema: ArraySchema, name: string, version = WRITE_VERSION): string {
  if (name === TIMESTAMPS) return "t";
  if (name === DELETE_TIMESTAMPS) return "dt";
  if (name === DELETE_CONDITION_INDEX) return "dci";
  const index = fieldIndex(schema, name);
  const attributeCount = schema.attributes.length;
  if (index === attributeCount) return COORDS;
  if (version < 8) return name;
  if (version === 8)
    return name.replace(/[!#$%&'()*+,/:;=?@[\]"<>\\|]/g, (character) => percentEncoded(character));
  return index < attributeCount ? `a${index}` : `d${index - attributeCount - 1}`;
}

/** What the specification calls percent-encoding. The core got these four wrong, and their files so decide. */
const misencoded: Readonly<Record<string, string>> = { "<": "%20", ">": "%2D", "\\": "%30", "|": "%3C" };

function percentEncoded(character: string): string {
  return misencoded[character] ?? `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Whether coordinates lie in the one file `__coords.tdb`: since version 5 each dimension has its own. */
export function hasZippedCoordinates(version: number): boolean {
  return version < 5;
}

/** Whether the cells of the field at `index` are of variable length. Extra fields are not. */
export function isVarField(schema: ArraySchema, index: number): boolean {
  const attributeCount = schema.attributes.length;
  const field =
    index < attributeCount ? schema.attributes[index] : schema.dimensions[index - attributeCount - 1];
  return field?.cellValNum === VAR_NUM;
}
