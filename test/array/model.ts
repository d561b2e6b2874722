import fc from "fast-check";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray, type TileDBArray } from "../../src/array/open.js";
import type { DimensionSelection, ReadOrder, ReadResult } from "../../src/array/query.js";
import { createArray } from "../../src/array/write/create.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { DimensionInput, SchemaInput } from "../../src/array/write/write-types.js";
import type { Coordinate } from "../../src/format/array-schema.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { WritableStore } from "../../src/storage/types.js";

/**
 * Sparse arrays as a list of cells: the slow, obvious reading that the fast one has to equal. Schemas, cells and ranges
 * are drawn by fast-check.
 */

export interface ModelCell {
  readonly at: readonly Coordinate[];
  readonly a: number;
  readonly s: string;
  readonly n: number | null;
}

export interface Model {
  readonly schema: SchemaInput;
  /** Oldest first. */
  readonly writes: readonly (readonly ModelCell[])[];
}

/** The kinds of dimension: small domains, so that ranges hit and fragments overlap. */
interface DimensionKind {
  readonly input: Omit<DimensionInput, "name">;
  readonly extents: readonly (number | bigint | null | undefined)[];
  readonly coordinate: fc.Arbitrary<Coordinate>;
}

const kinds: readonly DimensionKind[] = [
  {
    input: { datatype: "uint32", domain: [0, 4294967294] },
    extents: [null, undefined, 5],
    coordinate: fc.nat(12),
  },
  {
    input: { datatype: "int8", domain: [-10, 10] },
    extents: [3, 7, 21],
    coordinate: fc.integer({ min: -10, max: 10 }),
  },
  {
    input: { datatype: "int64", domain: [-100n, 100n] },
    extents: [null, 7n],
    coordinate: fc.bigInt({ min: -6n, max: 6n }),
  },
  {
    input: { datatype: "uint64", domain: [0n, 2n ** 64n - 2n] },
    extents: [null],
    coordinate: fc.bigInt({ min: 2n ** 64n - 9n, max: 2n ** 64n - 2n }),
  },
  {
    input: { datatype: "float64", domain: [-1000, 1000] },
    extents: [null],
    coordinate: fc.constantFrom(-7.5, -1, 0, 0.1, 1, 2.5, 100),
  },
  {
    input: { datatype: "datetime_day", domain: [-50n, 50n] },
    extents: [null, 10n],
    coordinate: fc.bigInt({ min: -9n, max: 9n }),
  },
  {
    input: { datatype: "string_ascii" },
    extents: [undefined],
    coordinate: fc.constantFrom("", "a", "aa", "b", "lung", "lungs", "~"),
  },
];

const cellContent = {
  a: fc.integer({ min: -1000, max: 1000 }),
  s: fc.constantFrom("", "x", "naïve", "longer text than most"),
  n: fc.option(fc.nat(255), { nil: null }),
};

/** A schema with 1 to 3 dimensions and some writes to it. */
export const models: fc.Arbitrary<Model> = fc
  .record({
    kinds: fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }),
    cellOrder: fc.constantFrom("row-major" as const, "col-major" as const),
    tileOrder: fc.constantFrom("row-major" as const, "col-major" as const),
    capacity: fc.constantFrom(1, 2, 3, 5, 100),
    allowsDuplicates: fc.boolean(),
    extent: fc.nat(5),
  })
  .chain(({ kinds: drawn, extent, ...schema }) => {
    const dimensions = drawn.map(({ input, extents }, d): DimensionInput => {
      const chosen = extents[extent % extents.length];
      return { name: `d${d}`, ...input, ...(chosen !== undefined && { tileExtent: chosen }) };
    });
    const cell = fc.record({ at: fc.tuple(...drawn.map((kind) => kind.coordinate)), ...cellContent });
    const write = schema.allowsDuplicates
      ? fc.array(cell, { minLength: 1, maxLength: 20 })
      : fc.uniqueArray(cell, { minLength: 1, maxLength: 20, selector: ({ at }) => keyOf(at) });
    return fc.record({
      schema: fc.constant<SchemaInput>({
        arrayType: "sparse",
        ...schema,
        // Filters have tests of their own; without them these take a fraction of the time.
        coordsFilters: [],
        offsetsFilters: [],
        validityFilters: [],
        dimensions,
        attributes: [
          { name: "a", datatype: "int32" },
          { name: "s", datatype: "string_utf8" },
          { name: "n", datatype: "uint8", nullable: true },
        ],
      }),
      writes: fc.array(write, { minLength: 1, maxLength: 4 }),
    });
  });

