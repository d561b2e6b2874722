import type { Data, Field, Table } from "apache-arrow";
import { FormatError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import type { MetadataValue } from "../../format/metadata.js";
import type { StoreLocation } from "../../storage/types.js";
import type { Column } from "../columns.js";
import { type OpenOptions, openArray, type TileDBArray } from "../open.js";
import type { ReadQuery, ReadResult } from "../query.js";
import { arrowData, arrowDictionary } from "./arrow-data.js";
import type { ArrowModule } from "./arrow-validity.js";

/**
 * Dataframes: arrays as TileDB-Py's `from_pandas` writes them. Dimensions are the frame's index, attributes its columns;
 * two texts of metadata, JSON objects from names to pandas dtypes, say what pandas had:
 *
 * | Key | Content |
 * | :--- | :--- |
 * | `__pandas_index_dims` | the index levels; an index without name is `__tiledb_rows` |
 * | `__pandas_attribute_repr` | columns of extension dtypes ("Int64", "boolean", "string", "category", ...) and bool |
 */

export interface DataFrameQuery extends ReadQuery, Omit<OpenOptions, "signal"> {}

const INDEX_KEY = "__pandas_index_dims";
const DTYPES_KEY = "__pandas_attribute_repr";
/** What an index without a name is called in the array. */
const ROWS = "__tiledb_rows";

type Dtypes = ReadonlyMap<string, string>;

/**
 * The cells of an array as an Apache Arrow table: index levels (dimensions), then columns (attributes), a row per cell.
 * Enumerated attributes are dictionary-encoded (categories). The schema's metadata tells pandas which columns are the
 * index, so that the table, sent to Python, becomes the frame that `tiledb.open_dataframe` gives. Arrays that are no
 * frames work too.
 *
 * Rows of sparse arrays are in no order unless `query.order` asks for one, as in TileDB-Py.
 * Datetimes in units that Arrow lacks become seconds, and integers where they are finer than nanoseconds. NaT is null,
 * as is a category that is none.
 *
 * @throws NotFoundError if no array lies there, and the errors of `TileDBArray.read`
 */
export async function readDataFrame(
  location: string | StoreLocation,
  query: DataFrameQuery = {},
): Promise<Table> {
  const { timestamp, encryptionKey, storage, ...asked } = query;
  const array = await openArray(location, { timestamp, encryptionKey, storage, signal: query.signal });
  const metadata = await array.metadata({ signal: query.signal });
  const dtypes = new Map([
    ...dtypesOf(metadata, DTYPES_KEY, array.uri),
    ...dtypesOf(metadata, INDEX_KEY, array.uri),
  ]);
  const dimensions = asked.dimensions ?? array.schema.dimensions.map(({ name }) => name);
  const order = asked.order ?? (array.schema.arrayType === "sparse" ? "unordered" : "row-major");
  const result = await array.read({ ...asked, dimensions, order });
  const arrow = await import("apache-arrow");
  const index = dtypesOf(metadata, INDEX_KEY, array.uri);
  return tableOf(arrow, array, result, dtypes, [...index.keys()]);
}

async function tableOf(
  arrow: ArrowModule,
  array: TileDBArray,
  result: ReadResult,
  dtypes: Dtypes,
  index: readonly string[],
): Promise<Table> {
  const names = Object.keys(result.columns);
  const data: Data[] = [];
  const fields: Field[] = [];
  for (const name of names) {
    const one = await columnData(arrow, array, name, result.columns[name]!, dtypes.get(name));
    data.push(one);
    fields.push(arrow.Field.new(name, one.type, one.nullable));
  }
  const text = pandasMetadata(array.schema, data, names, dtypes, index);
  const schema = new arrow.Schema(fields, new Map([["pandas", text]]));
  const children = arrow.makeData({
    type: new arrow.Struct(fields),
    length: result.cellCount,
    nullCount: 0,
    children: data,
  });
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, children)]);
}

async function columnData(
  arrow: ArrowModule,
  array: TileDBArray,
  name: string,
  column: Column,
  dtype: string | undefined,
): Promise<Data> {
  const attribute = array.schema.attributes.find((one) => one.name === name);
  if (attribute !== undefined && attribute.enumeration !== null) {
    return arrowDictionary(arrow, column, await array.enumeration(attribute.enumeration));
  }
  // Before there was a datatype for them, truth values were kept as uint8.
  const isTruth = (dtype === "bool" || dtype === "boolean") && column.datatype === "uint8";
  if (isTruth) return arrowData(arrow, { ...column, datatype: "bool" });
  // Rows of frames without a bound, as of CSV files, are uint64 in the array and int64 in the frame.
  if (dtype === "int64" && column.kind === "fixed" && column.values instanceof BigUint64Array) {
    const { buffer, byteOffset, length } = column.values;
    return arrowData(arrow, {
      ...column,
      datatype: "int64",
      values: new BigInt64Array(buffer, byteOffset, length),
    });
  }
  // Dimensions of text and of bytes are both string_ascii.
  const isBytes = column.datatype === "string_ascii" && /^(\|?S\d|bytes)/.test(dtype ?? "");
  return arrowData(arrow, isBytes ? { ...column, datatype: "char" } : column);
}

/** A JSON object from names to dtypes; empty where the key is missing. */
function dtypesOf(metadata: ReadonlyMap<string, MetadataValue>, key: string, where: string): Dtypes {
  const text = metadata.get(key);
  if (text === undefined) return new Map();
  const parsed = typeof text === "string" ? parseJson(text) : undefined;
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : null;
  if (entries === null || Array.isArray(parsed) || entries.some(([, dtype]) => typeof dtype !== "string")) {
    throw new FormatError(`metadata '${key}': expected a JSON object of dtypes, found ${shown(text)}`, {
      where,
    });
  }
  return new Map(entries.map(([name, dtype]) => [name, String(dtype)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const shown = (value: MetadataValue) => JSON.stringify(String(value).slice(0, 80));

/** What pyarrow reads when it makes a frame of a table: the index, and dtypes that Arrow's types don't tell. */
function pandasMetadata(
  schema: ArraySchema,
  data: readonly Data[],
  names: readonly string[],
  dtypes: Dtypes,
  index: readonly string[],
): string {
  const columns = names.map((name, i) => ({
    name: name === ROWS ? null : name,
    field_name: name,
    ...dtypeOf(schema, name, data[i]!, dtypes.get(name)),
    metadata: null,
  }));
  const present = index.filter((name) => names.includes(name));
  const rows = { kind: "range", name: null, start: 0, stop: data[0]?.length ?? 0, step: 1 };
  const index_columns = present.length > 0 ? present : [rows];
  return JSON.stringify({ index_columns, column_indexes: [], columns, pandas_version: "2.0.0" });
}

const NULLABLE: ReadonlyMap<string, string> = new Map(
  [8, 16, 32, 64].flatMap((bits) => [
    [`int${bits}`, `Int${bits}`],
    [`uint${bits}`, `UInt${bits}`],
  ]),
);

function dtypeOf(schema: ArraySchema, name: string, { type }: Data, dtype: string | undefined) {
  const attribute = schema.attributes.find((one) => one.name === name);
  const nullable = attribute?.nullable === true ? NULLABLE.get(attribute.datatype) : undefined;
  // Categories, text and bytes follow from Arrow's types; their dtype must not be forced.
  const own = dtype === undefined || /^(category|[<|=>]|bytes|str$)/.test(dtype) ? nullable : dtype;
  const numpy_type = own ?? "object";
  return { pandas_type: String(type), numpy_type };
}
