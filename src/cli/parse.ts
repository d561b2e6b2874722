import type { QueryCondition } from "../array/condition/query-condition.js";
import { parseCondition } from "../array/condition/query-condition-parser.js";
import { isCellarrError } from "../errors.js";
import type { Coordinate, Dimension } from "../format/array-schema.js";
import { datatypeInfo, isBigDatatype } from "../format/datatype.js";
import { UsageError } from "./usage.js";

/** Texts of the command line to values. Every function throws UsageError naming the option and what it expects. */

/** A range as it was typed: either end may be missing. */
export interface TypedRange {
  readonly dimension: string;
  readonly low: string | undefined;
  readonly high: string | undefined;
}

/** `dim=lo:hi`, `dim=lo:`, `dim=:hi` or `dim=value`; a colon within a value is written `\:`. */
export function parseRange(text: string): TypedRange {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError(`--range ${text}: expected DIM=LO:HI, for example row=0:10`);
  const dimension = text.slice(0, equals);
  const ends = splitUnescaped(text.slice(equals + 1));
  if (ends.length > 2) {
    throw new UsageError(`--range ${text}: expected one colon; write \\: for a colon within a value`);
  }
  // Nothing after "=" is the empty string, a coordinate like others.
  if (ends.length === 1) return { dimension, low: ends[0], high: ends[0] };
  return { dimension, low: ends[0] || undefined, high: ends[1] || undefined };
}

function splitUnescaped(text: string): string[] {
  return text.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"));
}

/** A condition in Python syntax; only its form is checked here. */
export function parseWhere(text: string, option = "--where"): QueryCondition {
  try {
    return parseCondition(text);
  } catch (error) {
    if (isCellarrError(error, "ARGUMENT")) throw new UsageError(`${option}: ${error.problem}`);
    throw error;
  }
}

/** A coordinate of the dimension's type. */
export function parseCoordinate(text: string, dimension: Dimension): Coordinate {
  const { kind } = datatypeInfo(dimension.datatype);
  if (kind === "string" || kind === "char") return text;
  const wrong = (expected: string): UsageError =>
    new UsageError(`--range ${dimension.name}: '${text}' is not ${expected} (type ${dimension.datatype})`);
  if (kind === "float") {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw wrong("a number");
    return value;
  }
  if (!/^[+-]?\d+$/.test(text)) throw wrong("an integer");
  if (isBigDatatype(dimension.datatype)) return BigInt(text.replace(/^\+/, ""));
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw wrong("an integer below 2^53");
  return value;
}

/** `T` or `T1:T2` in milliseconds since 1970; an end that is missing is open. */
export function parseTimestamp(text: string): number | readonly [number, number] {
  const parts = text.split(":");
  const wrong = `--timestamp ${text}: expected T or T1:T2 in milliseconds since 1970`;
  if (parts.length > 2 || text === "" || text === ":") throw new UsageError(wrong);
  const ends = parts.map((part, i) =>
    part === "" ? [0, Number.MAX_SAFE_INTEGER][i]! : toCount(part, wrong),
  );
  if (ends.length === 1) return ends[0]!;
  if (ends[0]! > ends[1]!) throw new UsageError(`--timestamp ${text}: the first time is after the second`);
  return [ends[0]!, ends[1]!];
}

/** A whole number from `least` on. */
export function parseCount(text: string, option: string, least = 0): number {
  const count = toCount(text, `${option} ${text}: expected a whole number from ${least} on`);
  if (count < least) throw new UsageError(`${option} ${text}: expected a whole number from ${least} on`);
  return count;
}

function toCount(text: string, wrong: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new UsageError(wrong);
  return value;
}

/** A run of cell indices, both ends inclusive; `end` is null where it was left out. */
export interface CellRun {
  readonly start: number;
  readonly end: number | null;
}

/** `0:10`, `5,300,17`, or both mixed: `0:10,50`. */
export function parseCells(text: string): CellRun[] {
  const wrong = `--cells ${text}: expected indices such as 0:10 (both ends included) or 5,300,17`;
  return text.split(",").map((part) => {
    const ends = part.trim().split(":");
    if (ends.length === 1) {
      const cell = toCount(ends[0]!, wrong);
      return { start: cell, end: cell };
    }
    if (ends.length !== 2) throw new UsageError(wrong);
    const start = ends[0] === "" ? 0 : toCount(ends[0]!, wrong);
    const end = ends[1] === "" ? null : toCount(ends[1]!, wrong);
    if (end !== null && end < start) throw new UsageError(`--cells ${text}: ${part} ends before it starts`);
    return { start, end };
  });
}

/** Names between commas, blanks around them dropped. */
export function parseNames(text: string, option: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new UsageError(`${option} ${text}: a name is empty; expected NAME,NAME,...`);
  return names;
}

/** One of the words that an option takes. */
export function parseChoice<T extends string>(text: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} ${text}: expected ${allowed.join(", ")}`);
}

/** `NAME` or `NAME:TYPE`; the type follows the last colon and must be one of `types`. */
export function parseTypedName<T extends string>(
  text: string,
  option: string,
  types: readonly T[],
): { name: string; type: T | undefined } {
  const colon = text.lastIndexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  if (name === "") throw new UsageError(`${option} ${text}: the name is empty; expected NAME or NAME:TYPE`);
  if (colon < 0) return { name, type: undefined };
  const type = types.find((known) => known === text.slice(colon + 1));
  if (type === undefined) {
    throw new UsageError(
      `${option} ${text}: unknown type '${text.slice(colon + 1)}', expected ${types.join(", ")}`,
    );
  }
  return { name, type };
}
