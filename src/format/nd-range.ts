import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type Datatype, VAR_NUM } from "./datatype.js";
import { readScalar, writeScalar } from "./scalar.js";
import { bytesOfText, textOfBytes } from "./text-bytes.js";

/**
 * One range per dimension (format_spec/fragment.md, MBR and 1DRange): the form of non-empty domains, minimum bounding
 * rectangles and current domains.
 *
 * | Dimension | Field | Type |
 * | :--- | :--- | :--- |
 * | fixed | low, high | the dimension's datatype, twice |
 * | string | range size | uint64, bytes of both ends |
 * | | start size | uint64, bytes of the low end |
 * | | low, high | uint8[] |
 */

/** A coordinate or the end of a range: number or bigint of integer and datetime dimensions, string of strings. */
export type Coordinate = number | bigint | string;

/** One [low, high] per dimension, both inclusive. */
export type NDRange = readonly (readonly [Coordinate, Coordinate])[];

/** What has to be known of a dimension to read its ranges. */
export interface RangeShape {
  readonly name: string;
  readonly datatype: Datatype;
  readonly cellValNum: number;
}

export function readNDRange(reader: ByteReader, dimensions: readonly RangeShape[]): NDRange {
  return dimensions.map((dimension) => readRange(reader, dimension));
}

export function writeNDRange(writer: ByteWriter, dimensions: readonly RangeShape[], range: NDRange): void {
  dimensions.forEach((dimension, d) => {
    const [low, high] = range[d]!;
    if (dimension.cellValNum === VAR_NUM) writeTextRange(writer, String(low), String(high));
    else {
      writeScalar(writer, dimension.datatype, low as number | bigint);
      writeScalar(writer, dimension.datatype, high as number | bigint);
    }
  });
}

function readRange(reader: ByteReader, dimension: RangeShape): readonly [Coordinate, Coordinate] {
  if (dimension.cellValNum === VAR_NUM) return readTextRange(reader, `range of ${dimension.name}`);
  const low = readScalar(reader, dimension.datatype, `low end of ${dimension.name}`);
  return [low, readScalar(reader, dimension.datatype, `high end of ${dimension.name}`)];
}

/** A range of a string dimension. */
export function readTextRange(reader: ByteReader, field: string): readonly [string, string] {
  const size = reader.u64n(`size of ${field}`);
  const startSize = reader.u64n(`start size of ${field}`);
  if (startSize > size) {
    throw reader.error(`${field} before offset ${reader.offset} starts with ${startSize} of ${size} bytes`);
  }
  const low = textOfBytes(reader.take(startSize, field));
  return [low, textOfBytes(reader.take(size - startSize, field))];
}

export function writeTextRange(writer: ByteWriter, low: string, high: string): void {
  const start = bytesOfText(low);
  const end = bytesOfText(high);
  writer.u64n(start.byteLength + end.byteLength);
  writer.u64n(start.byteLength);
  writer.raw(start);
  writer.raw(end);
}
