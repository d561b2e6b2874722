import type { Coordinate, NDRange } from "../format/array-schema.js";
import { compareText } from "../format/text-bytes.js";

/** The smallest box around all boxes, null of none. */
export function unionOf(boxes: readonly NDRange[]): NDRange | null {
  const [first, ...rest] = boxes;
  if (first === undefined) return null;
  return rest.reduce<NDRange>(
    (all, box) =>
      all.map(([low, high], d) => {
        const [from, to] = box[d]!;
        return [before(from, low) ? from : low, before(high, to) ? to : high] as const;
      }),
    first,
  );
}

function before(a: Coordinate, b: Coordinate): boolean {
  return typeof a === "string" || typeof b === "string" ? compareText(String(a), String(b)) < 0 : a < b;
}
