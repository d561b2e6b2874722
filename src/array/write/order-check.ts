import { ArgumentError, ValueError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { textOfBytes } from "../../format/text-bytes.js";
import type { Column } from "../columns.js";
import { firstUnordered, hasOneTile, orderKeys } from "../order/sort-keys.js";

/** The coordinates of a cell as text: `(row=3, gene='A')`. */
function coordinatesText(schema: ArraySchema, coordinates: readonly Column[], cell: number): string {
  const parts = schema.dimensions.map(({ name }, d) => {
    const column = coordinates[d]!;
    if (column.kind === "fixed") return `${name}=${column.values[cell]}`;
    return `${name}='${textOfBytes(column.data.subarray(column.offsets[cell], column.offsets[cell + 1]))}'`;
  });
  return `(${parts.join(", ")})`;
}

export function duplicateError(
  schema: ArraySchema,
  coordinates: readonly Column[],
  cell: number,
  where: string,
): ValueError {
  const at = coordinatesText(schema, coordinates, cell);
  return new ValueError(`write: two cells have coordinates ${at}, and the array does not allow duplicates`, {
    where,
  });
}

/** Checks that blocks of cells follow each other in the array's global order, without copying coordinates. */
export class OrderCheck {
  readonly #schema: ArraySchema;
  readonly #allowEqual: boolean;
  readonly #where: string;
  readonly #coordinatesOnly: boolean;
  #last: readonly Column[] | null = null;

  constructor(schema: ArraySchema, allowEqual: boolean, where: string) {
    this.#schema = schema;
    this.#allowEqual = allowEqual;
    this.#where = where;
    this.#coordinatesOnly = schema.cellOrder !== "hilbert" && schema.dimensions.every(hasOneTile);
  }

  /** Throws ArgumentError (order) or ValueError (duplicate), naming the coordinates. */
  check(coordinates: readonly Column[], cellCount: number): void {
    if (cellCount === 0) return;
    if (this.#last !== null) {
      const joint = coordinates.map((column, d) => joinCells(this.#last![d]!, oneCell(column, 0)));
      this.#checkBlock(joint, 2);
    }
    this.#checkBlock(coordinates, cellCount);
    this.#last = coordinates.map((column) => oneCell(column, cellCount - 1));
  }

  #checkBlock(coordinates: readonly Column[], cellCount: number): void {
    const at = this.#coordinatesOnly
      ? firstUnorderedPair(this.#schema, coordinates, cellCount, this.#allowEqual)
      : firstUnordered(orderKeys(this.#schema, coordinates), cellCount, this.#allowEqual);
    if (at < 0) return;
    const here = coordinatesText(this.#schema, coordinates, at);
    const before = coordinatesText(this.#schema, coordinates, at - 1);
    if (here === before) throw duplicateError(this.#schema, coordinates, at, this.#where);
    throw new ArgumentError(`write: cell ${here} comes after ${before}, against the array's global order`, {
      where: this.#where,
    });
  }
}

/** The commonest case in one loop: two dimensions of up to 32 bits. */
function firstUnorderedPair(
  schema: ArraySchema,
  coordinates: readonly Column[],
  cellCount: number,
  allowEqual: boolean,
): number {
  const [first, second] = schema.cellOrder === "col-major" ? coordinates.toReversed() : coordinates;
  if (coordinates.length !== 2 || first?.kind !== "fixed" || second?.kind !== "fixed") {
    return firstUnordered(orderKeys(schema, coordinates), cellCount, allowEqual);
  }
  const [a, b] = [first.values, second.values];
  if (isBig(a) || isBig(b)) return firstUnordered(orderKeys(schema, coordinates), cellCount, allowEqual);
  const least = allowEqual ? 0 : Number.MIN_VALUE;
  for (let i = 1; i < cellCount; i++) {
    const difference = a[i]! - a[i - 1]!;
    if (difference > 0) continue;
    if (difference < 0 || b[i]! - b[i - 1]! < least) return i;
  }
  return -1;
}

function isBig(values: ArrayBufferView): values is BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

function oneCell(column: Column, cell: number): Column {
  if (column.kind === "fixed") return { ...column, values: column.values.slice(cell, cell + 1) };
  const data = column.data.slice(column.offsets[cell], column.offsets[cell + 1]);
  return { kind: "var", datatype: column.datatype, offsets: Uint32Array.of(0, data.byteLength), data };
}

/** Two columns of one cell each as one of two. */
function joinCells(a: Column, b: Column): Column {
  if (a.kind === "var" && b.kind === "var") {
    const data = new Uint8Array(a.data.byteLength + b.data.byteLength);
    data.set(a.data);
    data.set(b.data, a.data.byteLength);
    return { ...a, offsets: Uint32Array.of(0, a.data.byteLength, data.byteLength), data };
  }
  if (a.kind === "var" || b.kind === "var") throw new ArgumentError("write: cells of two kinds");
  const values = a.values.slice(0, 1);
  const both = new (values.constructor as new (length: number) => typeof values)(2);
  both[0] = a.values[0]!;
  both[1] = b.values[0]!;
  return { ...a, values: both };
}
