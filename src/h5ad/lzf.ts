import { FormatError } from "../errors.js";

/**
 * LibLZF, h5py's own compression (HDF5 filter 32000). A control byte below 32 starts a run of that many + 1 literal
 * bytes; otherwise its upper 3 bits (7: plus the next byte) + 2 are a length, its lower 5 bits and the next byte how
 * far back, less 1, that many bytes are repeated from.
 */

/** Decompresses to exactly `size` bytes, or throws FormatError. */
export function decodeLzf(input: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < input.length; ) {
    const control = input[at++]!;
    if (control < 32) {
      const end = at + control + 1;
      if (end > input.length || to + control + 1 > size) throw corrupt(at, size);
      while (at < end) output[to++] = input[at++]!;
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) length += input[at++] ?? 0;
    const from = to - (((control & 31) << 8) | (input[at++] ?? 0)) - 1;
    if (at > input.length || from < 0 || to + length > size) throw corrupt(at, size);
    // Source and target may overlap: bytes just written are repeated.
    for (let step = 0; step < length; step++) output[to++] = output[from + step]!;
  }
  if (to !== size) throw corrupt(input.length, size);
  return output;
}

function corrupt(at: number, size: number): FormatError {
  return new FormatError(`lzf: corrupt at byte ${at}, expected ${size} bytes of output`);
}
