import { FormatError } from "../../errors.js";
import type { DimensionLabel, NDRange } from "../../format/array-schema.js";
import { compareBytes } from "../../format/text-bytes.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column } from "../columns.js";
import type { LabelArray } from "./label-ranges.js";

/**
 * Whether labels are what their schema promises. Writes are checked one by one, so that several of them can leave labels
 * out of order, or coordinates between them without labels; the official library refuses ranges of such labels too.
 */

/** Throws FormatError where coordinates between written labels have none. */
export function checkWithoutGaps({ fragments, uri }: LabelArray, { name }: DimensionLabel): void {
  const boxes = fragments.flatMap(({ nonEmptyDomain }) =>
    nonEmptyDomain === null ? [] : [nonEmptyDomain[0]!],
  );
  boxes.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  let end: NDRange[number][1] | null = null;
  for (const [low, high] of boxes) {
    if (end !== null && !reaches(end, low)) {
      throw new FormatError(
        `dimension label '${name}' has no ranges: the coordinates between ${end} and ${low} have no labels`,
        { where: uri },
      );
    }
    if (end === null || end < high) end = high;
  }
}

function reaches(end: NDRange[number][1], low: NDRange[number][0]): boolean {
  if (typeof end === "string" || typeof low === "string") return false;
  return low <= end || BigInt(low) === BigInt(end) + 1n;
}

/** Whether labels, piece by piece, rise (or fall) from each coordinate to the next. */
export class LabelOrderCheck {
  readonly #label: DimensionLabel;
  readonly #where: string;
  /** The last label of the piece before. */
  #last: number | bigint | Uint8Array | null = null;

  constructor(label: DimensionLabel, where: string) {
    this.#label = label;
    this.#where = where;
  }

  /** Throws FormatError for the first label out of order. `coordinates`: that of each label. */
  check(labels: Column, coordinates: TypedArray): void {
    const sign = this.#label.order === "decreasing" ? -1 : 1;
    const at = labels.kind === "var" ? this.#firstBadText(labels, sign) : this.#firstBad(labels.values, sign);
    if (at < 0) return;
    const { name, order } = this.#label;
    throw new FormatError(
      `dimension label '${name}' has no ranges: its labels are not ${order} at coordinate ${coordinates[at]}`,
      { where: this.#where },
    );
  }

  #firstBad(values: TypedArray, sign: number): number {
    let last = this.#last instanceof Uint8Array ? null : this.#last;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (last !== null && (sign > 0 ? value <= last : value >= last)) return i;
      last = value;
    }
    this.#last = last;
    return -1;
  }

  #firstBadText({ offsets, data }: Extract<Column, { kind: "var" }>, sign: number): number {
    let last = this.#last instanceof Uint8Array ? this.#last : null;
    for (let i = 0; i + 1 < offsets.length; i++) {
      const text = data.subarray(offsets[i], offsets[i + 1]);
      if (last !== null && sign * compareBytes(text, last) <= 0) return i;
      last = text;
    }
    this.#last = last;
    return -1;
  }
}
