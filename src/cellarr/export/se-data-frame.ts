import { throwIfAborted, ValueError } from "../../errors.js";
import type { H5Writer } from "../../h5ad/h5-writer.js";
import { writeH5File } from "../../h5ad/write-h5-file.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import {
  type BooleanColumn,
  type CategoricalColumn,
  columnLength,
  columnValues,
  type FrameColumn,
  type NumericColumn,
  type TextColumn,
  textColumn,
  textValues,
} from "../../util/frame.js";
import type { NumberArray } from "../../util/typed-arrays.js";
import type { Place } from "./place.js";
import { isInt32, writeJson } from "./se-parts.js";

/**
 * A data frame as a folder: OBJECT and basic_columns.h5, which holds
 *
 *     data_frame               attributes row-count (uint64), version
 *     data_frame/column_names, row_names
 *     data_frame/data/<n>      attribute type: "integer" (32 bits), "number" (float64 holds it), "boolean", "string", or
 *                              a group "factor" of codes (uint32), levels and the attribute ordered
 *
 * A missing value is a value that else does not come, named in the attribute missing-value-placeholder. Integers of 64
 * bits are numbers, and strings where one of them is beyond 2^53, since R has no such integers.
 */

export interface DataFrameInput {
  readonly names: TextColumn;
  readonly columns: readonly string[];
  /** Asked for one after another, so that one is in memory at a time. */
  readonly column: (name: string) => Promise<FrameColumn>;
  readonly signal: AbortSignal | undefined;
}

const GROUP = "/data_frame";
const PLACEHOLDER = "missing-value-placeholder";

export async function writeDataFrame(folder: Place, input: DataFrameInput): Promise<void> {
  await folder.store.makeFolder(folder.path);
  await writeJson(childLocation(folder, "OBJECT"), { type: "data_frame", data_frame: { version: "1.0" } });
  if (input.names.validity?.includes(0)) throw new ValueError("a row name is missing");
  await writeH5File(locationUri(childLocation(folder, "basic_columns.h5")), {}, async (writer) => {
    writer.group(GROUP);
    const rows = input.names.offsets.length - 1;
    writer.numberAttribute(GROUP, "row-count", BigUint64Array.of(BigInt(rows)), true);
    writer.textAttribute(GROUP, "version", "1.0");
    writer.text(`${GROUP}/column_names`, textColumn(input.columns));
    writer.text(`${GROUP}/row_names`, input.names);
    writer.group(`${GROUP}/data`);
    for (const [at, name] of input.columns.entries()) {
      throwIfAborted(input.signal);
      writeColumn(writer, `${GROUP}/data/${at}`, await input.column(name));
    }
  });
}

function writeColumn(writer: H5Writer, path: string, column: FrameColumn): void {
  if (column.kind === "text") writeText(writer, path, column);
  else if (column.kind === "categorical") writeFactor(writer, path, column);
  else if (column.kind === "boolean") writeBooleans(writer, path, column);
  else writeNumbers(writer, path, column);
}

function writeText(writer: H5Writer, path: string, column: TextColumn): void {
  const hasMissing = column.validity?.includes(0) ?? false;
  const values = hasMissing ? textValues(column) : [];
  const placeholder = hasMissing ? unusedText(values) : "";
  writer.text(path, hasMissing ? textColumn(values.map((value) => value ?? placeholder)) : column);
  writer.textAttribute(path, "type", "string");
  if (hasMissing) writer.textAttribute(path, PLACEHOLDER, placeholder);
}

/** "NA", with underscores about it as long as that is a value. */
function unusedText(values: readonly (string | null)[]): string {
  const used = new Set(values);
  let text = "NA";
  while (used.has(text)) text = `_${text}_`;
  return text;
}

function writeFactor(
  writer: H5Writer,
  path: string,
  { codes, categories, ordered }: CategoricalColumn,
): void {
  const count = columnLength(categories);
  writer.group(path);
  writer.textAttribute(path, "type", "factor");
  if (ordered) writer.numberAttribute(path, "ordered", Int8Array.of(1), true);
  const isMissing = codes.some((code) => code < 0);
  writer.numbers(
    `${path}/codes`,
    Uint32Array.from(codes, (code) => (code < 0 ? count : code)),
  );
  if (isMissing) writer.numberAttribute(`${path}/codes`, PLACEHOLDER, Uint32Array.of(count), true);
  const levels = categories.kind === "text" ? categories : textColumn(columnValues(categories).map(String));
  writer.text(`${path}/levels`, levels);
}

function writeBooleans(writer: H5Writer, path: string, { values, validity }: BooleanColumn): void {
  const hasMissing = validity?.includes(0) ?? false;
  writer.numbers(
    path,
    Int8Array.from(values, (value, row) => (validity?.[row] === 0 ? -1 : value)),
  );
  writer.textAttribute(path, "type", "boolean");
  if (hasMissing) writer.numberAttribute(path, PLACEHOLDER, Int8Array.of(-1), true);
}

function writeNumbers(writer: H5Writer, path: string, column: NumericColumn): void {
  const { values } = column;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    writeWide(writer, path, { values, validity: column.validity });
    return;
  }
  const hasMissing = column.validity?.includes(0) ?? false;
  // Unsigned and short integers may use all their values; int32 and float64 hold them with room for another one.
  const integer = isInt32(values);
  const stored = hasMissing ? (integer ? Int32Array.from(values) : Float64Array.from(values)) : values;
  const placeholder = hasMissing ? markMissing(stored, column.validity!) : null;
  writer.numbers(path, stored);
  writer.textAttribute(path, "type", integer ? "integer" : "number");
  if (placeholder !== null) writer.numberAttribute(path, PLACEHOLDER, placeholder, true);
}

/** Puts a value that does not come otherwise where one is missing, and returns it. */
function markMissing(values: NumberArray, validity: Uint8Array): NumberArray {
  const present = values.filter((_, row) => validity[row] !== 0);
  const used = new Set<number>(present);
  // What R takes for missing integers is its least one.
  const first = values instanceof Int32Array ? -(2 ** 31) : Number.NaN;
  let placeholder = first;
  for (let next = -(2 ** 31); used.has(placeholder); next++) placeholder = next;
  for (let row = 0; row < values.length; row++) if (validity[row] === 0) values[row] = placeholder;
  return values instanceof Int32Array ? Int32Array.of(placeholder) : Float64Array.of(placeholder);
}

function writeWide(
  writer: H5Writer,
  path: string,
  { values, validity }: { values: BigInt64Array | BigUint64Array; validity: Uint8Array | undefined },
): void {
  const kept = validity === undefined ? {} : { validity };
  const isExact = values.every((value, row) => validity?.[row] === 0 || Number.isSafeInteger(Number(value)));
  if (isExact) {
    writeNumbers(writer, path, { kind: "numeric", values: Float64Array.from(values, Number), ...kept });
    return;
  }
  const texts = Array.from(values, (value, row) => (validity?.[row] === 0 ? null : `${value}`));
  writeText(writer, path, textColumn(texts));
}
