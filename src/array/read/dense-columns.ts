import { LimitError } from "../../errors.js";
import type { Attribute } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { bytesOf, type TypedArray, viewAs } from "../../util/typed-arrays.js";
import { allocate } from "../column-ops.js";
import type { Column } from "../columns.js";
import type { StoredField, VarCells } from "../directory/stored-field.js";
import { fillColumn } from "./block.js";
import { type CopyLayout, type DenseTile, forEachRun } from "./dense-sources.js";

/** The columns of a dense read under construction: fill values first, then tile after tile, newer over older. */
export interface DenseBuild {
  /** Takes the cells of a tile. */
  put(tile: DenseTile, layout: CopyLayout, field: StoredField, stored: readonly Uint8Array[]): void;
  /** Puts cell i of the column at `places[i]`. */
  scatter(cells: Column, places: Float64Array): void;
  /** Fills the cells of a tile of a fragment that has no such attribute. */
  clear(tile: DenseTile, layout: CopyLayout): void;
  finish(): Column;
}

export function denseBuild(attribute: Attribute, count: number): DenseBuild {
  return attribute.cellValNum === VAR_NUM ? new VarBuild(attribute, count) : new FixedBuild(attribute, count);
}

class FixedBuild implements DenseBuild {
  readonly #attribute: Attribute;
  readonly #values: TypedArray;
  readonly #validity: Uint8Array | undefined;

  constructor(attribute: Attribute, count: number) {
    const column = fillColumn(attribute, count);
    this.#attribute = attribute;
    this.#values = column.kind === "fixed" ? column.values : new Uint8Array(0);
    this.#validity = column.validity;
  }

