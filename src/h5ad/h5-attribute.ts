import { textValues } from "../util/frame.js";
import { type H5File, type H5Module, withHeap } from "./h5-file.js";
import { TextBuilder, trimFixed } from "./h5-text.js";
import { decodeNumbers, type H5Type, typeOf } from "./h5-type.js";

/** Small values beside groups and datasets. */

export type AttributeValue = string | number | bigint | string[] | (number | bigint)[];

/** An attribute's value (a bool is 0 or 1; a reference is the path of its object); undefined where there is none. */
export function readAttribute(file: H5File, path: string, name: string): AttributeValue | undefined {
  if (!file.attributeNames(path).includes(name)) return undefined;
  const what = `attribute '${name}' of ${path}`;
  const read = (module: H5Module): AttributeValue | undefined => {
    const metadata = module.get_attribute_metadata(file.fileId, path, name);
    if (metadata.shape === null) return [];
    const type = typeOf(metadata);
    const bytes = metadata.size * metadata.total_size;
    return withHeap(module, bytes, (pointer) => {
      if (module.get_attribute_data(file.fileId, path, name, BigInt(pointer)) < 0) {
        throw file.library.failure(`cannot read ${what}`, file.name);
      }
      try {
        const values = decode(file, module, type, module.HEAPU8.slice(pointer, pointer + bytes));
        return metadata.shape?.length === 0 ? values[0] : values;
      } finally {
        if (metadata.vlen) module.reclaim_vlen_memory(file.fileId, path, name, BigInt(pointer));
      }
    });
  };
  return file.library.call(read, `cannot read ${what}`, file.name);
}

/** The text of an attribute; undefined where it is not there or not text. */
export function textAttribute(file: H5File, path: string, name: string): string | undefined {
  const value = readAttribute(file, path, name);
  return typeof value === "string" ? value : undefined;
}

function decode(
  file: H5File,
  module: H5Module,
  type: H5Type,
  bytes: Uint8Array,
): string[] | (number | bigint)[] {
  if (type.kind === "number") return Array.from<number | bigint>(decodeNumbers(type, bytes));
  if (type.kind === "reference") return [module.get_referenced_name(file.fileId, bytes, true)];
  if (type.kind !== "text") return [];
  const builder = new TextBuilder();
  if (type.variable) builder.addPointers(new Uint32Array(bytes.buffer), module.HEAPU8);
  else for (let at = 0; at < bytes.length; at += type.size) builder.add(trimFixed(bytes, at, type));
  return textValues(builder.finish()).map((text) => text ?? "");
}
