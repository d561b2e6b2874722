import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { compareText, textOfBytes } from "../../format/text-bytes.js";
import { viewAs } from "../../util/typed-arrays.js";
import { columnCells } from "../column-ops.js";
import { cellScalars } from "../column-values.js";
import type { Column } from "../columns.js";
import { statisticsOf } from "../directory/field-statistics.js";
import type { OpenedArray } from "../opened-array.js";
import type { AggregateResult, FieldAggregates } from "../query.js";
import { Block } from "./block.js";
import { withoutSorting } from "./merge-fragments.js";
import { readDense } from "./read-dense.js";
import { readSources, sparseSources } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { isCovered, type SparseSource } from "./sparse-source.js";

/**
 * Count, sum, min, max, mean and nulls over a query. Tiles of sparse arrays that the ranges cover whole are known by
 * their statistics, where nothing but the ranges decides about their cells; the others are read.
 */
export async function aggregate(array: OpenedArray, query: ResolvedQuery): Promise<AggregateResult> {
  const { schema } = array;
  const totals = new Map(query.attributes.map((name) => [name, new Totals()]));
  const options = { signal: query.signal };
  if (schema.arrayType === "dense") {
    const { cellCount, columns } = await readDense(array, { ...query, dimensions: [] }, options);
    for (const [name, total] of totals) total.addColumn(columns[name]!);
    return resultOf(cellCount, totals);
  }
  const sources = await sparseSources(array, query);
  const known = onlyRangesDecide(array, query, sources);
  let count = 0;
  const rest: SparseSource[] = [];
  for (const source of sources) {
    const { fragment } = source;
    const covered = known(source) ? source.tiles.filter((t) => isCovered(source, t)) : [];
    const unknown = new Set(source.tiles);
    for (const t of covered) {
      if (!(await addTile(array, source, t, totals, query.signal))) continue;
      count += fragment.cellsOf(t);
      unknown.delete(t);
    }
    if (unknown.size > 0) rest.push({ ...source, tiles: [...unknown] });
  }
  if (rest.length === 0) return resultOf(count, totals);
  const { cellCount, columns } = await readSources(array, { ...query, dimensions: [] }, rest, options);
  for (const [name, total] of totals) total.addColumn(columns[name]!);
  return resultOf(count + cellCount, totals);
}

/** Whether neither condition, deletes, time nor newer cells take cells out of a fragment's tiles. */
function onlyRangesDecide(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
): (source: SparseSource) => boolean {
  const { schema, window, deletes } = array;
  const blocks = sources.flatMap((source) => source.tiles.map((tile) => new Block(source, tile)));
  // Duplicates are told apart by sorting: where that is not needed, there are none.
  const unique = schema.allowsDuplicates || withoutSorting(blocks, schema, query.order) !== null;
  if (query.condition !== null || deletes.length > 0 || !unique) return () => false;
  return ({ fragment: { footer, files } }) => {
    const isPartlySeen = footer.hasTimestamps && (files.start < window.start || files.end > window.end);
    return !isPartlySeen && !footer.hasDeleteMetadata;
  };
}

