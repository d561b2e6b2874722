import type { Data, DataType } from "apache-arrow";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import type { FixedColumn } from "../columns.js";
import { type ArrowModule, arrowValidity, packBits, type Validity } from "./arrow-validity.js";

/** Columns of fixed cells as Arrow data. */

/** What stands for "not a time" in datetimes and times, as in NumPy. */
const NOT_A_TIME = -(2n ** 63n);

/** Units that Arrow has not, in seconds; years and months are counted by the calendar. */
const SECONDS: Readonly<Record<string, bigint>> = { week: 604800n, day: 86400n, hr: 3600n, min: 60n };

export function arrowFixed(arrow: ArrowModule, column: FixedColumn): Data {
  const { datatype, cellValNum, values } = column;
  const { kind, bytes } = datatypeInfo(datatype);
  const cells = values.length / cellValNum;
  if (kind === "string" || kind === "char" || kind === "blob") {
    const type = new arrow.FixedSizeBinary(bytes * cellValNum);
    const validity = arrowValidity(cells, column.validity);
    return arrow.makeData({ type, length: cells, ...validity, data: bytesOf(values) });
  }
  if (cellValNum === 1) return singleValues(arrow, datatype, values, column.validity);
  const child = singleValues(arrow, datatype, values, undefined);
  const type = new arrow.FixedSizeList(cellValNum, arrow.Field.new("item", child.type, child.nullable));
  return arrow.makeData({ type, length: cells, ...arrowValidity(cells, column.validity), child }) as Data;
}

function singleValues(
  arrow: ArrowModule,
  datatype: Datatype,
  values: TypedArray,
  validity: Uint8Array | undefined,
): Data {
  const { kind } = datatypeInfo(datatype);
  const length = values.length;
  if (kind === "bool") {
    const data = packBits(bytesOf(values));
    return arrow.makeData({ type: new arrow.Bool(), length, ...arrowValidity(length, validity), data });
  }
  if ((kind === "datetime" || kind === "time") && values instanceof BigInt64Array) {
    return times(arrow, datatype, values, arrowValidity(length, validity, missingTimes(values)));
  }
  const type = numberType(arrow, values);
  return dataOf(arrow, type, values, arrowValidity(length, validity));
}

function dataOf(arrow: ArrowModule, type: DataType, values: TypedArray, validity: Validity): Data {
  const { nullCount, nullBitmap } = validity;
  const { DATA, VALIDITY } = arrow.BufferType;
  const bitmap = nullBitmap === undefined ? {} : { [VALIDITY]: nullBitmap };
  return new arrow.Data(type, 0, values.length, nullCount, { [DATA]: values, ...bitmap });
}

function numberType(arrow: ArrowModule, values: TypedArray): DataType {
  if (values instanceof Int8Array) return new arrow.Int8();
  if (values instanceof Uint8Array) return new arrow.Uint8();
  if (values instanceof Int16Array) return new arrow.Int16();
  if (values instanceof Uint16Array) return new arrow.Uint16();
  if (values instanceof Int32Array) return new arrow.Int32();
  if (values instanceof Uint32Array) return new arrow.Uint32();
  if (values instanceof BigInt64Array) return new arrow.Int64();
  if (values instanceof BigUint64Array) return new arrow.Uint64();
  return values instanceof Float32Array ? new arrow.Float32() : new arrow.Float64();
}

function missingTimes(values: BigInt64Array): number[] {
  const missing: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] === NOT_A_TIME) missing.push(i);
  return missing;
}

/**
 * Seconds to nanoseconds are Arrow's own units. Coarser ones become seconds. Finer ones, and what does not fit,
 * stay integers of their unit.
 */
function times(arrow: ArrowModule, datatype: Datatype, values: BigInt64Array, validity: Validity): Data {
  const unit = datatype.slice(datatype.indexOf("_") + 1);
  const isDate = datatypeInfo(datatype).kind === "datetime";
  const own = arrowUnit(arrow, unit);
  const typeOf = (one: number) => (isDate ? new arrow.Timestamp(one) : new arrow.Duration(one));
  if (own !== undefined) return dataOf(arrow, typeOf(own), values, validity);
  const seconds = isCoarse(unit) ? inSeconds(values, unit) : null;
  if (seconds === null) return dataOf(arrow, new arrow.Int64(), values, validity);
  return dataOf(arrow, typeOf(arrow.TimeUnit.SECOND), seconds, validity);
}

function arrowUnit({ TimeUnit }: ArrowModule, unit: string): number | undefined {
  const units: Readonly<Record<string, number>> = {
    sec: TimeUnit.SECOND,
    ms: TimeUnit.MILLISECOND,
    us: TimeUnit.MICROSECOND,
    ns: TimeUnit.NANOSECOND,
  };
  return units[unit];
}

const isCoarse = (unit: string) => unit in SECONDS || unit === "month" || unit === "year";

/** Null where a value does not fit. */
function inSeconds(values: BigInt64Array, unit: string): BigInt64Array | null {
  const seconds = new BigInt64Array(values.length);
  const limit = 2n ** 63n;
  const factor = SECONDS[unit];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === NOT_A_TIME) continue;
    const months = unit === "year" ? value * 12n : value;
    const time = factor === undefined ? daysOfMonths(months) * 86400n : value * factor;
    if (time >= limit || time < -limit) return null;
    seconds[i] = time;
  }
  return seconds;
}

/** Days from 1970-01-01 to the first of the month so many months after January 1970. */
function daysOfMonths(months: bigint): bigint {
  const year = 1970n + floorDivide(months, 12n);
  const month = months - floorDivide(months, 12n) * 12n;
  // Counted from March, so that the leap day ends the year; eras of 400 years have 146,097 days.
  const shifted = month < 2n ? year - 1n : year;
  const fromMarch = (month + 10n) % 12n;
  const era = floorDivide(shifted, 400n);
  const yearOfEra = shifted - era * 400n;
  const dayOfYear = (153n * fromMarch + 2n) / 5n;
  const dayOfEra = yearOfEra * 365n + yearOfEra / 4n - yearOfEra / 100n + dayOfYear;
  return era * 146097n + dayOfEra - 719468n;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
