import { ArgumentError } from "../../errors.js";
import {
  type Enumeration,
  fixedEnumeration,
  textEnumeration,
  writeEnumeration,
} from "../../format/enumeration.js";
import { numberTypeOf } from "../../util/typed-arrays.js";
import type { EnumerationInput } from "./write-types.js";

/** Enumerations of a new schema: how the schema names them, and the files that hold their values. */
export interface DefinedEnumerations {
  readonly named: readonly { readonly name: string; readonly file: string }[];
  /** `data` is the payload of the file's generic tile. */
  readonly files: readonly { readonly file: string; readonly data: Uint8Array }[];
}

/** Throws ArgumentError naming the enumeration where names or values repeat. */
export function defineEnumerations(input: readonly EnumerationInput[]): DefinedEnumerations {
  const names = new Set<string>();
  const defined = input.map((enumeration) => {
    const { name } = enumeration;
    if (name === "" || names.has(name)) {
      throw new ArgumentError(`array schema: two enumerations are named '${name}', or it is empty`);
    }
    names.add(name);
    return defineEnumeration(enumeration);
  });
  return {
    named: defined.map(({ name, file }) => ({ name, file })),
    files: defined.map((enumeration) => ({ file: enumeration.file, data: writeEnumeration(enumeration) })),
  };
}

function defineEnumeration({ name, values, ordered = false }: EnumerationInput): Enumeration {
  const distinct = new Set<string | number | bigint>(values);
  if (distinct.size !== values.length) {
    throw new ArgumentError(`array schema: enumeration '${name}' has a value twice`);
  }
  if (!ArrayBuffer.isView(values)) return textEnumeration(name, values, { ordered });
  return fixedEnumeration(name, numberTypeOf(values), values, ordered);
}
