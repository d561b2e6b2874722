import { ArgumentError } from "../errors.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../format/datatype.js";
import { defaultFill } from "../format/fill-value.js";
import { bytesOf } from "../util/typed-arrays.js";
import { isInteger, typeRange } from "./integer-types.js";

/**
 * The fill cell of an attribute as bytes. By default the official library's; a single value is repeated for
 * multi-value cells.
 */
export function fillBytes(
  datatype: Datatype,
  cellValNum: number,
  fill: number | bigint | boolean | string | Uint8Array | undefined,
  what: string,
): Uint8Array {
  if (fill === undefined) return defaultFill(datatype, cellValNum);
  if (typeof fill === "string")
    return checkLength(new TextEncoder().encode(fill), datatype, cellValNum, what);
  if (fill instanceof Uint8Array) return checkLength(fill.slice(), datatype, cellValNum, what);
  const cell = new (datatypeInfo(datatype).array)(cellValNum === VAR_NUM ? 1 : cellValNum);
  if (isInteger(datatype)) checkRange(fill, datatype, what);
  if (cell instanceof BigInt64Array || cell instanceof BigUint64Array) cell.fill(BigInt(fill));
  else cell.fill(Number(fill));
  return bytesOf(cell);
}

function checkLength(bytes: Uint8Array, datatype: Datatype, cellValNum: number, what: string): Uint8Array {
  const { bytes: width } = datatypeInfo(datatype);
  const right =
    cellValNum === VAR_NUM
      ? bytes.byteLength > 0 && bytes.byteLength % width === 0
      : bytes.byteLength === width * cellValNum;
  if (right) return bytes;
  const expected = cellValNum === VAR_NUM ? `a multiple of ${width}` : `${width * cellValNum}`;
  throw new ArgumentError(
    `array schema: ${what}: fill value of ${bytes.byteLength} bytes, expected ${expected}`,
  );
}

function checkRange(value: number | bigint | boolean, datatype: Datatype, what: string): void {
  const [smallest, largest] = typeRange(datatype);
  const whole = typeof value !== "number" || Number.isInteger(value);
  if (whole && BigInt(value) >= smallest && BigInt(value) <= largest) return;
  throw new ArgumentError(`array schema: ${what}: fill value ${value} is no ${datatype}`);
}
