import { ArgumentError, FormatError, NotFoundError, UnsupportedError } from "../../errors.js";
import type { ArraySchema, Coordinate, Dimension, DimensionLabel } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import type { Column } from "../columns.js";
import { isInteger, typeRange } from "../integer-types.js";
import type { DimensionSelection, FragmentInfo, ReadQuery, ReadResult } from "../query.js";
import { type Intervals, intervalsOf } from "./intervals.js";
import { checkWithoutGaps, LabelOrderCheck } from "./label-order.js";
import { filterText, numericFilter, type Selection } from "./selection.js";

/**
 * Ranges of dimension labels as ranges of their dimensions. A label is an array of its own below `__labels`: one
 * dimension, that of the labelled array, and one attribute with the labels.
 */

/** What is needed of an open label array. */
export interface LabelArray {
  readonly uri: string;
  readonly schema: ArraySchema;
  readonly fragments: readonly Pick<FragmentInfo, "nonEmptyDomain">[];
  batches(query: ReadQuery): AsyncIterable<ReadResult>;
}

export type OpenLabel = (label: DimensionLabel) => Promise<LabelArray>;

/** Throws NotFoundError, naming the labels there are. */
export function findLabel({ labels }: ArraySchema, name: string, where: string): DimensionLabel {
  const label = labels.find((one) => one.name === name);
  if (label !== undefined) return label;
  const names = labels.map((one) => `'${one.name}'`).join(", ");
  throw new NotFoundError(`no dimension label '${name}', the array has ${names || "none"}`, { where });
}

/**
 * The path of a label's array below the labelled one. What lies elsewhere is not followed: no released library writes such
 * labels (its format has a flag for them, its interface no way to set it), and a file should not say which places its
 * reader opens.
 */
export function labelPath({ name, relative, uri }: DimensionLabel, where: string): string {
  if (!relative) {
    throw new UnsupportedError(`dimension label '${name}' lies outside the array, at '${uri}'`, { where });
  }
  if (uri.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new FormatError(`dimension label '${name}': '${uri}' is no path below the array`, { where });
  }
  return uri;
}

/** Throws FormatError where the label array is not what the labelled array's schema says of it. */
export function checkLabelArray(label: DimensionLabel, labelled: Dimension, array: LabelArray): void {
  const { dimensions, attributes } = array.schema;
  const attribute = attributes.find(({ name }) => name === label.attribute);
  const expected = `one dimension of ${labelled.datatype} and the attribute '${label.attribute}' of ${label.datatype}`;
  const fits =
    dimensions.length === 1 &&
    dimensions[0]!.datatype === labelled.datatype &&
    attribute?.datatype === label.datatype &&
    attribute.cellValNum === label.cellValNum;
  if (fits) return;
  throw new FormatError(`the array of dimension label '${label.name}' has not ${expected}`, {
    where: array.uri,
  });
}

/** The query with its label ranges looked up, as ranges of dimensions. */
export async function withoutLabelRanges(
  schema: ArraySchema,
  query: ReadQuery,
  open: OpenLabel,
  where: string,
): Promise<ReadQuery> {
  const { labelRanges, ...rest } = query;
  const asked = Object.entries(labelRanges ?? {}).filter(([, selection]) => selection !== undefined);
  const ranges: Record<string, DimensionSelection> = { ...query.ranges };
  const lookups: { label: DimensionLabel; dimension: string; wanted: Intervals }[] = [];
  for (const [name, selection] of asked) {
    const label = findLabel(schema, name, where);
    const dimension = schema.dimensions[label.dimension]!.name;
    const other = lookups.find((one) => one.dimension === dimension);
    if (other !== undefined || (Object.hasOwn(ranges, dimension) && ranges[dimension] !== undefined)) {
      const also = other === undefined ? "a range of its own" : `a range of label '${other.label.name}'`;
      throw new ArgumentError(`'${dimension}' has a range of label '${name}' and ${also}, expected one`, {
        where,
      });
    }
    lookups.push({ label, dimension, wanted: labelIntervals(label, selection, where) });
  }
  for (const { label, dimension, wanted } of lookups) {
    ranges[dimension] = await lookUp(await open(label), label, wanted, query.signal);
  }
  return { ...rest, ranges };
}

