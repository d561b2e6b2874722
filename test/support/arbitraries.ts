import fc from "fast-check";
import { datatypes } from "../../src/format/datatype.js";
import type {
  AttributeInput,
  Column,
  Coordinate,
  Datatype,
  DimensionInput,
  FilterInput,
  FiltersInput,
  NDRange,
  QueryCondition,
  ReadOrder,
  SchemaInput,
} from "../../src/tiledb.js";
import { datatypeInfo } from "../../src/tiledb.js";
import { columnOf, type FieldShape, varColumn } from "./cell-values.js";
import { conditionOf } from "./condition-arbitraries.js";

/** Arrays, cells and queries for property tests. Domains are small, so that fragments overlap and tiles fill. */

export interface Fragment {
  readonly cells: Readonly<Record<string, Column>>;
  /** Of a dense array: what the cells cover. */
  readonly box?: NDRange;
  readonly timestamp: number;
}

export interface Query {
  /** Disjoint, ascending, both ends inclusive; of each dimension, for dense arrays. */
  readonly ranges: Readonly<Record<string, (readonly [Coordinate, Coordinate])[]>>;
  readonly order: ReadOrder;
  /** Fragments up to here, or of a window of times with both ends; undefined: all. */
  readonly timestamp: number | readonly [number, number] | undefined;
  readonly condition?: QueryCondition;
}

export interface ArrayCase {
  readonly schema: SchemaInput;
  readonly fragments: readonly Fragment[];
  readonly queries: readonly Query[];
}

const INTEGERS: Datatype[] = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"];
const ofKind = (...kinds: string[]) =>
  datatypes.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
const TIMES: Datatype[] = ofKind("datetime", "time");

const seed = fc.oneof(fc.nat(12), fc.nat(1_000_000));

/** Steps of a dimension: coordinates are drawn as positions 0..span and become values here. */
export interface Axis {
  readonly input: DimensionInput;
  readonly span: number;
  readonly at: (position: number) => Coordinate;
}

// Ascending, with the empty text, prefixes of each other, and all that ASCII has at its ends.
const TEXTS = ["", " ", "0", "A", "a", "aa", "aab", "ab", "b", "lung", "x".repeat(40), "~"];

const isWide = (datatype: Datatype) => {
  const { bytes, kind } = datatypeInfo(datatype);
  return bytes === 8 && kind !== "float";
};

/** Lowest coordinate: the type's smallest value, one near its largest, or near 0. */
function lowest(datatype: Datatype, where: number, span: number): bigint {
  const { bytes, kind } = datatypeInfo(datatype);
  const values = 1n << BigInt(bytes * 8);
  const low = kind === "uint" ? 0n : -values / 2n;
  // Room for a whole tile above the domain, without which the format does not allow it.
  const high = low + values - 1n - BigInt(3 * (span + 1));
  return [low, high, kind === "uint" ? 3n : -4n][where % 3]!;
}

function integerAxis(name: string, datatype: Datatype, longest = 12): fc.Arbitrary<Axis> {
  return fc
    .record({
      where: fc.nat(2),
      span: fc.integer({ min: 1, max: longest }),
      extent: fc.integer({ min: 1, max: longest + 1 }),
    })
    .map(({ where, span, extent }) => {
      const low = lowest(datatype, where, span);
      const wide = isWide(datatype);
      const value = (big: bigint) => (wide ? big : Number(big));
      const tileExtent = value(BigInt(Math.min(extent, span + 1)));
      const domain = [value(low), value(low + BigInt(span))] as const;
      return {
        input: { name, datatype, domain, tileExtent },
        span,
        at: (position: number) => value(low + BigInt(position)),
      };
    });
}

function floatAxis(name: string, datatype: "float32" | "float64"): fc.Arbitrary<Axis> {
  const round = datatype === "float32" ? Math.fround : (value: number) => value;
  return fc.record({ low: fc.constantFrom(-3, 0.5, 1000), extent: fc.constantFrom(0.5, 2, 8) }).map(
    ({ low, extent }): Axis => ({
      input: { name, datatype, domain: [low, low + 9], tileExtent: extent },
      span: 11,
      at: (position) => round(low + position * 0.75),
    }),
  );
}