/** Adds a whole tile by its statistics to all totals, or to none and gives false. */
async function addTile(
  { schema }: OpenedArray,
  { fragment }: SparseSource,
  t: number,
  totals: ReadonlyMap<string, Totals>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const adds: (() => void)[] = [];
  for (const [name, total] of totals) {
    const attribute = schema.attributes.find((one) => one.name === name)!;
    const { array, kind } = datatypeInfo(attribute.datatype);
    if (!fragment.hasField(name) || fragment.evolvedAttribute(name) !== undefined) return false;
    const isText = kind === "char" || kind === "string";
    if (isText ? attribute.cellValNum === VAR_NUM : attribute.cellValNum !== 1) return false;
    const statistics = await statisticsOf(fragment, name, { signal });
    const [min, max] = [statistics.min(t), statistics.max(t)];
    const [sum, nulls] = [statistics.sum(t), statistics.nullCount(t)];
    if (min === null || max === null || nulls === null) return false;
    const valid = fragment.cellsOf(t) - nulls;
    if (isText) {
      // Bounds of texts compare up to a NUL: only of a fixed length, and without one, no other cell is beyond them.
      if (min.includes(0) || max.includes(0)) return false;
      adds.push(() => total.add(valid, nulls, textOfBytes(min), textOfBytes(max), null));
      continue;
    }
    if (sum === null || isCapped(sum)) return false;
    adds.push(() => total.add(valid, nulls, viewAs(min, array)[0]!, viewAs(max, array)[0]!, sum));
  }
  for (const add of adds) add();
  return true;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** A sum that would overflow is the end of its type. */
function isCapped(sum: bigint | number): boolean {
  return sum === INT64_MIN || sum === INT64_MAX || sum === UINT64_MAX;
}

type Value = number | bigint | string;

/** Texts by their UTF-8 bytes. */
function isBelow(a: Value, b: Value): boolean {
  return typeof a === "string" && typeof b === "string" ? compareText(a, b) < 0 : a < b;
}

class Totals {
  #valid = 0;
  #nulls = 0;
  #min: Value | null = null;
  #max: Value | null = null;
  #sum: bigint | number | null = null;

  add(valid: number, nulls: number, min: Value, max: Value, sum: bigint | number | null): void {
    this.#nulls += nulls;
    if (valid === 0) return;
    this.#valid += valid;
    if (this.#min === null || isBelow(min, this.#min)) this.#min = min;
    if (this.#max === null || isBelow(this.#max, max)) this.#max = max;
    if (sum === null) return;
    if (this.#sum === null) this.#sum = sum;
    else if (typeof sum === "bigint" && typeof this.#sum === "bigint") this.#sum += sum;
    else this.#sum = Number(this.#sum) + Number(sum);
  }

  addColumn(column: Column): void {
    const { kind } = datatypeInfo(column.datatype);
    const isText = kind === "string" || kind === "char";
    if (!isText && (column.kind === "var" || column.cellValNum !== 1)) this.#addNulls(column);
    else if (isText) this.#addTexts(column);
    else this.#addNumbers(column, kind === "float");
  }

  result(): FieldAggregates {
    const sum = this.#sum;
    const mean = sum === null || this.#valid === 0 ? null : Number(sum) / this.#valid;
    return { nullCount: this.#nulls, min: this.#min, max: this.#max, sum, mean };
  }

  #addNulls({ validity }: Column): void {
    if (validity !== undefined) for (const valid of validity) if (valid === 0) this.#nulls++;
  }

  #addTexts(column: Column): void {
    if (columnCells(column) === 0) return;
    for (const text of cellScalars(column)) {
      if (typeof text === "string") this.add(1, 0, text, text, null);
      else this.#nulls++;
    }
  }

  #addNumbers(column: Column, isFloat: boolean): void {
    if (column.kind === "var") return;
    const { values, validity } = column;
    let [valid, nulls] = [0, 0];
    let min: number | bigint | null = null;
    let max: number | bigint | null = null;
    let floats = 0;
    let whole = 0n;
    for (let i = 0; i < values.length; i++) {
      if (validity?.[i] === 0) {
        nulls++;
        continue;
      }
      const value = values[i]!;
      valid++;
      if (typeof value === "bigint") whole += value;
      else floats += value;
      if (Number.isNaN(value)) continue;
      if (min === null || value < min) min = value;
      if (max === null || value > max) max = value;
    }
    // Sums of 32-bit integers are exact in doubles of 2^21 cells at least; those of more are taken in parts.
    let sum: bigint | number = floats;
    if (!isFloat) sum = typeof values[0] === "bigint" ? whole : exactSum(values, validity, floats);
    if (min === null || max === null) {
      this.#nulls += nulls;
      if (valid > 0) this.#addUnordered(valid, sum);
    } else this.add(valid, nulls, min, max, sum);
  }

  /** Cells of NaN alone: they count and sum, but bound nothing. */
  #addUnordered(valid: number, sum: bigint | number): void {
    this.#valid += valid;
    this.#sum = this.#sum === null ? sum : Number(this.#sum) + Number(sum);
  }
}

function exactSum(
  values: ArrayLike<number | bigint>,
  validity: Uint8Array | undefined,
  doubles: number,
): bigint {
  if (Number.isSafeInteger(doubles) && values.length <= 2 ** 21) return BigInt(doubles);
  let sum = 0n;
  let part = 0;
  for (let i = 0; i < values.length; i++) {
    if (validity?.[i] !== 0) part += Number(values[i]);
    if ((i & 0xfffff) !== 0) continue;
    sum += BigInt(part);
    part = 0;
  }
  return sum + BigInt(part);
}

function resultOf(cellCount: number, totals: ReadonlyMap<string, Totals>): AggregateResult {
  return { cellCount, fields: Object.fromEntries(Array.from(totals, ([name, one]) => [name, one.result()])) };
}
