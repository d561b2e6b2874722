import { type Datatype, datatypeInfo } from "../format/datatype.js";

/** True of types whose values are whole numbers: integers, datetimes and times. */
export function isInteger(datatype: Datatype): boolean {
  const { kind } = datatypeInfo(datatype);
  return kind === "int" || kind === "uint" || kind === "datetime" || kind === "time";
}

/** Smallest and largest value of an integer type. */
export function typeRange(datatype: Datatype): readonly [bigint, bigint] {
  const { bytes, kind } = datatypeInfo(datatype);
  const values = 1n << BigInt(bytes * 8);
  return kind === "uint" ? [0n, values - 1n] : [-values / 2n, values / 2n - 1n];
}
