import type { ArraySchema } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import { allocate, concatColumns, copyCells, fixedColumn, takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { type StoredField, storedField } from "../directory/stored-field.js";
import { type Block, decodeBlock, isKnown, knownColumn } from "./block.js";
import { type FetchOptions, fetchTiles, type TileRequest } from "./tile-fetch.js";

/** From blocks to columns: of single blocks for those who decide, of all blocks for the result. */

/** What it needs to know of a field of the array. */
export interface FieldShape {
  readonly name: string;
  readonly datatype: TypeOf;
  readonly cellValNum: number;
  readonly nullable: boolean;
}
type TypeOf = ArraySchema["dimensions"][number]["datatype"];

function fieldShape(schema: ArraySchema, name: string): FieldShape {
  const attribute = schema.attributes.find((one) => one.name === name);
  if (attribute !== undefined) return attribute;
  return { ...schema.dimensions.find((one) => one.name === name)!, nullable: false };
}

/** Reads a field for each of the blocks that do not have it yet; `each` is called as they come. */
export async function loadColumn(
  blocks: readonly Block[],
  schema: ArraySchema,
  name: string,
  options: FetchOptions,
  each: (block: Block, column: Column) => void,
): Promise<void> {
  const missing: Block[] = [];
  for (const block of blocks) {
    const known = block.columns.get(name) ?? knownColumn(block, schema, name);
    if (known === undefined) missing.push(block);
    else each(block, known);
  }
  const parts = await blockFields(missing, name, options);
  const decode: DecodeBlock = (block, field, stored) => each(block, decodeBlock(block, field, stored));
  await fetchTiles(
    parts.map((part) => requestOf(part, decode)),
    options,
  );
}

type DecodeBlock = (block: Block, field: StoredField, stored: readonly Uint8Array[]) => void;

/** A field of one fragment, and the blocks that want it. */
interface BlockField {
  readonly field: StoredField;
  readonly byTile: ReadonlyMap<number, Block>;
  /** Ascending. */
  readonly tiles: readonly number[];
}

/** One per fragment; tiles of a fragment occur in one block only. */
async function blockFields(
  blocks: readonly Block[],
  name: string,
  options: FetchOptions,
): Promise<BlockField[]> {
  const groups = new Map<Block["source"], Map<number, Block>>();
  for (const block of blocks) {
    const group = groups.get(block.source);
    if (group === undefined) groups.set(block.source, new Map([[block.tile, block]]));
    else group.set(block.tile, block);
  }
  return Promise.all(
    Array.from(groups, async ([source, byTile]) => {
      const field = await storedField(source.fragment, name, { signal: options.signal });
      return { field, byTile, tiles: Array.from(byTile.keys()).sort((a, b) => a - b) };
    }),
  );
}

function requestOf({ field, byTile, tiles }: BlockField, decode: DecodeBlock): TileRequest {
  return { field, tiles, decode: (t, stored) => decode(byTile.get(t)!, field, stored) };
}

/**
 * The result's columns: the cells of all blocks, one block after the other, or in `order` (positions in that sequence)
 * where it is not null.
 */
export async function assemble(
  blocks: readonly Block[],
  schema: ArraySchema,
  names: readonly string[],
  order: Uint32Array | null,
  options: FetchOptions,
): Promise<Record<string, Column>> {
  const starts = new Map<Block, number>();
  let count = 0;
  for (const block of blocks) {
    starts.set(block, count);
    count += block.count;
  }
  const requests: TileRequest[] = [];
  const finished: (() => [string, Column])[] = [];
  for (const name of names) {
    const shape = fieldShape(schema, name);
    const missing = blocks.filter((block) => !block.columns.has(name) && !isKnown(block, schema, name));
    const parts = await blockFields(missing, name, options);
    // Before memory is taken for all cells that the footers claim.
    for (const { field, tiles } of parts) for (const t of tiles) field.checkClaim(t);
    const build = shape.cellValNum === VAR_NUM ? new VarBuild(shape) : new FixedBuild(shape, count);
    for (const block of blocks) {
      const known = block.columns.get(name) ?? knownColumn(block, schema, name);
      if (known !== undefined) build.put(block, starts.get(block)!, known);
    }
    const decode: DecodeBlock = (block, field, stored) =>
      build.decode(block, starts.get(block)!, field, stored);
    requests.push(...parts.map((part) => requestOf(part, decode)));
    finished.push(() => {
      const column = build.finish(blocks);
      return [name, order === null ? column : takeCells(column, order)];
    });
  }
  await fetchTiles(requests, options);
  return Object.fromEntries(finished.map((finish) => finish()));
}

/** A column of fixed cells in its final memory: whole tiles are decoded straight into it. */
class FixedBuild {
  readonly #shape: FieldShape;
  readonly #values: TypedArray;
  readonly #validity: Uint8Array | undefined;

  constructor(shape: FieldShape, count: number) {
    this.#shape = shape;
    const type = datatypeInfo(shape.datatype).array;
    this.#values = allocate(type, count * shape.cellValNum, `'${shape.name}'`);
    // Cells of a fragment in which the attribute was not yet nullable are valid.
    this.#validity = shape.nullable ? allocate(Uint8Array, count, `'${shape.name}'`).fill(1) : undefined;
  }

  put(_block: Block, start: number, column: Column): void {
    if (column.kind !== "fixed") return;
    bytesOf(this.#values).set(bytesOf(column.values), start * this.#cellBytes);
    if (column.validity !== undefined) this.#validity?.set(column.validity, start);
  }

  decode(block: Block, start: number, field: StoredField, stored: readonly Uint8Array[]): void {
    if (block.isWhole) {
      const bytes = bytesOf(this.#values);
      const at = start * this.#cellBytes;
      field.decodeFixed(block.tile, stored, bytes.subarray(at, at + block.count * this.#cellBytes));
      if (field.field.nullable && this.#validity !== undefined) {
        field.decodeValidity(block.tile, stored, this.#validity.subarray(start, start + block.count));
      }
      return;
    }
    const { datatype, cellValNum } = this.#shape;
    const tile = fixedColumn(datatype, cellValNum, field.decodeFixed(block.tile, stored));
    this.#copy(tile.values, this.#values, cellValNum, block, start);
    const validity = field.decodeValidity(block.tile, stored);
    if (validity !== undefined && this.#validity !== undefined) {
      this.#copy(validity, this.#validity, 1, block, start);
    }
  }

  finish(): Column {
    const { datatype, cellValNum } = this.#shape;
    const validity = this.#validity;
    return { kind: "fixed", datatype, cellValNum, values: this.#values, ...(validity && { validity }) };
  }

  get #cellBytes(): number {
    return this.#values.BYTES_PER_ELEMENT * this.#shape.cellValNum;
  }

  #copy(from: TypedArray, to: TypedArray, perCell: number, { selection }: Block, start: number): void {
    if (selection.kind === "list") copyCells(from, selection.cells, perCell, to, start);
    else {
      const bytes = bytesOf(from.subarray(selection.from * perCell, selection.to * perCell));
      bytesOf(to).set(bytes, start * perCell * to.BYTES_PER_ELEMENT);
    }
  }
}

/** A column of cells of variable length: its size is known once every block was decoded. */
class VarBuild {
  readonly #shape: FieldShape;
  readonly #parts = new Map<Block, Column>();

  constructor(shape: FieldShape) {
    this.#shape = shape;
  }

  put(block: Block, _start: number, column: Column): void {
    this.#parts.set(block, column);
  }

  decode(block: Block, _start: number, field: StoredField, stored: readonly Uint8Array[]): void {
    this.#parts.set(block, decodeBlock(block, field, stored));
  }

  finish(blocks: readonly Block[]): Column {
    const parts = blocks.map((block) => this.#parts.get(block)!);
    const column: Column = parts.length > 0 ? concatColumns(parts) : emptyVar(this.#shape);
    if (!this.#shape.nullable || column.validity !== undefined) return column;
    return {
      ...column,
      validity: new Uint8Array(column.kind === "var" ? column.offsets.length - 1 : 0).fill(1),
    };
  }
}

function emptyVar({ datatype }: FieldShape): Column {
  return { kind: "var", datatype, offsets: new Uint32Array(1), data: new Uint8Array(0) };
}