/** The whole range of 64-bit integers that a domain can have, in even steps: doubles don't hold its coordinates. */
function wholeAxis(name: string, datatype: "uint64" | "int64"): Axis {
  const span = 11;
  const low = datatype === "uint64" ? 0n : -(2n ** 63n);
  const high = low + 2n ** 64n - 2n;
  const at = (position: number) =>
    position === span ? high : low + (BigInt(position) * (high - low)) / BigInt(span);
  return { input: { name, datatype, domain: [low, high], tileExtent: 2n ** 60n }, span, at };
}

const textAxis = (name: string): Axis => ({
  input: { name, datatype: "string_ascii" },
  span: TEXTS.length - 1,
  at: (position) => TEXTS[position]!,
});

function sparseAxis(name: string): fc.Arbitrary<Axis> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...INTEGERS, ...TIMES).chain((type) => integerAxis(name, type)) },
    { weight: 1, arbitrary: fc.constantFrom("float32", "float64").chain((type) => floatAxis(name, type)) },
    { weight: 1, arbitrary: fc.constant(textAxis(name)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<"uint64" | "int64">("uint64", "int64").map((type) => wholeAxis(name, type)),
    },
  );
}

/** Filters that take any bytes. */
const GENERAL: FilterInput[] = [
  "gzip",
  "zstd",
  "lz4",
  "bzip2",
  "rle",
  "byteshuffle",
  "bitshuffle",
  "checksum_md5",
  "checksum_sha256",
  "none",
];
const ON_INTEGERS: FilterInput[] = [
  "delta",
  "bit_width_reduction",
  { type: "bit_width_reduction", maxWindow: 32 },
];

/** A pipeline that the official library allows on cells of the type. */
export function filtersFor(datatype: Datatype, isVar: boolean): fc.Arbitrary<FiltersInput> {
  const { kind, bytes } = datatypeInfo(datatype);
  const general = fc.array(fc.constantFrom(...GENERAL.filter((filter) => filter !== "rle")), {
    maxLength: 3,
  });
  const first: FilterInput[] = [];
  if (isVar && (datatype === "string_ascii" || datatype === "string_utf8")) first.push("rle", "dictionary");
  if (!isVar) first.push("rle");
  if (!isVar && (kind === "int" || kind === "uint")) first.push("xor");
  const integer = kind === "int" || kind === "uint" || kind === "datetime" || kind === "time";
  // Differences of 64-bit values may not fit in 64 bits, which double delta refuses.
  if (integer && !isVar) first.push(...ON_INTEGERS, ...(bytes < 8 ? (["double_delta"] as const) : []));
  if (first.length === 0) return general;
  return fc.oneof(
    general,
    fc.tuple(fc.constantFrom(...first), general).map(([head, rest]) => [head, ...rest]),
  );
}

const OFFSETS: fc.Arbitrary<FiltersInput> = fc.constantFrom<FiltersInput>(
  ["zstd"],
  [],
  ["positive_delta", "zstd"],
  ["double_delta"],
  ["delta", "byteshuffle", "gzip"],
  ["bit_width_reduction"],
  ["rle"],
);

const VALIDITY: fc.Arbitrary<FiltersInput> = fc.constantFrom<FiltersInput>(
  ["rle"],
  [],
  ["zstd"],
  ["bit_width_reduction"],
);

/** Every datatype as often as its kind allows. */
const attributeDatatype = fc.oneof(
  ...[["int", "uint"], ["float"], ["datetime", "time"], ["char", "string"], ["blob"], ["bool"]].map(
    (kinds) => ({
      weight: kinds.length + 1,
      arbitrary: fc.constantFrom(...ofKind(...kinds)),
    }),
  ),
);

