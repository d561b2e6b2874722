import type { ArraySchema, Attribute } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";

/**
 * Attributes that were dropped and added again as something else: cells of older fragments are then of the old type,
 * in files of the old name. What the official library makes of them:
 *
 * | then, now | cells |
 * |---|---|
 * | fixed, variable-length or the other way round | fill, as if the attribute had not been there |
 * | both variable-length | the old cells' bytes |
 * | both fixed, a cell as large | the old cells' bytes |
 * | both fixed, a cell smaller | the old tile's bytes one after the other: the first cells of the new size |
 * | both fixed, a cell larger | what lies in memory behind the tile; here fill |
 * | nullable, not nullable | the value that lies below the null |
 * | not nullable, nullable | an error; here the old cells, valid |
 */

/** By name: as what the fragment's cells are read, null where they are not. Attributes of the same type are not in it. */
export type EvolvedAttributes = ReadonlyMap<string, Attribute | null>;

export function evolvedAttributes(array: ArraySchema, written: ArraySchema): EvolvedAttributes {
  const evolved = new Map<string, Attribute | null>();
  for (const now of array.attributes) {
    const then = written.attributes.find(({ name }) => name === now.name);
    if (then === undefined || isSameType(now, then)) continue;
    evolved.set(now.name, hasBytesOf(now, then) ? now : null);
  }
  return evolved;
}

function isSameType(now: Attribute, then: Attribute): boolean {
  const losesNulls = then.nullable && !now.nullable;
  return now.datatype === then.datatype && now.cellValNum === then.cellValNum && !losesNulls;
}

function hasBytesOf(now: Attribute, then: Attribute): boolean {
  if (now.cellValNum === VAR_NUM || then.cellValNum === VAR_NUM) return now.cellValNum === then.cellValNum;
  return cellBytes(now) <= cellBytes(then);
}

function cellBytes({ datatype, cellValNum }: Attribute): number {
  return datatypeInfo(datatype).bytes * cellValNum;
}
