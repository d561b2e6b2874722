import type { Filter } from "./filter.js";

/** No filter (code 0): passes everything on. */
export const none: Filter = {
  forward: (input) => input,
  reverse: (input) => input,
};