function attribute(name: string): fc.Arbitrary<AttributeInput> {
  return fc
    .record({
      datatype: attributeDatatype,
      shape: fc.constantFrom<number | "var">(1, 1, 2, 5, "var", "var"),
      nullable: fc.boolean(),
      fill: fc.option(seed, { nil: undefined, freq: 3 }),
    })
    .chain(({ datatype, shape, nullable, fill }) => {
      const cellValNum = datatype === "any" ? "var" : shape;
      const bytes = fill === undefined ? null : cellOf({ datatype, cellValNum, nullable: false }, fill);
      return filtersFor(datatype, cellValNum === "var").map((filters) => ({
        name,
        datatype,
        cellValNum,
        nullable,
        filters,
        // A fill has at least a byte.
        ...(bytes !== null && bytes.length > 0 && { fill: bytes }),
      }));
    });
}

/** The bytes of one cell. */
function cellOf(field: FieldShape, one: number): Uint8Array {
  const column = columnOf(field, [one]);
  if (column.kind === "var") return column.data;
  return new Uint8Array(column.values.buffer, column.values.byteOffset, column.values.byteLength);
}

const attributes = fc
  .integer({ min: 1, max: 3 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => attribute(`a${i}`))));

const orders = fc.constantFrom<"row-major" | "col-major">("row-major", "col-major");
/** The official library leaves unordered dense cells unset. */
const denseOrders = fc.constantFrom<ReadOrder>("row-major", "col-major", "global");
const readOrders = fc.constantFrom<ReadOrder>("row-major", "col-major", "global", "unordered");

function coordinateColumn(axis: Axis, positions: readonly number[]): Column {
  const { datatype } = axis.input;
  if (datatype === "string_ascii") {
    const encoder = new TextEncoder();
    return varColumn(
      datatype,
      positions.map((position) => encoder.encode(String(axis.at(position)))),
    );
  }
  const values = new (datatypeInfo(datatype).array)(positions.length);
  for (const [i, position] of positions.entries()) values[i] = axis.at(position) as number;
  return { kind: "fixed", datatype, cellValNum: 1, values };
}

function attributeColumns(schema: SchemaInput, seeds: readonly number[]): Record<string, Column> {
  return Object.fromEntries(
    schema.attributes.map(({ name, datatype, cellValNum = 1, nullable = false }, a) => [
      name,
      columnOf(
        { datatype, cellValNum, nullable },
        seeds.map((seed) => seed + a),
      ),
    ]),
  );
}

/** Up to two disjoint ranges of positions of an axis; none stands for "not restricted". */
function rangesOf(axis: Axis): fc.Arbitrary<(readonly [Coordinate, Coordinate])[]> {
  const positions = fc.uniqueArray(fc.nat(axis.span), { maxLength: 4 });
  return positions.map((drawn) => {
    const sorted = drawn.sort((a, b) => a - b);
    const ranges: (readonly [Coordinate, Coordinate])[] = [];
    for (let i = 0; i < sorted.length; i += 2) {
      ranges.push([axis.at(sorted[i]!), axis.at(sorted[i + 1] ?? sorted[i]!)]);
    }
    return ranges;
  });
}

function queriesOf(
  axes: readonly Axis[],
  attributeInputs: readonly AttributeInput[],
  fragments: number,
  dense: boolean,
): fc.Arbitrary<Query[]> {
  const time = fc.integer({ min: 1, max: fragments });
  const window = fc.tuple(time, time).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const query = fc
    .record({
      ranges: fc.tuple(...axes.map(rangesOf)),
      order: dense ? denseOrders : readOrders,
      timestamp: fc.option(fc.oneof(time, window), { nil: undefined }),
      condition: conditionOf(dense ? [] : axes, attributeInputs),
    })
    .map(({ ranges, order, timestamp, condition }): Query => {
      const named = axes.map((axis, d): [string, (readonly [Coordinate, Coordinate])[]] => {
        const whole: (readonly [Coordinate, Coordinate])[] = dense ? [[axis.at(0), axis.at(axis.span)]] : [];
        return [axis.input.name, ranges[d]!.length > 0 ? ranges[d]! : whole];
      });
      return {
        ranges: Object.fromEntries(named.filter(([, list]) => list.length > 0)),
        order,
        timestamp,
        ...(condition !== undefined && { condition }),
      };
    });
  return fc.array(query, { minLength: 1, maxLength: 4 });
}

