import type { ArraySchema, Attribute } from "../../format/array-schema.js";
import { VAR_NUM } from "../../format/datatype.js";
import { bytesOf } from "../../util/typed-arrays.js";
import { fixedColumn, repeatCell, repeatVarCell, selectCells, varColumn } from "../column-ops.js";
import type { Column } from "../columns.js";
import type { StoredField } from "../directory/stored-field.js";
import { compose, isAll, run, type Selection, selectionSize } from "./selection.js";
import type { SparseSource } from "./sparse-source.js";

/**
 * The wanted cells of one tile of a sparse fragment, and those of their columns that were read already. Blocks start
 * with all cells and are narrowed: by ranges, time, duplicates, condition.
 */
export class Block {
  readonly source: SparseSource;
  readonly tile: number;
  /** Columns read so far, of the selected cells. */
  readonly columns = new Map<string, Column>();
  #selection: Selection;

  constructor(source: SparseSource, tile: number) {
    this.source = source;
    this.tile = tile;
    this.#selection = run(0, source.fragment.cellsOf(tile));
  }

  /** Positions in the tile. */
  get selection(): Selection {
    return this.#selection;
  }

  get count(): number {
    return selectionSize(this.#selection);
  }

  /** True while every cell of the tile is selected. */
  get isWhole(): boolean {
    return isAll(this.#selection, this.source.fragment.cellsOf(this.tile));
  }

  /** Keeps some of the selected cells, by position in the selection. */
  keep(positions: Selection): void {
    if (isAll(positions, this.count)) return;
    this.#selection = compose(this.#selection, positions);
    for (const [name, column] of this.columns) this.columns.set(name, selectCells(column, positions));
  }
}

/** The selected cells of a block from the tile's stored bytes. */
export function decodeBlock(block: Block, field: StoredField, stored: readonly Uint8Array[]): Column {
  const { datatype, cellValNum, isVar } = field.field;
  const validity = field.decodeValidity(block.tile, stored);
  const whole = isVar
    ? varColumn(datatype, field.decodeVar(block.tile, stored), validity)
    : fixedColumn(datatype, cellValNum, field.decodeFixed(block.tile, stored), validity);
  return selectCells(whole, block.selection);
}

/**
 * A column that needs no bytes: of a dimension along which all cells of the tile have one coordinate (by its
 * rectangle), or of an attribute that was added after the fragment was written. Undefined for others.
 */
export function knownColumn(block: Block, schema: ArraySchema, name: string): Column | undefined {
  if (!isKnown(block, schema, name)) return undefined;
  const { source, tile, count } = block;
  const d = schema.dimensions.findIndex((dimension) => dimension.name === name);
  const bounds = source.tree.bounds[d];
  if (bounds === undefined) return fillColumn(schema.attributes.find((one) => one.name === name)!, count);
  if (bounds.kind === "text") return undefined;
  return repeatCell(schema.dimensions[d]!.datatype, 1, bytesOf(bounds.lo.subarray(tile, tile + 1)), count);
}

/** True if `knownColumn` has the column. */
export function isKnown({ source, tile }: Block, schema: ArraySchema, name: string): boolean {
  const d = schema.dimensions.findIndex((dimension) => dimension.name === name);
  if (d >= 0) {
    const bounds = source.tree.bounds[d]!;
    return bounds.kind === "fixed" && bounds.lo[tile] === bounds.hi[tile];
  }
  return schema.attributes.some((one) => one.name === name) && !source.fragment.hasField(name);
}

/** `count` fill cells of an attribute. */
export function fillColumn(attribute: Attribute, count: number): Column {
  const { datatype, cellValNum, fill, nullable, fillValid } = attribute;
  const column =
    cellValNum === VAR_NUM
      ? repeatVarCell(datatype, fill, count)
      : repeatCell(datatype, cellValNum, fill, count);
  if (!nullable) return column;
  return { ...column, validity: new Uint8Array(count).fill(fillValid ? 1 : 0) };
}
