import { UnsupportedError } from "../errors.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type NDRange, type RangeShape, readNDRange, writeNDRange } from "./nd-range.js";

/**
 * Current domain (format_spec/array_schema.md), since version 22, with a version of its own.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Version | uint32, 0 |
 * | Empty | uint8, 1 where no current domain is set: then nothing follows |
 * | Type | uint8, 0 for a rectangle |
 * | Rectangle | a range per dimension |
 */
const CURRENT_DOMAIN_VERSION = 0;
const RECTANGLE = 0;

/** Null where none is set. */
export function readCurrentDomain(reader: ByteReader, dimensions: readonly RangeShape[]): NDRange | null {
  const version = reader.u32("current domain version");
  if (version > CURRENT_DOMAIN_VERSION) {
    throw unsupported(reader, `version ${version}, expected at most ${CURRENT_DOMAIN_VERSION}`);
  }
  if (reader.flag("current domain's empty flag")) return null;
  const type = reader.u8("current domain type");
  if (type !== RECTANGLE) throw unsupported(reader, `type ${type}, expected ${RECTANGLE}`);
  return readNDRange(reader, dimensions);
}

export function writeCurrentDomain(
  writer: ByteWriter,
  dimensions: readonly RangeShape[],
  range: NDRange | null,
): void {
  writer.u32(CURRENT_DOMAIN_VERSION);
  writer.flag(range === null);
  if (range === null) return;
  writer.u8(RECTANGLE);
  writeNDRange(writer, dimensions, range);
}

function unsupported(reader: ByteReader, problem: string): UnsupportedError {
  const details = reader.where === undefined ? {} : { where: reader.where };
  return new UnsupportedError(`${reader.structure}: current domain of ${problem}`, details);
}
