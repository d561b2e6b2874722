import { LimitError } from "../../errors.js";
import type { Attribute } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { bytesOf, type TypedArray, viewAs } from "../../util/typed-arrays.js";
import { allocate } from "../column-ops.js";
import type { Column } from "../columns.js";
import type { StoredField, VarCells } from "../directory/stored-field.js";
import { fillColumn } from "./block.js";
import { type CopyLayout, type DenseTile, forEachRun } from "./dense-sources.js";
import { joinRuns, onlyRun, type VarRun } from "./var-runs.js";

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

interface CellPlaces {
  /** 0 is the fill cell, n + 1 a cell of the part with number n. */
  readonly part: Uint32Array;
  readonly cell: Uint32Array;
}

/**
 * Cells of variable length, whose sizes are known only at the end: the runs that tiles give, or, where that is not enough,
 * for each cell its tile and place in it.
 */
class VarBuild implements DenseBuild {
  readonly #attribute: Attribute;
  readonly #count: number;
  /** While there are no places. */
  readonly #runs: VarRun[] = [];
  readonly #parts: VarCells[] = [];
  #places: CellPlaces | null = null;
  readonly #validity: Uint8Array | undefined;

  constructor(attribute: Attribute, count: number) {
    this.#attribute = attribute;
    this.#count = count;
    if (attribute.nullable) this.#validity = new Uint8Array(count).fill(attribute.fillValid ? 1 : 0);
  }

  put(tile: DenseTile, layout: CopyLayout, field: StoredField, stored: readonly Uint8Array[]): void {
    const run = this.#places === null ? onlyRun(tile, layout) : null;
    if (run !== null) {
      const cells = field.decodeVar(tile.tile, stored, [run.from, run.from + run.length]);
      this.#runs.push({ cells, to: run.to });
    } else {
      const { part, cell } = this.#startPlaces();
      this.#parts.push(field.decodeVar(tile.tile, stored));
      const number = this.#parts.length;
      forEachRun(tile.pieces, layout, (from, to, length, step) => {
        for (let i = 0; i < length; i++) {
          part[to + i * step] = number;
          cell[to + i * step] = from + i;
        }
      });
    }
    if (this.#validity === undefined) return;
    const validity = field.decodeValidity(tile.tile, stored);
    if (validity !== undefined) copyRuns(tile, layout, validity, this.#validity, 1);
    else setRuns(tile, layout, this.#validity, 1);
  }

  scatter(cells: Column, places: Float64Array): void {
    if (cells.kind !== "var") return;
    const { part, cell } = this.#startPlaces();
    this.#parts.push(cells);
    for (let i = 0; i < places.length; i++) {
      part[places[i]!] = this.#parts.length;
      cell[places[i]!] = i;
    }
    scatterValidity(cells, places, this.#validity);
  }

  clear(tile: DenseTile, layout: CopyLayout): void {
    setRuns(tile, layout, this.#startPlaces().part, 0);
    if (this.#validity !== undefined)
      setRuns(tile, layout, this.#validity, this.#attribute.fillValid ? 1 : 0);
  }

  finish(): Column {
    const { datatype, fill, name } = this.#attribute;
    const validity = this.#validity;
    const marks = validity && { validity };
    const count = this.#count;
    const joined = this.#places === null ? joinRuns(this.#runs, count, name) : null;
    if (joined !== null) return { kind: "var", datatype, ...joined, ...marks };
    const offsets = allocate(Uint32Array, count + 1, `'${name}'`);
    let size = 0;
    this.#forEachRun((cells, first, from, to) => {
      if (cells === null) {
        for (let i = from; i < to; i++) offsets[i + 1] = size += fill.byteLength;
        return;
      }
      const shift = size - cells.offsets[first]!;
      for (let i = from; i < to; i++) offsets[i + 1] = cells.offsets[first + i + 1 - from]! + shift;
      size = cells.offsets[first + to - from]! + shift;
    });
    if (size > 0xffffffff) throw new LimitError(`${size} bytes of '${name}' in one read, at most 4 GiB`);
    const data = allocate(Uint8Array, size, `'${name}'`);
    this.#forEachRun((cells, first, from, to) => {
      if (cells === null) for (let i = from; i < to; i++) data.set(fill, offsets[i]);
      else
        data.set(cells.data.subarray(cells.offsets[first], cells.offsets[first + to - from]), offsets[from]);
    });
    return { kind: "var", datatype, offsets, data, ...marks };
  }

  /** Where each cell comes from, from now on cell by cell. */
  #startPlaces(): CellPlaces {
    if (this.#places !== null) return this.#places;
    const { name } = this.#attribute;
    const part = allocate(Uint32Array, this.#count, `'${name}'`);
    const cell = allocate(Uint32Array, this.#count, `'${name}'`);
    for (const { cells, to } of this.#runs) {
      const end = to + cells.offsets.length - 1;
      part.fill(this.#parts.push(cells), to, end);
      for (let place = to; place < end; place++) cell[place] = place - to;
    }
    this.#places = { part, cell };
    return this.#places;
  }

  /** Cells `from` to `to`, exclusive, that lie side by side in a tile, from its cell `first` on; or fill cells. */
  #forEachRun(visit: (cells: VarCells | null, first: number, from: number, to: number) => void): void {
    const { part: parts, cell: places } = this.#startPlaces();
    for (let from = 0; from < parts.length; ) {
      const part = parts[from]!;
      const shift = places[from]! - from;
      let to = from + 1;
      while (to < parts.length && parts[to] === part && (part === 0 || places[to]! - to === shift)) to++;
      visit(part === 0 ? null : this.#parts[part - 1]!, places[from]!, from, to);
      from = to;
    }
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
