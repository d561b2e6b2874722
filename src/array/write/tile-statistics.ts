import { ByteWriter } from "../../format/byte-writer.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { FragmentFieldStatistics, TileExtremes } from "../../format/fragment/fragment-sections.js";
import { hasMinMax, type SumType, sumType } from "../../format/fragment/fragment-statistics.js";
import { scalarBytes } from "../../format/scalar.js";
import { compareBytes as compareWhole } from "../../format/text-bytes.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import type { Column } from "../columns.js";
import type { Field } from "../fields.js";
import { isInteger, typeRange } from "../integer-types.js";
import { compareBytes } from "../order/byte-order.js";
import { GrowingNumbers } from "./growing.js";
import { addClamped, type NumberScan, scanValues } from "./scan-values.js";

/**
 * Smallest and largest value, sum and null count of each tile of a field, and of the fragment: what the official
 * writer's planner and aggregates rely on. Which fields have what:
 *
 * | | smallest, largest | sum |
 * | :--- | :--- | :--- |
 * | dimensions | no (the R-tree has them) | of fixed ones |
 * | string_ascii, char | yes, byte by byte | of char with one value per cell |
 * | other strings, blob, any, geometries | no | no |
 * | other types | with one value per cell | with one value per cell |
 *
 * Two things are better here than in the official writer: a NaN does not forget the values before it, and the nulls
 * of variable-length fields without smallest and largest are counted (it writes 0).
 */
export interface FieldStatistics {
  readonly mins: TileExtremes | null;
  readonly maxes: TileExtremes | null;
  readonly sums: BigUint64Array | BigInt64Array | Float64Array;
  readonly nullCounts: Float64Array;
  readonly statistics: FragmentFieldStatistics;
}

const isText = (field: Field) => field.datatype === "string_ascii" || field.datatype === "char";

const LARGEST_SINGLE = (2 - 2 ** -23) * 2 ** 127;

const none = new Uint8Array(0);

/** What the cells seen so far of a tile, or the tiles of a fragment, come to. */
interface Extremes {
  min: Uint8Array | null;
  max: Uint8Array | null;
}

export class StatisticsCollector {
  readonly #field: Field;
  readonly #extremes: boolean;
  readonly #sumKind: SumType | null;
  readonly #order: (a: Uint8Array, b: Uint8Array) => number;
  #tile: Extremes = { min: null, max: null };
  #tileSum: number | bigint = 0;
  #tileNulls = 0;
  readonly #fragment: Extremes = { min: null, max: null };
  #fragmentSum: number | bigint = 0;
  #fragmentNulls = 0;
  #fragmentSumFull = false;
  readonly #mins = new ByteWriter();
  readonly #maxes = new ByteWriter();
  readonly #minOffsets = new GrowingNumbers();
  readonly #maxOffsets = new GrowingNumbers();
  readonly #sums = new ByteWriter();
  readonly #nullCounts = new GrowingNumbers();

  constructor(field: Field) {
    this.#field = field;
    this.#extremes = field.kind !== "dimension" && hasMinMax(field);
    this.#sumKind = sumType(field);
    this.#order = isText(field) ? compareWhole : numericOrder(field);
    this.#tileSum = this.#fragmentSum = this.#sumKind === "float64" ? 0 : 0n;
  }

