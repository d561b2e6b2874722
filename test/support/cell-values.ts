import { type Column, type Datatype, datatypeInfo, type TypedArray } from "../../src/tiledb.js";

/**
 * Values that property tests draw as plain integers: small ones stand for a type's edge cases, the others for
 * pseudo-random values, so that a failing case shrinks towards edges and is small to print.
 */

export const WORDS = ["", "a", "B", "lung", "T cell", "x".repeat(70), "0", "~"];
export const WIDE_WORDS = [...WORDS, "naïve", "日本", "🧬"];

/** 32 pseudo-random bits of a number. */
export function scramble(seed: number): number {
  let x = (seed ^ 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

const FLOAT_EDGES = [
  0,
  1,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  3.4e38,
  1e-40,
];

/** Sets one value of an array of a datatype. */
function setValue(array: TypedArray, at: number, datatype: Datatype, seed: number): void {
  const { kind, bytes } = datatypeInfo(datatype);
  if (kind === "bool") array[at] = seed & 1;
  else if (kind === "float") array[at] = FLOAT_EDGES[seed] ?? (scramble(seed) / 2 ** 32 - 0.5) * 1e6;
  else if (kind === "string" || kind === "char") array[at] = 0x61 + (scramble(seed) % 26);
  else if (array instanceof BigInt64Array || array instanceof BigUint64Array)
    array[at] = bigValue(kind, seed);
  else array[at] = smallValue(bytes, kind === "int", seed);
}

function bigValue(kind: string, seed: number): bigint {
  const low = kind === "uint" ? 0n : -(1n << 63n);
  const edges = [0n, 1n, low, low + (1n << 64n) - 1n, 1n << 53n];
  return edges[seed] ?? low + BigInt(scramble(seed)) * BigInt(scramble(seed + 1)) + BigInt(seed);
}

function smallValue(bytes: number, signed: boolean, seed: number): number {
  const low = signed ? -(2 ** (bytes * 8 - 1)) : 0;
  const edges = [0, 1, low, low + 2 ** (bytes * 8) - 1];
  // Half of them small, as counts are.
  return edges[seed] ?? (seed % 2 === 0 ? seed % 50 : low + (scramble(seed) % 2 ** (bytes * 8)));
}

export interface FieldShape {
  readonly datatype: Datatype;
  readonly cellValNum: number | "var";
  readonly nullable: boolean;
}

/** A column with one cell per seed; every fourth cell of a nullable field is null. */
export function columnOf(field: FieldShape, seeds: readonly number[]): Column {
  const { datatype, cellValNum, nullable } = field;
  const isNull = (seed: number) => nullable && scramble(seed) % 4 === 0;
  const validity = nullable ? { validity: Uint8Array.from(seeds, (seed) => (isNull(seed) ? 0 : 1)) } : {};
  if (cellValNum === "var") {
    const cells = seeds.map((seed) => (isNull(seed) ? new Uint8Array(0) : varCell(datatype, seed)));
    return { ...varColumn(datatype, cells), ...validity };
  }
  const values = new (datatypeInfo(datatype).array)(seeds.length * cellValNum);
  for (let i = 0; i < values.length; i++) {
    setValue(values, i, datatype, seeds[Math.floor(i / cellValNum)]! + (i % cellValNum));
  }
  return { kind: "fixed", datatype, cellValNum, values, ...validity };
}

function varCell(datatype: Datatype, seed: number): Uint8Array {
  const { array, kind, bytes } = datatypeInfo(datatype);
  if ((kind === "string" || kind === "char") && bytes === 1) {
    const words = datatype === "string_utf8" ? WIDE_WORDS : WORDS;
    return new TextEncoder().encode(words[seed % words.length]!);
  }
  const values = new array(scramble(seed) % 4);
  for (let i = 0; i < values.length; i++) setValue(values, i, datatype, seed + i);
  return new Uint8Array(values.buffer);
}

/** A variable-length column of cells' bytes. */
export function varColumn(datatype: Datatype, cells: readonly Uint8Array[]) {
  const offsets = new Uint32Array(cells.length + 1);
  for (const [i, cell] of cells.entries()) offsets[i + 1] = offsets[i]! + cell.byteLength;
  const data = new Uint8Array(offsets[cells.length]!);
  for (const [i, cell] of cells.entries()) data.set(cell, offsets[i]!);
  return { kind: "var", datatype, offsets, data } as const;
}
