import { OutOfDomainError } from "../../errors.js";
import type { Dimension, NDRange } from "../../format/array-schema.js";
import { ByteWriter } from "../../format/byte-writer.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { DimensionBounds } from "../../format/fragment/rtree.js";
import { scalarBytes } from "../../format/scalar.js";
import { compareText, textOfBytes } from "../../format/text-bytes.js";
import type { Column, FixedColumn, VarColumn } from "../columns.js";
import { compareBytes } from "../order/byte-order.js";
import { type NumberScan, scanValues } from "./scan-values.js";

/** Smallest and largest coordinate of every tile along one dimension: the tiles' bounding rectangles, for the R-tree. */
export class BoundsCollector {
  readonly #dimension: Dimension;
  readonly #low = new ByteWriter();
  readonly #high = new ByteWriter();
  readonly #lowTexts: string[] = [];
  readonly #highTexts: string[] = [];

  constructor(dimension: Dimension) {
    this.#dimension = dimension;
  }

  /**
   * The coordinates of a whole tile; returns what the scan found, so that sums need no scan of their own. Throws
   * OutOfDomainError naming a coordinate outside the domain.
   */
  addTile(column: Column, start: number, end: number, where: string): NumberScan | null {
    if (column.kind === "var") {
      const [smallest, largest] = textEnds(column, start, end);
      this.#lowTexts.push(textOfBytes(textAt(column, smallest)));
      this.#highTexts.push(textOfBytes(textAt(column, largest)));
      return null;
    }
    const scan = scanValues(column.values, undefined, start, end);
    checkScan(this.#dimension, column, scan, where);
    this.#low.raw(scalarBytes(this.#dimension.datatype, scan.min!));
    this.#high.raw(scalarBytes(this.#dimension.datatype, scan.max!));
    return scan;
  }

  finish(): DimensionBounds {
    const { domain, datatype } = this.#dimension;
    if (domain === null) return { kind: "text", lo: this.#lowTexts, hi: this.#highTexts };
    const { array } = datatypeInfo(datatype);
    return {
      kind: "fixed",
      lo: new array(this.#low.finish().slice().buffer),
      hi: new array(this.#high.finish().slice().buffer),
    };
  }
}

/** The box around all tiles. At least one tile. */
export function boundsRange(bounds: readonly DimensionBounds[]): NDRange {
  return bounds.map((dimension) => {
    if (dimension.kind === "text") {
      const low = dimension.lo.reduce((a, b) => (compareText(b, a) < 0 ? b : a));
      return [low, dimension.hi.reduce((a, b) => (compareText(b, a) > 0 ? b : a))] as const;
    }
    const { min } = scanValues(dimension.lo, undefined, 0, dimension.lo.length);
    const { max } = scanValues(dimension.hi, undefined, 0, dimension.hi.length);
    return [min!, max!] as const;
  });
}

/** Throws OutOfDomainError naming the first cell whose coordinate is outside the dimension's domain, or NaN. */
export function checkDomain(dimension: Dimension, column: Column, where: string): void {
  if (column.kind === "var" || column.values.length === 0) return;
  checkScan(dimension, column, scanValues(column.values, undefined, 0, column.values.length), where);
}

function checkScan(dimension: Dimension, column: FixedColumn, scan: NumberScan, where: string): void {
  const { min, max, sum } = scan;
  const [low, high] = dimension.domain!;
  if (min !== null && max !== null && min >= low && max <= high && !isNotANumber(sum)) return;
  const { values } = column;
  const cell = firstOutside(column, low, high);
  throw new OutOfDomainError(
    `write: cell ${cell} has ${dimension.name} = ${values[cell]}, outside the domain [${low}, ${high}]`,
    { where },
  );
}

function isNotANumber(sum: number | bigint): boolean {
  return typeof sum === "number" && Number.isNaN(sum);
}

function firstOutside(column: FixedColumn, low: number | bigint, high: number | bigint): number {
  const { values } = column;
  for (let i = 0; i < values.length; i++) if (!(values[i]! >= low && values[i]! <= high)) return i;
  return -1;
}

function textAt({ data, offsets }: VarColumn, cell: number): Uint8Array {
  return data.subarray(offsets[cell], offsets[cell + 1]);
}

/** Cells of the smallest and the largest text. */
function textEnds({ data, offsets }: VarColumn, start: number, end: number): [number, number] {
  let [smallest, largest] = [start, start];
  const compare = (a: number, b: number) =>
    compareBytes(data, offsets[a]!, offsets[a + 1]!, data, offsets[b]!, offsets[b + 1]!);
  for (let cell = start + 1; cell < end; cell++) {
    if (compare(cell, smallest) < 0) smallest = cell;
    if (compare(cell, largest) > 0) largest = cell;
  }
  return [smallest, largest];
}