  /** Takes in cells [start, end) of the tile being made. */
  add(column: Column, start: number, end: number): void {
    if (start >= end) return;
    if (isText(this.#field) && this.#extremes) this.#addText(column, start, end);
    else if (this.#extremes || this.#sumKind !== null) this.#addNumbers(column, start, end);
    else this.#tileNulls += countNulls(column.validity, start, end);
  }

  /** Takes in all cells of the tile being made, of a field without smallest and largest, from a scan of them. */
  addScan(scan: NumberScan): void {
    this.#tileNulls += scan.nullCount;
    this.#tileSum = addSums(this.#sumKind, this.#tileSum, scan.sum);
  }

  /** The tile is complete; `cellCount` with the cells that pad it. */
  endTile(cellCount: number): void {
    const allNull = this.#field.nullable && this.#tileNulls === cellCount;
    if (this.#extremes) {
      this.#pushExtreme(this.#mins, this.#minOffsets, this.#tile.min, allNull, 1);
      this.#pushExtreme(this.#maxes, this.#maxOffsets, this.#tile.max, allNull, 0);
      if (!allNull) this.#widen(this.#fragment, this.#tile.min, this.#tile.max);
    }
    if (this.#sumKind !== null) {
      this.#sums.raw(sumBytes(this.#sumKind, this.#tileSum));
      this.#addFragmentSum(this.#tileSum);
    }
    if (this.#field.nullable) this.#nullCounts.push(this.#tileNulls);
    this.#fragmentNulls += this.#tileNulls;
    this.#tile = { min: null, max: null };
    this.#tileSum = this.#sumKind === "float64" ? 0 : 0n;
    this.#tileNulls = 0;
  }

  finish(): FieldStatistics {
    const kind = this.#sumKind;
    const sums = this.#sums.finish().slice();
    // The official writer leaves the fragment's sum of chars at 0.
    const hasSum = kind !== null && this.#field.datatype !== "char";
    const sum = !hasSum ? 0n : new BigUint64Array(sumBytes(kind, this.#fragmentSum).slice().buffer)[0]!;
    return {
      mins: this.#extremes ? this.#tileExtremes(this.#mins, this.#minOffsets) : null,
      maxes: this.#extremes ? this.#tileExtremes(this.#maxes, this.#maxOffsets) : null,
      sums: new BigUint64Array(sums.buffer),
      nullCounts: this.#nullCounts.view(),
      statistics: {
        min: this.#fragmentExtreme(this.#fragment.min, 1),
        max: this.#fragmentExtreme(this.#fragment.max, 0),
        sum,
        nullCount: this.#fragmentNulls,
      },
    };
  }

  #addNumbers(column: Column, start: number, end: number): void {
    if (column.kind === "var") {
      this.#tileNulls += countNulls(column.validity, start, end);
      return;
    }
    const { datatype } = this.#field;
    const scan = this.#scan(column.values, column.validity, start, end);
    if (!this.#extremes || scan.min === null || scan.max === null) return;
    this.#widen(this.#tile, scalarBytes(datatype, scan.min), scalarBytes(datatype, scan.max));
  }

  #addText(column: Column, start: number, end: number): void {
    const bytes = column.kind === "var" ? column.data : bytesOf(column.values);
    const { cellBytes } = this.#field;
    const startOf = (cell: number) => (column.kind === "var" ? column.offsets[cell]! : cell * cellBytes);
    let [smallest, largest] = [-1, -1];
    for (let cell = start; cell < end; cell++) {
      if (column.validity?.[cell] === 0) continue;
      if (smallest < 0) smallest = largest = cell;
      const [from, to] = [startOf(cell), startOf(cell + 1)];
      if (compareBytes(bytes, from, to, bytes, startOf(smallest), startOf(smallest + 1)) < 0) smallest = cell;
      if (compareBytes(bytes, from, to, bytes, startOf(largest), startOf(largest + 1)) > 0) largest = cell;
    }
    if (this.#sumKind !== null && column.kind === "fixed") {
      // A char is signed in sums, and unsigned in comparisons.
      const signed = new Int8Array(column.values.buffer, column.values.byteOffset, column.values.length);
      this.#scan(signed, column.validity, start, end);
    } else this.#tileNulls += countNulls(column.validity, start, end);
    if (smallest < 0) return;
    const min = bytes.slice(startOf(smallest), startOf(smallest + 1));
    this.#widen(this.#tile, min, bytes.slice(startOf(largest), startOf(largest + 1)));
  }

  /** Adds sum and nulls to the tile's. Floats are added in the order of the cells, as the official writer adds them. */
  #scan(values: TypedArray, validity: Uint8Array | undefined, start: number, end: number): NumberScan {
    const before = this.#tileSum;
    const scan = scanValues(values, validity, start, end, typeof before === "number" ? before : 0);
    this.#tileNulls += scan.nullCount;
    this.#tileSum = typeof before === "number" ? scan.sum : addSums(this.#sumKind, before, scan.sum);
    return scan;
  }

  #widen(extremes: Extremes, min: Uint8Array | null, max: Uint8Array | null): void {
    if (min !== null && (extremes.min === null || this.#order(min, extremes.min) < 0)) extremes.min = min;
    if (max !== null && (extremes.max === null || this.#order(max, extremes.max) > 0)) extremes.max = max;
  }

  #addFragmentSum(sum: number | bigint): void {
    if (this.#fragmentSumFull) return;
    const [before, kind] = [this.#fragmentSum, this.#sumKind!];
    this.#fragmentSum = addSums(kind, before, sum);
    // The official writer stops at the first tile that would overflow.
    this.#fragmentSumFull = kind !== "float64" && this.#fragmentSum !== BigInt(before) + BigInt(sum);
  }

  #pushExtreme(
    to: ByteWriter,
    offsets: GrowingNumbers,
    value: Uint8Array | null,
    allNull: boolean,
    end: 0 | 1,
  ): void {
    const { isVar, cellBytes } = this.#field;
    if (isVar) offsets.push(to.length);
    if (value !== null) to.raw(value);
    else if (!isVar) to.raw(allNull || isText(this.#field) ? new Uint8Array(cellBytes) : this.#unset(end));
  }

  /** What smallest (`end` 1) and largest (`end` 0) are before any value: the other end of the type. */
  #unset(end: 0 | 1): Uint8Array {
    const { datatype } = this.#field;
    if (isInteger(datatype)) return scalarBytes(datatype, typeRange(datatype)[end]);
    if (datatypeInfo(datatype).kind === "bool") return scalarBytes(datatype, end === 1 ? 255 : 0);
    const largest = datatype === "float32" ? LARGEST_SINGLE : Number.MAX_VALUE;
    return scalarBytes(datatype, end === 1 ? largest : -largest);
  }

  #tileExtremes(values: ByteWriter, offsets: GrowingNumbers): TileExtremes {
    const data = values.finish();
    if (!this.#field.isVar) return { kind: "fixed", values: data };
    const ends = new Float64Array(offsets.length + 1);
    ends.set(offsets.view());
    ends[offsets.length] = data.byteLength;
    return { kind: "var", offsets: ends, data };
  }

  #fragmentExtreme(value: Uint8Array | null, end: 0 | 1): Uint8Array {
    if (value !== null) return value;
    return this.#extremes && !isText(this.#field) ? this.#unset(end) : none;
  }
}

/** Order of two values given as their bytes. */
function numericOrder(field: Field): (a: Uint8Array, b: Uint8Array) => number {
  const { array } = datatypeInfo(field.datatype);
  const decode = (bytes: Uint8Array) => new array(bytes.slice().buffer)[0]!;
  return (a, b) => {
    const [x, y] = [decode(a), decode(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };
}

function countNulls(validity: Uint8Array | undefined, start: number, end: number): number {
  let nulls = 0;
  if (validity !== undefined) for (let i = start; i < end; i++) if (validity[i] === 0) nulls++;
  return nulls;
}

/** The sum, held at the ends of its 64 bits as the official writer does. */
function addSums(kind: SumType | null, a: number | bigint, b: number | bigint): number | bigint {
  if (kind === null) return a;
  if (kind === "float64") return addClamped(Number(a), Number(b)) ?? (a < 0 ? -1 : 1) * Number.MAX_VALUE;
  const sum = BigInt(a) + BigInt(b);
  const [smallest, largest] = typeRange(kind);
  return sum < smallest ? smallest : sum > largest ? largest : sum;
}

function sumBytes(kind: SumType, sum: number | bigint): Uint8Array {
  return scalarBytes(kind, sum);
}