/** The selection checked and sorted as if the label were a dimension over all values of its type. */
function labelIntervals(label: DimensionLabel, selection: DimensionSelection, where: string): Intervals {
  const { name, datatype, cellValNum, order } = label;
  if (order === "unordered") {
    throw new UnsupportedError(
      `dimension label '${name}' is unordered: there are no ranges of it, the official library does not even open such arrays`,
      { where },
    );
  }
  const text = cellValNum === VAR_NUM;
  const integer = isInteger(datatype);
  if (text ? datatypeInfo(datatype).bytes !== 1 : cellValNum !== 1 || !(integer || isFloat(datatype))) {
    throw new UnsupportedError(`ranges of dimension label '${name}' of ${datatype}`, { where });
  }
  return intervalsOf(
    {
      name,
      datatype,
      cellValNum,
      domain: text ? null : valuesOf(label),
      filters: NO_FILTERS,
      tileExtent: null,
    },
    selection,
  );
}

const NO_FILTERS: Dimension["filters"] = { maxChunkSize: 0, filters: [] };

function isFloat(datatype: DimensionLabel["datatype"]): boolean {
  return datatypeInfo(datatype).kind === "float";
}

function valuesOf({ datatype }: DimensionLabel): readonly [number, number] | readonly [bigint, bigint] {
  if (isFloat(datatype)) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [low, high] = typeRange(datatype);
  return datatypeInfo(datatype).bytes === 8 ? [low, high] : [Number(low), Number(high)];
}

/**
 * The coordinates whose labels are in the intervals, as ranges. Labels are read piece by piece and all compared, which
 * of ordered labels finds what the core's binary search finds, whichever way they are ordered. Labels that are not in
 * their order, or have gaps, are refused as in the core.
 */
async function lookUp(
  array: LabelArray,
  label: DimensionLabel,
  wanted: Intervals,
  signal: AbortSignal | undefined,
): Promise<DimensionSelection> {
  const dimension = array.schema.dimensions[0]!.name;
  const found: [Coordinate, Coordinate][] = [];
  checkWithoutGaps(array, label);
  const order = new LabelOrderCheck(label, array.uri);
  const query = { attributes: [label.attribute], dimensions: [dimension], signal };
  for await (const { columns } of array.batches(query)) {
    const coordinates = columns[dimension]!;
    if (coordinates.kind !== "fixed") {
      throw new FormatError(`dimension label '${label.name}' has texts as coordinates`, { where: array.uri });
    }
    const labels = columns[label.attribute]!;
    order.check(labels, coordinates.values);
    for (const [from, to] of runsOf(matching(labels, wanted))) {
      found.push([coordinates.values[from]!, coordinates.values[to - 1]!]);
    }
  }
  return found;
}

function matching(labels: Column, wanted: Intervals): Selection {
  if (labels.kind === "var" && wanted.kind === "text") return filterText(labels.offsets, labels.data, wanted);
  if (labels.kind === "fixed" && wanted.kind === "numeric")
    return numericFilter(wanted, false)(labels.values);
  throw new FormatError(`labels are ${labels.kind}, expected ${wanted.kind}`);
}

/** Runs of adjoining positions, the end exclusive. */
function runsOf(selection: Selection): [number, number][] {
  if (selection.kind === "run") {
    return selection.from === selection.to ? [] : [[selection.from, selection.to]];
  }
  const runs: [number, number][] = [];
  for (const cell of selection.cells) {
    const last = runs.at(-1);
    if (last?.[1] === cell) last[1] = cell + 1;
    else runs.push([cell, cell + 1]);
  }
  return runs;
}
