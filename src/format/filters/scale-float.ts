import { ArgumentError, FormatError, ValueError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { datatypeInfo } from "../datatype.js";
import type { FilterSpec } from "../filter-pipeline.js";
import type { Filter, FilterStep } from "./filter.js";
import { fillAligned, readPartLengths, restOf, u32Bytes, withMetadata } from "./filter.js";

/**
 * Float scale filter (code 15; format_spec/filters/float_scale.md): values as integers, round((value - offset) /
 * factor), which loses what the factor does not resolve. Its metadata: number of parts, 1 (uint32), and the length of
 * the integers (uint32).
 */
export const scaleFloat: Filter = {
  forward: (input, step) => {
    const spec = specOf(step.spec);
    const width = floatBytes(step);
    if (input.data.byteLength % width !== 0) {
      throw new ArgumentError(
        `scale_float filter: ${input.data.byteLength} bytes are not values of ${width}`,
      );
    }
    const values = floatsOf(input.data, width);
    const data = new Uint8Array(values.length * spec.byteWidth);
    encode(values, data, spec);
    return { metadata: withMetadata(u32Bytes(1, data.byteLength), input.metadata), data };
  },
  reverse: (input, step, output) => {
    const spec = specOf(step.spec);
    const width = floatBytes(step);
    const lengths = readPartLengths("scale_float", input.metadata, input.data.byteLength);
    const count = input.data.byteLength / spec.byteWidth;
    // The official library does not read more than one part back either.
    if (lengths.length !== 1 || !Number.isInteger(count)) {
      throw new FormatError(
        `scale_float filter: expected one part of values of ${spec.byteWidth} bytes, found ${lengths.length} of ${input.data.byteLength}`,
      );
    }
    const data = output.data(count * width);
    fillAligned(data, width, (aligned) => {
      decode(input.data, floatsOf(aligned, width), spec);
    });
    return { metadata: restOf(input.metadata, 8), data };
  },
};

type ScaleSpec = Extract<FilterSpec, { type: "scale_float" }>;

function specOf(spec: FilterSpec): ScaleSpec {
  if (spec.type !== "scale_float") throw new ArgumentError("scale_float filter: no options");
  return spec;
}

/** Values of 4 bytes are taken as float32, of 8 as float64, whatever their type. */
function floatBytes(step: FilterStep): 4 | 8 {
  return datatypeInfo(step.datatype).bytes === 4 ? 4 : 8;
}

function floatsOf(bytes: Uint8Array, width: 4 | 8): Float32Array | Float64Array {
  return width === 4 ? viewAs(bytes, Float32Array) : viewAs(bytes, Float64Array);
}

function encode(values: Float32Array | Float64Array, data: Uint8Array, spec: ScaleSpec): void {
  const view = new DataView(data.buffer);
  const limit = 2 ** (spec.byteWidth * 8 - 1);
  const single = values instanceof Float32Array;
  // Float32 values are scaled in float32 arithmetic, as in the official library.
  const as = single ? Math.fround : (value: number) => value;
  const offset = as(spec.offset);
  const factor = as(spec.factor);
  for (let i = 0; i < values.length; i++) {
    const scaled = as(as(values[i]! - offset) / factor);
    const whole = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
    if (!(whole >= -limit && whole < limit)) {
      throw new ValueError(`scale_float filter: ${values[i]} does not fit in ${spec.byteWidth} bytes`);
    }
    setInteger(view, i, whole, spec.byteWidth);
  }
}

function setInteger(view: DataView, index: number, value: number, width: number): void {
  if (width === 1) view.setInt8(index, value);
  else if (width === 2) view.setInt16(index * 2, value, true);
  else if (width === 4) view.setInt32(index * 4, value, true);
  else view.setBigInt64(index * 8, BigInt(value), true);
}

function decode(data: Uint8Array, out: Float32Array | Float64Array, spec: ScaleSpec): void {
  const { factor, offset, byteWidth } = spec;
  const single = out instanceof Float32Array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let i = 0; i < out.length; i++) {
    const stored = getInteger(view, i, byteWidth);
    out[i] = factor * (single ? Math.fround(stored) : stored) + offset;
  }
}

function getInteger(view: DataView, index: number, width: number): number {
  if (width === 1) return view.getInt8(index);
  if (width === 2) return view.getInt16(index * 2, true);
  if (width === 4) return view.getInt32(index * 4, true);
  return view.getInt32(index * 8 + 4, true) * 0x100000000 + view.getUint32(index * 8, true);
}
