import { type DataOrder, readDataOrder, writeDataOrder } from "./attribute.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo } from "./datatype.js";

/**
 * Dimension label (format_spec/array_schema.md), since version 18.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Dimension index | uint32 |
 * | Name | uint32 length, uint8[] |
 * | Relative URI | uint8 |
 * | URI | uint64 length, uint8[] |
 * | Attribute name | uint32 length, uint8[] |
 * | Order | uint8 |
 * | Datatype | uint8 |
 * | Values per cell | uint32 |
 * | External | uint8 |
 *
 * The specification has the order second, a uint64 for the name's length, and a domain before the last field; the
 * files of the official library have the fields above, and no domain.
 */
export interface DimensionLabel {
  readonly dimension: number;
  readonly name: string;
  /** Whether the URI is relative to the array. */
  readonly relative: boolean;
  readonly uri: string;
  readonly attribute: string;
  readonly order: DataOrder;
  readonly datatype: Datatype;
  readonly cellValNum: number;
  readonly external: boolean;
}

/** Bytes of a label whose texts are all empty. */
export const MIN_LABEL_BYTES = 28;

export function readDimensionLabel(reader: ByteReader): DimensionLabel {
  return {
    dimension: reader.u32("dimension of label"),
    name: reader.sizedText(4, "label name"),
    relative: reader.flag("label's relative flag"),
    uri: reader.sizedText(8, "label URI"),
    attribute: reader.sizedText(4, "label attribute"),
    order: readDataOrder(reader, "label order"),
    datatype: datatypeFromCode(reader.u8("label datatype"), reader.structure, reader.where),
    cellValNum: reader.u32("label's values per cell"),
    external: reader.flag("label's external flag"),
  };
}

export function writeDimensionLabel(writer: ByteWriter, label: DimensionLabel): void {
  writer.u32(label.dimension);
  writer.sizedText(4, label.name);
  writer.flag(label.relative);
  writer.sizedText(8, label.uri);
  writer.sizedText(4, label.attribute);
  writeDataOrder(writer, label.order);
  writer.u8(datatypeInfo(label.datatype).code);
  writer.u32(label.cellValNum);
  writer.flag(label.external);
}
