import { ArgumentError, ValueError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column, FixedColumn, VarColumn } from "../columns.js";
import type { Field } from "../fields.js";
import { columnOfList } from "./list-input.js";
import type { CellsInput, ColumnInput } from "./write-types.js";

/**
 * Checks what callers hand over as cells and brings it into columns of the fields' own types, before a byte is
 * written. Typed arrays are taken as they are, without a copy; of nullable fields the result always has a validity.
 */

export interface Cells {
  readonly cellCount: number;
  /** In the order of the fields asked for. */
  readonly columns: readonly Column[];
}

/** Throws ArgumentError (missing or unknown field, wrong array type, lengths) or ValueError (a value, by cell). */
export function checkCells(fields: readonly Field[], input: CellsInput, where: string): Cells {
  for (const name of Object.keys(input)) {
    if (fields.some((field) => field.name === name)) continue;
    const known = fields.map((field) => `'${field.name}'`).join(", ");
    throw new ArgumentError(`write: no field '${name}', expected ${known}`, { where });
  }
  let cellCount = -1;
  let first = "";
  const columns = fields.map((field) => {
    const given = Object.hasOwn(input, field.name) ? input[field.name] : undefined;
    if (given === undefined) {
      throw new ArgumentError(`write: cells of ${field.kind} '${field.name}' are missing`, { where });
    }
    const column = checkColumn(field, given, where);
    const cells = cellsOf(column);
    if (cellCount < 0) [cellCount, first] = [cells, field.name];
    if (cells !== cellCount) {
      throw new ArgumentError(`write: '${field.name}' has ${cells} cells, '${first}' has ${cellCount}`, {
        where,
      });
    }
    return column;
  });
  return { cellCount: Math.max(cellCount, 0), columns };
}

/** Cells of a column. */
export function cellsOf(column: Column): number {
  return column.kind === "var" ? column.offsets.length - 1 : column.values.length / column.cellValNum;
}

function isColumn(input: ColumnInput): input is Column {
  return !Array.isArray(input) && !ArrayBuffer.isView(input) && "kind" in input;
}

function checkColumn(field: Field, input: ColumnInput, where: string): Column {
  if (isColumn(input)) {
    if (input.datatype !== field.datatype) throw wrongType(field, `a column of ${input.datatype}`, where);
    if (input.kind === "var") return checkVar(field, input, where);
    return checkFixed(field, input.values, input.validity, where);
  }
  if (ArrayBuffer.isView(input)) return checkFixed(field, input as TypedArray, undefined, where);
  if (!Array.isArray(input)) throw wrongType(field, typeof input, where);
  return checkColumn(field, columnOfList(field, input, where), where);
}

function wrongType(field: Field, found: string, where: string): ArgumentError {
  const { datatype, name, kind, isVar, cellValNum } = field;
  const array = datatypeInfo(datatype).array.name;
  const shape = isVar ? "a list or a variable-length column" : `a list or ${array}`;
  const values = isVar ? "var" : cellValNum;
  return new ArgumentError(
    `write: ${kind} '${name}' (${datatype}, ${values} values per cell) needs ${shape}, found ${found}`,
    { where },
  );
}

function checkFixed(
  field: Field,
  values: TypedArray,
  validity: Uint8Array | undefined,
  where: string,
): FixedColumn {
  if (field.isVar) throw wrongType(field, `${values.constructor.name} without offsets`, where);
  if (!(values instanceof datatypeInfo(field.datatype).array)) {
    throw wrongType(field, values.constructor.name, where);
  }
  const cells = values.length / field.cellValNum;
  if (!Number.isInteger(cells)) {
    throw new ArgumentError(
      `write: '${field.name}' has ${values.length} values, which is no multiple of ${field.cellValNum} per cell`,
      { where },
    );
  }
  if (field.datatype === "string_ascii") checkAscii(field, values as Uint8Array, null, where);
  const { datatype, cellValNum } = field;
  return { kind: "fixed", datatype, cellValNum, values, ...checkValidity(field, validity, cells, where) };
}

function checkVar(field: Field, column: VarColumn, where: string): VarColumn {
  if (!field.isVar) throw wrongType(field, "a variable-length column", where);
  const { offsets, data } = column;
  const { bytes } = datatypeInfo(field.datatype);
  if (offsets.length === 0) throw new ArgumentError(`write: '${field.name}' has no offsets`, { where });
  let before = offsets[0]!;
  for (let cell = 1; cell < offsets.length; cell++) {
    const next = offsets[cell]!;
    if (next < before || (next - before) % bytes !== 0) {
      throw new ArgumentError(
        `write: offsets of '${field.name}' give cell ${cell - 1} bytes ${before} to ${next}, no ${field.datatype} text or values`,
        { where },
      );
    }
    before = next;
  }
  if (before > data.byteLength) {
    throw new ArgumentError(`write: offsets of '${field.name}' end at byte ${before} of ${data.byteLength}`, {
      where,
    });
  }
  if (field.datatype === "string_ascii") checkAscii(field, data.subarray(0, before), offsets, where);
  const { datatype } = field;
  const nulls = checkValidity(field, column.validity, offsets.length - 1, where);
  return { kind: "var", datatype, offsets, data, ...nulls };
}

/** Bytes from 128 on are no ASCII: other readers would refuse the column or show other text. */
function checkAscii(field: Field, data: Uint8Array, offsets: Uint32Array | null, where: string): void {
  for (let at = offsets?.[0] ?? 0; at < data.byteLength; at++) {
    if (data[at]! < 0x80) continue;
    const cell = offsets === null ? Math.floor(at / field.cellValNum) : cellAt(offsets, at);
    throw new ValueError(
      `write: '${field.name}' is ASCII, cell ${cell} has byte ${data[at]} (use string_utf8 for other text)`,
      { where },
    );
  }
}

function cellAt(offsets: Uint32Array, byte: number): number {
  return offsets.findIndex((offset) => offset > byte) - 1;
}

function checkValidity(
  field: Field,
  validity: Uint8Array | undefined,
  cells: number,
  where: string,
): { validity?: Uint8Array } {
  if (validity === undefined) return field.nullable ? { validity: new Uint8Array(cells).fill(1) } : {};
  if (validity.length !== cells) {
    throw new ArgumentError(
      `write: '${field.name}' has ${cells} cells and a validity of ${validity.length}`,
      { where },
    );
  }
  if (field.nullable) return { validity };
  const missing = validity.indexOf(0);
  if (missing < 0) return {};
  throw new ValueError(`write: '${field.name}' is not nullable, cell ${missing} is null`, { where });
}
