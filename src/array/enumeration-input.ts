import { UnsupportedError } from "../errors.js";
import type { EnumerationInput } from "./write-types.js";
export function defineEnumerations(input: readonly EnumerationInput[]): { named: { name: string; file: string }[]; files: { file: string; data: Uint8Array }[] } {
  if (input.length > 0) throw new UnsupportedError("enumerations");
  return { named: [], files: [] };
}
