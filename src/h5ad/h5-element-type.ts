import type { TypedArray } from "../util/typed-arrays.js";
import { H5_CLASS, type H5Module } from "./h5-file.js";
import { dtypeOf } from "./matrix.js";

/** What h5wasm wants to know of a dataset or attribute that is to be made. */

export type WriteMetadata = Parameters<H5Module["create_dataset"]>[3] & {
  chunks: bigint[] | null;
  compression: number;
  compression_opts: number[];
};

export type ElementType = Pick<WriteMetadata, "type" | "size" | "signed" | "vlen" | "littleEndian"> &
  Partial<Pick<WriteMetadata, "cset" | "compound_type">>;

export const TEXT: ElementType = {
  type: H5_CLASS.string,
  size: 4,
  signed: false,
  vlen: true,
  littleEndian: true,
  cset: 1,
};

const INT8 = { type: H5_CLASS.integer, size: 1, signed: true, vlen: false, littleEndian: true };

/** Takes at least as many bytes in a header as the enumeration that replaces it. */
export const BOOLEAN_STAND_IN: ElementType = {
  ...INT8,
  type: H5_CLASS.compound,
  compound_type: {
    nmembers: 1,
    members: [
      { ...INT8, name: "boolean", offset: 0, shape: [], maxshape: null, chunks: null, total_size: 1 },
    ],
  },
};

export function numberType(values: TypedArray): ElementType {
  const dtype = dtypeOf(values);
  return {
    type: dtype.startsWith("float") ? H5_CLASS.float : H5_CLASS.integer,
    size: values.BYTES_PER_ELEMENT,
    signed: dtype.startsWith("int"),
    vlen: false,
    littleEndian: true,
  };
}

export function describe(type: ElementType, shape: bigint[]): WriteMetadata {
  const total = shape.reduce((product, length) => product * length, 1n);
  return {
    ...type,
    total_size: Number(total),
    shape,
    maxshape: shape,
    chunks: null,
    compression: 0,
    compression_opts: [],
  };
}
