import { type Datatype, datatypeInfo, VAR_NUM } from "../../../format/datatype.js";
import { compareText } from "../../../format/text-bytes.js";
import { columnCells, takeCells } from "../../column-ops.js";
import { cellScalars } from "../../column-values.js";
import type { Column } from "../../columns.js";
import type { AggregateResult, FieldAggregates } from "../../query.js";
import type { ResolvedQuery } from "../resolve-query.js";

/**
 * Sums, bounds and counts under construction. NaN counts, makes sum and mean NaN, and is no bound: the official library's
 * bounds depend on where in a tile the NaN lies. Sums of integers are exact: the official library's end at 64 bits.
 */

/** What is read at a time. */
export const BATCH_BYTES: number = 64 * 1024 * 1024;

/** Nothing so far, for each dimension and attribute of the query. */
export function totalsOf(query: ResolvedQuery): ReadonlyMap<string, Totals> {
  return new Map([...query.dimensions, ...query.attributes].map((name) => [name, new Totals()]));
}

type Value = number | bigint | string;

/** Texts by their UTF-8 bytes. */
function isBelow(a: Value, b: Value): boolean {
  return typeof a === "string" && typeof b === "string" ? compareText(a, b) < 0 : a < b;
}

/** What bounds and sums are given of: single numbers, 8-bit texts whatever their length, and of other cells nothing. */
export function aggregated(datatype: Datatype, cellValNum: number): "numbers" | "texts" | "nothing" {
  const { kind, bytes } = datatypeInfo(datatype);
  if (kind === "char" || kind === "string") return bytes === 1 ? "texts" : "nothing";
  return cellValNum === 1 && kind !== "blob" ? "numbers" : "nothing";
}

/** What the cells of one attribute come to, by and by. */
export class Totals {
  #valid = 0;
  #nulls = 0;
  #min: Value | null = null;
  #max: Value | null = null;
  #sum: bigint | number | null = null;

  /** Cells of which nothing but validity is said. */
  addCounts(valid: number, nulls: number): void {
    this.#valid += valid;
    this.#nulls += nulls;
  }

  add(valid: number, nulls: number, min: Value, max: Value, sum: bigint | number | null): void {
    this.#nulls += nulls;
    if (valid === 0) return;
    this.#valid += valid;
    if (this.#min === null || isBelow(min, this.#min)) this.#min = min;
    if (this.#max === null || isBelow(this.#max, max)) this.#max = max;
    if (sum === null) return;
    if (this.#sum === null) this.#sum = sum;
    else if (typeof sum === "bigint" && typeof this.#sum === "bigint") this.#sum += sum;
    else this.#sum = Number(this.#sum) + Number(sum);
  }

  /** Adds the cells of a column; with `kept` those alone where it is not 0. */
  addColumn(column: Column, kept?: Uint8Array): void {
    if (kept?.includes(0)) {
      this.addColumn(takeCells(column, positionsOf(kept)));
      return;
    }
    const cellValNum = column.kind === "var" ? VAR_NUM : column.cellValNum;
    const of = aggregated(column.datatype, cellValNum);
    if (of === "nothing") this.#addUnvalued(column);
    else if (of === "texts") this.#addTexts(column);
    else this.#addNumbers(column, datatypeInfo(column.datatype).kind === "float");
  }

  result(): FieldAggregates {
    const sum = this.#sum;
    const mean = sum === null || this.#valid === 0 ? null : Number(sum) / this.#valid;
    return { count: this.#valid, nullCount: this.#nulls, min: this.#min, max: this.#max, sum, mean };
  }

  #addUnvalued(column: Column): void {
    const { validity } = column;
    const nulls =
      validity === undefined ? 0 : validity.reduce((sum, valid) => sum + (valid === 0 ? 1 : 0), 0);
    this.addCounts(columnCells(column) - nulls, nulls);
  }

  #addTexts(column: Column): void {
    if (columnCells(column) === 0) return;
    for (const text of cellScalars(column)) {
      if (typeof text === "string") this.add(1, 0, text, text, null);
      else this.#nulls++;
    }
  }

  #addNumbers(column: Column, isFloat: boolean): void {
    if (column.kind === "var") return;
    const { values, validity } = column;
    let [valid, nulls] = [0, 0];
    let min: number | bigint | null = null;
    let max: number | bigint | null = null;
    let floats = 0;
    let whole = 0n;
    for (let i = 0; i < values.length; i++) {
      if (validity?.[i] === 0) {
        nulls++;
        continue;
      }
      const value = values[i]!;
      valid++;
      if (typeof value === "bigint") whole += value;
      else floats += value;
      if (Number.isNaN(value)) continue;
      if (min === null || value < min) min = value;
      if (max === null || value > max) max = value;
    }
    // Sums of 32-bit integers are exact in doubles of 2^21 cells at least; those of more are taken in parts.
    let sum: bigint | number = floats;
    if (!isFloat) sum = typeof values[0] === "bigint" ? whole : exactSum(values, validity, floats);
    if (min === null || max === null) {
      this.#nulls += nulls;
      if (valid > 0) this.#addUnordered(valid, sum);
    } else this.add(valid, nulls, min, max, sum);
  }

  /** Cells of NaN alone: they count and sum, but bound nothing. */
  #addUnordered(valid: number, sum: bigint | number): void {
    this.#valid += valid;
    this.#sum = this.#sum === null ? sum : Number(this.#sum) + Number(sum);
  }
}

function positionsOf(kept: Uint8Array): Uint32Array {
  const positions = new Uint32Array(kept.reduce((sum, one) => sum + one, 0));
  let n = 0;
  for (let i = 0; i < kept.length; i++) if (kept[i] === 1) positions[n++] = i;
  return positions;
}

function exactSum(
  values: ArrayLike<number | bigint>,
  validity: Uint8Array | undefined,
  doubles: number,
): bigint {
  if (Number.isSafeInteger(doubles) && values.length <= 2 ** 21) return BigInt(doubles);
  let sum = 0n;
  let part = 0;
  for (let i = 0; i < values.length; i++) {
    if (validity?.[i] !== 0) part += Number(values[i]);
    if ((i & 0xfffff) !== 0) continue;
    sum += BigInt(part);
    part = 0;
  }
  return sum + BigInt(part);
}

export function resultOf(cellCount: number, totals: ReadonlyMap<string, Totals>): AggregateResult {
  return { cellCount, fields: Object.fromEntries(Array.from(totals, ([name, one]) => [name, one.result()])) };
}
