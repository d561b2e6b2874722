import type { FrameColumn } from "../util/frame.js";
import { concatBytes } from "../util/typed-arrays.js";
import type { DenseArray } from "./anndata.js";
import type { H5Dataset } from "./h5-dataset.js";
import { TextBuilder, trimFixed } from "./h5-text.js";
import { type CompoundType, decodeNumbers, type Member, type NumberType, type TextType } from "./h5-type.js";
import { numberColumn } from "./read-column.js";

/** Tables of records: obs, var, obsm and varm of anndata before 0.7 are one dataset each, a member per column. */

export interface CompoundColumns {
  readonly columns: ReadonlyMap<string, FrameColumn>;
  /** Members that hold several values per row. */
  readonly arrays: ReadonlyMap<string, DenseArray>;
  /** Names of members of other types. */
  readonly skipped: readonly string[];
}

/** The members `wanted` (all by default) of a dataset of records, as columns. */
export function readCompound(dataset: H5Dataset, wanted?: (name: string) => boolean): CompoundColumns {
  if (dataset.type.kind !== "compound" || dataset.shape?.length !== 1) {
    throw dataset.unexpected("a table of records");
  }
  const members = dataset.type.members.filter((member) => wanted?.(member.name) ?? true);
  const collectors = members.map((member) => collectorOf(member));
  const { size } = dataset.type as CompoundType;
  dataset.pieces(0, dataset.rows, (bytes, _row, module) => {
    for (const collector of collectors) collector?.add(bytes, size, module.HEAPU8);
  });
  const columns = new Map<string, FrameColumn>();
  const arrays = new Map<string, DenseArray>();
  const skipped: string[] = [];
  members.forEach((member, at) => {
    const result = collectors[at]?.finish(dataset.rows);
    if (result === undefined) skipped.push(member.name);
    else if (result.kind === "array") arrays.set(member.name, result);
    else columns.set(member.name, result);
  });
  return { columns, arrays, skipped };
}

interface Collector {
  add(records: Uint8Array, recordSize: number, heap: Uint8Array): void;
  finish(rows: number): FrameColumn | DenseArray;
}

function collectorOf({ type, offset }: Member): Collector | null {
  if (type.kind === "text") return textCollector(type, offset);
  if (type.kind === "number") return numberCollector(type, type.size, offset, null);
  if (type.kind !== "array" || type.element.kind !== "number") return null;
  return numberCollector(type.element, type.size, offset, type.shape);
}

function textCollector(type: TextType, offset: number): Collector {
  const builder = new TextBuilder();
  return {
    add(records, recordSize, heap) {
      const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
      for (let at = offset; at < records.length; at += recordSize) {
        if (type.variable) builder.addPointers(Uint32Array.of(view.getUint32(at, true)), heap);
        else builder.add(trimFixed(records, at, type));
      }
    },
    finish: () => builder.finish(),
  };
}

/** @param shape dimensions of a member's values, null for one value */
function numberCollector(
  type: NumberType,
  size: number,
  offset: number,
  shape: readonly number[] | null,
): Collector {
  const parts: Uint8Array[] = [];
  return {
    add(records, recordSize) {
      const part = new Uint8Array((records.length / recordSize) * size);
      for (let at = offset, to = 0; to < part.length; at += recordSize, to += size) {
        for (let byte = 0; byte < size; byte++) part[to + byte] = records[at + byte]!;
      }
      parts.push(part);
    },
    finish(rows) {
      const values = decodeNumbers(type, concatBytes(parts));
      if (shape === null) return numberColumn(values, type.boolean);
      return { kind: "array", shape: [rows, ...shape], values, boolean: type.boolean };
    },
  };
}
