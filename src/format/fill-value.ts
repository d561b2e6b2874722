import { type Datatype, type DatatypeKind, datatypeInfo, VAR_NUM } from "./datatype.js";
import { setScalar } from "./scalar.js";

/**
 * The fill value that the core gives an attribute where none was set: the smallest of signed integers, datetimes and
 * times, the largest of unsigned integers, NaN, 0x80 for char (a signed type there), false, and zero for blobs and
 * strings. One whole cell: `cellValNum` values, or a single one for variable-length cells.
 */
export function defaultFill(datatype: Datatype, cellValNum: number): Uint8Array {
  const { array, kind, bytes } = datatypeInfo(datatype);
  const values = new array(cellValNum === VAR_NUM ? 1 : cellValNum);
  const value = defaultValue(kind, bytes);
  for (let i = 0; i < values.length; i++) setScalar(values, i, value);
  return new Uint8Array(values.buffer);
}

function defaultValue(kind: DatatypeKind, bytes: number): number | bigint {
  switch (kind) {
    case "int":
    case "datetime":
    case "time":
      return bytes === 8 ? -(2n ** 63n) : -(2 ** (bytes * 8 - 1));
    case "uint":
      return bytes === 8 ? 2n ** 64n - 1n : 2 ** (bytes * 8) - 1;
    case "float":
      return Number.NaN;
    case "char":
      return 0x80;
    case "bool":
    case "string":
    case "blob":
      return 0;
  }
}
