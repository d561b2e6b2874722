import { ArgumentError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { datatypeInfo } from "../datatype.js";
import type { Filter } from "./filter.js";
import { fillAligned, readPartLengths, restOf, u32Bytes, withMetadata } from "./filter.js";

/**
 * XOR filter (code 16; format_spec/filters/xor.md): each value but the first is its exclusive or with the one before.
 * Its metadata: number of parts (uint32), length of each (uint32).
 */
export const xor: Filter = {
  forward: (input, step) => {
    const width = datatypeInfo(step.datatype).bytes;
    const size = input.data.byteLength;
    if (size % width !== 0) throw new ArgumentError(`xor filter: ${size} bytes are not values of ${width}`);
    const data = input.data.slice();
    // Byte by byte, since the bits of a value do not meet.
    for (let i = size - 1; i >= width; i--) data[i]! ^= data[i - width]!;
    return { metadata: withMetadata(u32Bytes(1, size), input.metadata), data };
  },
  reverse: (input, step, output) => {
    const width = datatypeInfo(step.datatype).bytes;
    const lengths = readPartLengths("xor", input.metadata, input.data.byteLength);
    const data = output.data(input.data.byteLength);
    fillAligned(data, 4, (aligned) => {
      aligned.set(input.data);
      let at = 0;
      for (const length of lengths) {
        undo(aligned.subarray(at, at + length), width);
        at += length;
      }
    });
    return { metadata: restOf(input.metadata, 4 + lengths.length * 4), data };
  },
};

function undo(bytes: Uint8Array, width: number): void {
  if (width % 4 !== 0 || bytes.byteLength % 4 !== 0 || bytes.byteOffset % 4 !== 0) {
    for (let i = width; i < bytes.byteLength; i++) bytes[i]! ^= bytes[i - width]!;
    return;
  }
  const words = viewAs(bytes, Int32Array);
  const step = width / 4;
  for (let i = step; i < words.length; i++) words[i]! ^= words[i - step]!;
}
