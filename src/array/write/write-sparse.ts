import { WRITE_VERSION } from "../../format/version.js";
import type { StoreLocation } from "../../storage/types.js";
import { takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { firstDuplicate, sortOrder } from "../order/sort-cells.js";
import { sortKeys } from "../order/sort-keys.js";
import { checkCells } from "./column-input.js";
import { checkSparse, type FragmentWriter, fragmentWriterIn, sparseFields } from "./fragment-writer.js";
import { newName, writeTime } from "./new-name.js";
import { duplicateError } from "./order-check.js";
import { checkDomain } from "./tile-bounds.js";
import { openTarget } from "./write-target.js";
import type { CellsInput, WriteOptions } from "./write-types.js";

/** Cells that are gathered at once, so that a sorted copy of all cells is never in memory. */
const GATHER_CELLS = 1 << 17;

/**
 * Writes cells in any order to a sparse array, as one fragment. Nothing is written if a cell is wrong: ArgumentError
 * (fields, types, lengths), ValueError (a value, or two cells with the same coordinates where the array does not allow
 * that), OutOfDomainError.
 *
 * @param cells a column per dimension and attribute
 * @returns the fragment's URI, or null where there are no cells: then there is no fragment
 */
export async function writeSparse(
  location: string | StoreLocation,
  cells: CellsInput,
  options: WriteOptions = {},
): Promise<string | null> {
  const time = writeTime(options.timestamp);
  const target = await openTarget(location, options);
  checkSparse(target);
  const { schema, uri } = target;
  const { columns, cellCount } = checkCells(sparseFields(schema), cells, uri);
  const coordinates = columns.slice(0, schema.dimensions.length);
  schema.dimensions.forEach((dimension, d) => {
    checkDomain(dimension, coordinates[d]!, uri);
  });
  if (cellCount === 0) return null;
  const keys = sortKeys(schema, coordinates);
  const order = sortOrder(keys);
  const duplicate = schema.allowsDuplicates ? -1 : firstDuplicate(keys, order);
  if (duplicate >= 0) throw duplicateError(schema, coordinates, order?.[duplicate] ?? duplicate, uri);
  const writer = await fragmentWriterIn(target, newName(time, WRITE_VERSION), { signal: options.signal });
  try {
    await appendInOrder(writer, columns, cellCount, order);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer.finish();
}

async function appendInOrder(
  writer: FragmentWriter,
  columns: readonly Column[],
  cellCount: number,
  order: Uint32Array | null,
): Promise<void> {
  if (order === null) return writer.appendChecked(columns, cellCount);
  for (let start = 0; start < cellCount; start += GATHER_CELLS) {
    const part = order.subarray(start, start + GATHER_CELLS);
    await writer.appendChecked(
      columns.map((column) => takeCells(column, part)),
      part.length,
    );
  }
}