  put(tile: DenseTile, layout: CopyLayout, field: StoredField, stored: readonly Uint8Array[]): void {
    const { datatype, cellValNum } = this.#attribute;
    const cells = viewAs(field.decodeFixed(tile.tile, stored), datatypeInfo(datatype).array);
    copyRuns(tile, layout, cells, this.#values, cellValNum);
    if (this.#validity === undefined) return;
    const validity = field.decodeValidity(tile.tile, stored);
    if (validity !== undefined) copyRuns(tile, layout, validity, this.#validity, 1);
    else setRuns(tile, layout, this.#validity, 1);
  }

  scatter(cells: Column, places: Float64Array): void {
    if (cells.kind === "var") return;
    const { cellValNum } = this.#attribute;
    for (let i = 0; i < places.length; i++) {
      const [from, to] = [i * cellValNum, places[i]! * cellValNum];
      for (let v = 0; v < cellValNum; v++) this.#values[to + v] = cells.values[from + v]!;
    }
    scatterValidity(cells, places, this.#validity);
  }

  clear(tile: DenseTile, layout: CopyLayout): void {
    const { datatype, cellValNum, fill, fillValid } = this.#attribute;
    const cell = viewAs(fill, datatypeInfo(datatype).array);
    forEachRun(tile.pieces, layout, (_, to, length, step) => {
      for (let i = 0; i < length; i++) this.#values.set(cell as never, (to + i * step) * cellValNum);
    });
    if (this.#validity !== undefined) setRuns(tile, layout, this.#validity, fillValid ? 1 : 0);
  }

  finish(): Column {
    const { datatype, cellValNum } = this.#attribute;
    const validity = this.#validity;
    return { kind: "fixed", datatype, cellValNum, values: this.#values, ...(validity && { validity }) };
  }
}

/** Cells of variable length: for each cell its tile and place in it, since sizes are known only at the end. */
class VarBuild implements DenseBuild {
  readonly #attribute: Attribute;
  /** 0 is the fill cell, n + 1 a cell of #parts[n]. */
  readonly #part: Uint32Array;
  readonly #cell: Uint32Array;
  readonly #parts: VarCells[] = [];
  readonly #validity: Uint8Array | undefined;

  constructor(attribute: Attribute, count: number) {
    this.#attribute = attribute;
    this.#part = allocate(Uint32Array, count, `'${attribute.name}'`);
    this.#cell = allocate(Uint32Array, count, `'${attribute.name}'`);
    if (attribute.nullable) this.#validity = new Uint8Array(count).fill(attribute.fillValid ? 1 : 0);
  }

  put(tile: DenseTile, layout: CopyLayout, field: StoredField, stored: readonly Uint8Array[]): void {
    this.#parts.push(field.decodeVar(tile.tile, stored));
    const part = this.#parts.length;
    forEachRun(tile.pieces, layout, (from, to, length, step) => {
      for (let i = 0; i < length; i++) {
        this.#part[to + i * step] = part;
        this.#cell[to + i * step] = from + i;
      }
    });
    if (this.#validity === undefined) return;
    const validity = field.decodeValidity(tile.tile, stored);
    if (validity !== undefined) copyRuns(tile, layout, validity, this.#validity, 1);
    else setRuns(tile, layout, this.#validity, 1);
  }

  scatter(cells: Column, places: Float64Array): void {
    if (cells.kind !== "var") return;
    this.#parts.push(cells);
    const part = this.#parts.length;
    for (let i = 0; i < places.length; i++) {
      this.#part[places[i]!] = part;
      this.#cell[places[i]!] = i;
    }
    scatterValidity(cells, places, this.#validity);
  }

  clear(tile: DenseTile, layout: CopyLayout): void {
    setRuns(tile, layout, this.#part, 0);
    if (this.#validity !== undefined)
      setRuns(tile, layout, this.#validity, this.#attribute.fillValid ? 1 : 0);
  }

  finish(): Column {
    const { datatype, fill, name } = this.#attribute;
    const count = this.#part.length;
    const offsets = allocate(Uint32Array, count + 1, `'${name}'`);
    let size = 0;
    for (let i = 0; i < count; i++) {
      const cells = this.#cells(i);
      const cell = this.#cell[i]!;
      size += cells === null ? fill.byteLength : cells.offsets[cell + 1]! - cells.offsets[cell]!;
      offsets[i + 1] = size;
    }
    if (size > 0xffffffff) throw new LimitError(`${size} bytes of '${name}' in one read, at most 4 GiB`);
    const data = allocate(Uint8Array, size, `'${name}'`);
    for (let i = 0; i < count; i++) {
      const cells = this.#cells(i);
      const cell = this.#cell[i]!;
      if (cells === null) data.set(fill, offsets[i]);
      else data.set(cells.data.subarray(cells.offsets[cell], cells.offsets[cell + 1]), offsets[i]);
    }
    const validity = this.#validity;
    return { kind: "var", datatype, offsets, data, ...(validity && { validity }) };
  }

  #cells(i: number): VarCells | null {
    const part = this.#part[i]!;
    return part === 0 ? null : this.#parts[part - 1]!;
  }
}

function copyRuns(
  tile: DenseTile,
  layout: CopyLayout,
  from: TypedArray,
  to: TypedArray,
  perCell: number,
): void {
  const source = bytesOf(from);
  const target = bytesOf(to);
  const width = from.BYTES_PER_ELEMENT * perCell;
  forEachRun(tile.pieces, layout, (start, position, length, step) => {
    // Short runs are copied cell by cell: a view costs more.
    if (step === 1 && length * width >= 128) {
      target.set(source.subarray(start * width, (start + length) * width), position * width);
    } else {
      for (let i = 0; i < length; i++) {
        const at = (start + i) * perCell;
        const into = (position + i * step) * perCell;
        for (let v = 0; v < perCell; v++) to[into + v] = from[at + v]!;
      }
    }
  });
}

/** Cells of a column without validity are valid. */
function scatterValidity(cells: Column, places: Float64Array, validity: Uint8Array | undefined): void {
  if (validity === undefined) return;
  for (let i = 0; i < places.length; i++) validity[places[i]!] = cells.validity?.[i] ?? 1;
}

function setRuns(tile: DenseTile, layout: CopyLayout, to: TypedArray, value: number): void {
  forEachRun(tile.pieces, layout, (_, position, length, step) => {
    for (let i = 0; i < length; i++) to[position + i * step] = value;
  });
}
