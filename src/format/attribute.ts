import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo, VAR_NUM } from "./datatype.js";
import { defaultFill } from "./fill-value.js";
import { type FilterPipeline, readFilterPipeline, writeFilterPipeline } from "./filter-pipeline.js";

/**
 * Attribute (format_spec/array_schema.md).
 *
 * | Field | Type | Since |
 * | :--- | :--- | :--- |
 * | Name | uint32 length, uint8[] | |
 * | Datatype | uint8 | |
 * | Values per cell | uint32 | |
 * | Filters | filter pipeline | |
 * | Fill value | uint64 size, uint8[] | 6 |
 * | Nullable | uint8 | 7 |
 * | Fill value validity | uint8 | 7 |
 * | Order | uint8 | 17 |
 * | Enumeration name | uint32 length (0: none), uint8[] | 20 |
 *
 * The specification's table leaves out the enumeration's name; files of version 20 and later have it.
 */

/** Whether the cells of an attribute are known to be sorted. Codes 0, 1, 2. */
export type DataOrder = "unordered" | "increasing" | "decreasing";

const dataOrders: readonly DataOrder[] = ["unordered", "increasing", "decreasing"];

export interface Attribute {
  /** "" for an anonymous attribute. */
  readonly name: string;
  readonly datatype: Datatype;
  /** Values per cell; VAR_NUM for variable-length. */
  readonly cellValNum: number;
  readonly filters: FilterPipeline;
  /** The fill value's bytes, one whole cell. */
  readonly fill: Uint8Array;
  readonly nullable: boolean;
  /** Whether the fill cell counts as valid; only of nullable attributes. */
  readonly fillValid: boolean;
  /** Since version 17. */
  readonly order: DataOrder;
  /** Name of the enumeration whose indices the cells are; since version 20. */
  readonly enumeration: string | null;
}

export function readAttribute(reader: ByteReader, version: number): Attribute {
  const name = reader.sizedText(4, "attribute name");
  const datatype = datatypeFromCode(reader.u8(`datatype of ${name}`), reader.structure, reader.where);
  const cellValNum = reader.u32(`values per cell of ${name}`);
  if (cellValNum === 0) throw reader.error(`attribute ${name} has 0 values per cell`);
  const filters = readFilterPipeline(reader, version);
  const fill =
    version >= 6 ? readFill(reader, name, datatype, cellValNum) : defaultFill(datatype, cellValNum);
  const nullable = version >= 7 && reader.flag(`nullable of ${name}`);
  const fillValid = version >= 7 && reader.flag(`fill value validity of ${name}`);
  const order = version >= 17 ? readDataOrder(reader, `order of ${name}`) : "unordered";
  const enumeration = version >= 20 ? reader.sizedText(4, `enumeration of ${name}`) || null : null;
  return { name, datatype, cellValNum, filters, fill, nullable, fillValid, order, enumeration };
}

export function writeAttribute(writer: ByteWriter, attribute: Attribute, version: number): void {
  writer.sizedText(4, attribute.name);
  writer.u8(datatypeInfo(attribute.datatype).code);
  writer.u32(attribute.cellValNum);
  writeFilterPipeline(writer, attribute.filters, version);
  if (version >= 6) {
    writer.u64n(attribute.fill.byteLength);
    writer.raw(attribute.fill);
  }
  if (version >= 7) {
    writer.flag(attribute.nullable);
    writer.flag(attribute.fillValid);
  }
  if (version >= 17) writeDataOrder(writer, attribute.order);
  if (version >= 20) writer.sizedText(4, attribute.enumeration ?? "");
}

export function readDataOrder(reader: ByteReader, field: string): DataOrder {
  const code = reader.u8(field);
  const order = dataOrders[code];
  if (order === undefined) throw reader.error(`${field} is ${code}, expected 0 to 2`);
  return order;
}

export function writeDataOrder(writer: ByteWriter, order: DataOrder): void {
  writer.u8(dataOrders.indexOf(order));
}

function readFill(reader: ByteReader, name: string, datatype: Datatype, cellValNum: number): Uint8Array {
  const size = reader.u64n(`fill value size of ${name}`);
  const { bytes } = datatypeInfo(datatype);
  const fits = cellValNum === VAR_NUM ? size > 0 && size % bytes === 0 : size === bytes * cellValNum;
  if (!fits) throw reader.error(`fill value of ${name} has ${size} bytes, which is no ${datatype} cell`);
  return reader.take(size, `fill value of ${name}`).slice();
}