export function keyOf(at: readonly Coordinate[]): string {
  return at.map((one) => `${typeof one}:${Object.is(one, -0) ? 0 : one}`).join("|");
}

/** Ranges on some of the dimensions, made of coordinates that occur and of others. */
export function selections(model: Model): fc.Arbitrary<Record<string, DimensionSelection>> {
  const perDimension = model.schema.dimensions.map((dimension, d) => {
    const kind = kinds.find(({ input }) => input.datatype === dimension.datatype)!;
    const used = model.writes.flat().map(({ at }) => at[d]!);
    const coordinate = fc.oneof(kind.coordinate, fc.constantFrom(...used));
    const range = fc
      .tuple(coordinate, coordinate)
      .map(([x, y]) => (before(y, x) ? [y, x] : [x, y]) as [Coordinate, Coordinate]);
    return fc.option(fc.array(fc.oneof(coordinate, range), { maxLength: 5 }), { nil: null });
  });
  return fc.tuple(...perDimension).map((drawn) => {
    const ranges: Record<string, DimensionSelection> = {};
    for (const [d, selection] of drawn.entries()) if (selection !== null) ranges[`d${d}`] = selection;
    return ranges;
  });
}

/** Writes the model into a store, with times 1, 2, 3, ... */
export async function build(model: Model, store: WritableStore = new MemoryStore()): Promise<TileDBArray> {
  const location = { store, path: "array" };
  await createArray(location, model.schema);
  for (const [w, cells] of model.writes.entries()) {
    const columns: Record<string, (Coordinate | null)[]> = {};
    for (const [d, { name }] of model.schema.dimensions.entries())
      columns[name] = cells.map(({ at }) => at[d]!);
    columns.a = cells.map(({ a }) => a);
    columns.s = cells.map(({ s }) => s);
    columns.n = cells.map(({ n }) => n);
    await writeSparse(location, columns, { timestamp: w + 1 });
  }
  return openArray(location);
}

/** The cells that a read has to give, in the order asked. Of equal coordinates in order of writing. */
export function expectedCells(
  model: Model,
  ranges: Readonly<Record<string, DimensionSelection>>,
  order: ReadOrder,
  keep: (write: number, cell: ModelCell) => boolean = () => true,
): ModelCell[] {
  const { dimensions, allowsDuplicates } = model.schema;
  let cells = model.writes.flatMap((write, w) => write.filter((cell) => keep(w, cell)));
  if (!allowsDuplicates) {
    // A Map keeps the first place of a key and the last value set.
    cells = [...new Map(cells.map((cell) => [keyOf(cell.at), cell])).values()];
  }
  const selected = cells.filter(({ at }) =>
    dimensions.every(({ name }, d) => ranges[name] === undefined || isSelected(ranges[name], at[d]!)),
  );
  const places = dimensions.map((_, d) => d);
  const keys = order === "col-major" ? places.toReversed() : places;
  return selected.sort((x, y) => {
    for (const d of keys) {
      if (before(x.at[d]!, y.at[d]!)) return -1;
      if (before(y.at[d]!, x.at[d]!)) return 1;
    }
    return 0;
  });
}

function isSelected(selection: DimensionSelection, coordinate: Coordinate): boolean {
  return Array.from(selection as ArrayLike<Coordinate | readonly [Coordinate, Coordinate]>).some((entry) => {
    const [low, high] = typeof entry === "object" ? entry : [entry, entry];
    return !before(coordinate, low) && !before(high, coordinate);
  });
}

/** Texts here are ASCII, so that JavaScript's order is that of bytes. */
function before(a: Coordinate, b: Coordinate): boolean {
  return a < b;
}

/** A result as model cells. */
export function cellsOf(result: ReadResult, dimensionCount: number): ModelCell[] {
  const columns = Object.fromEntries(
    Object.entries(result.columns).map(([name, column]) => [name, cellScalars(column)]),
  );
  return Array.from({ length: result.cellCount }, (_, i) => ({
    at: Array.from({ length: dimensionCount }, (_, d) => columns[`d${d}`]![i] as Coordinate),
    a: columns.a![i] as number,
    s: columns.s![i] as string,
    n: columns.n![i] as number | null,
  }));
}

/** Cells as comparable text, sorted: where several have the same coordinates their order is open. */
export function asSet(cells: readonly ModelCell[]): string[] {
  return cells.map(({ at, a, s, n }) => `${keyOf(at)} ${a} ${s} ${n}`).sort();
}