export const sparseCase: fc.Arbitrary<ArrayCase> = fc
  .tuple(
    fc
      .oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 5 }))
      .chain((count) => fc.tuple(...["x", "y", "z", "u", "v"].slice(0, count).map(sparseAxis))),
    attributes,
    fc.record({
      cellOrder: fc.constantFrom("row-major", "col-major", "hilbert"),
      tileOrder: orders,
      capacity: fc.integer({ min: 1, max: 12 }),
      allowsDuplicates: fc.boolean(),
      offsetsFilters: OFFSETS,
      validityFilters: VALIDITY,
      coordsFilters: fc.constantFrom<FiltersInput>(["zstd"], [], ["gzip"], ["byteshuffle", "lz4"]),
    }),
  )
  .chain(([axes, attributeInputs, rest]) =>
    fc
      .tuple(...axes.map(({ input }) => filtersFor(input.datatype, input.domain === undefined)))
      .chain((filters) => {
        // Empty filters of a dimension stand for the coordinates' filters.
        const dimensions = axes.map(({ input }, d) => ({ ...input, filters: filters[d]! }));
        const schema: SchemaInput = { arrayType: "sparse", dimensions, attributes: attributeInputs, ...rest };
        const cell = fc.tuple(fc.tuple(...axes.map(({ span }) => fc.nat(span))), seed);
        const size = { minLength: 1, maxLength: 40 };
        const cells = rest.allowsDuplicates
          ? fc.array(cell, size)
          : fc.uniqueArray(cell, { ...size, selector: ([place]) => place.join() });
        return fc.array(cells, { minLength: 1, maxLength: 6 }).chain((drawn) =>
          queriesOf(axes, attributeInputs, drawn.length, false).map((queries) => ({
            schema,
            queries,
            fragments: drawn.map((list, f) => ({
              timestamp: f + 1,
              cells: {
                ...Object.fromEntries(
                  axes.map((axis, d) => [
                    axis.input.name,
                    coordinateColumn(
                      axis,
                      list.map(([place]) => place[d]!),
                    ),
                  ]),
                ),
                ...attributeColumns(
                  schema,
                  list.map(([, one]) => one),
                ),
              },
            })),
          })),
        );
      }),
  );

export const denseCase: fc.Arbitrary<ArrayCase> = fc
  .tuple(
    fc
      .tuple(fc.constantFrom(...INTEGERS, ...TIMES), fc.integer({ min: 1, max: 5 }))
      .chain(([datatype, count]) => {
        const names = ["x", "y", "z", "u", "v"].slice(0, count);
        // About a thousand cells at most.
        const longest = [40, 16, 8, 4, 3][count - 1]!;
        return fc.tuple(...names.map((name) => integerAxis(name, datatype, longest)));
      }),
    attributes,
    fc.record({ cellOrder: orders, tileOrder: orders, offsetsFilters: OFFSETS, validityFilters: VALIDITY }),
  )
  .chain(([axes, attributeInputs, rest]) => {
    const dimensions = axes.map(({ input }) => input);
    const schema: SchemaInput = { arrayType: "dense", dimensions, attributes: attributeInputs, ...rest };
    const side = ({ span }: Axis) =>
      fc.tuple(fc.nat(span), fc.nat(span)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const box = fc.tuple(fc.tuple(...axes.map(side)), seed);
    return fc.array(box, { minLength: 1, maxLength: 6 }).chain((boxes) =>
      queriesOf(axes, attributeInputs, boxes.length, true).map((queries) => ({
        schema,
        queries,
        fragments: boxes.map(([sides, first], f) => {
          const count = sides.reduce((product, [low, high]) => product * (high - low + 1), 1);
          return {
            timestamp: f + 1,
            box: sides.map(([low, high], d) => [axes[d]!.at(low), axes[d]!.at(high)] as const),
            cells: attributeColumns(
              schema,
              Array.from({ length: count }, (_, i) => first + i),
            ),
          };
        }),
      })),
    );
  });
