import { type Element, integerOf } from "./element.js";
import type { FilterStep } from "./filter.js";

/**
 * Bytes of the windows into which the filters bit width reduction and positive delta cut a chunk: whole values. A
 * chunk smaller than a value is one window, which neither filter changes.
 */
export function windowBytes(size: number, maxWindow: number, element: Element): number {
  const whole = Math.floor(Math.min(size, maxWindow) / element.bytes) * element.bytes;
  return whole > 0 ? whole : size;
}

/**
 * The integers that these filters take the values as, or null where they pass everything on: floats, text, and
 * before version 20 dates and times.
 */
export function windowElement(step: FilterStep): Element | null {
  if (step.version < 20 && /^(datetime|time)_/.test(step.datatype)) return null;
  return integerOf(step.datatype);
}
