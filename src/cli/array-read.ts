import "../node-platform.js";
import type { TileDBArray } from "../array/open.js";
import type { ReadQuery, ReadResult } from "../array/query.js";
import { NotFoundError } from "../errors.js";
import type { CommandContext } from "./context.js";
import { enumeratedFormatter } from "./enumerated.js";
import { type CellFormatter, jsonFormatter } from "./json-cells.js";
import { type OpenArrayOptions, openArrayFor } from "./open-array.js";
import { type TextSink, withTextSink } from "./output.js";
import { parseCount, parseWhere } from "./parse.js";
import { type ResolvedRanges, resolveRanges } from "./read-ranges.js";
import { readRowBatches } from "./row-batches.js";
import { UsageError } from "./usage.js";

/** `cellarr array read`: cells as lines of JSON, in row-major order. */

export interface ReadOptions extends OpenArrayOptions {
  readonly range: readonly string[];
  readonly attr: readonly string[];
  readonly where?: string;
  readonly limit?: string;
  readonly format: string;
  readonly explain?: boolean;
}

export async function runRead(uri: string, options: ReadOptions, context: CommandContext): Promise<void> {
  await withTextSink(undefined, context.signal, (sink) => readArrayTo(sink, uri, options, context));
}

/** Writes the cells, or with `explain` the plan of the read, to a sink. */
export async function readArrayTo(
  sink: TextSink,
  uri: string,
  options: ReadOptions,
  context: CommandContext,
): Promise<void> {
  if (options.format !== "ndjson") throw new UsageError(`--format ${options.format}: expected ndjson`);
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : parseCount(options.limit, "--limit");
  const array = await openArrayFor(uri, options, context);
  checkAttributes(array, options.attr);
  const resolved = resolveRanges(array, options.range);
  const query: ReadQuery = {
    ranges: resolved.ranges,
    attributes: options.attr.length === 0 ? undefined : [...new Set(options.attr)],
    dimensions: array.schema.dimensions.map((dimension) => dimension.name),
    order: "row-major",
    condition: options.where === undefined ? undefined : parseWhere(options.where),
    signal: context.signal,
  };
  if (options.explain) await explain(array, query, sink);
  else await printCells(array, query, resolved, limit, sink);
}

function checkAttributes(array: TileDBArray, names: readonly string[]): void {
  const known = array.schema.attributes.map((attribute) => attribute.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new NotFoundError(`no attribute '${name}', expected one of: ${known.join(", ")}`, {
      where: array.uri,
    });
  }
}

async function explain(array: TileDBArray, query: ReadQuery, sink: TextSink): Promise<void> {
  const plan = await array.plan(query);
  const text = JSON.stringify(plan, (_, value) => (typeof value === "bigint" ? `${value}` : value), 2);
  await sink.write(`${text}\n`);
}

async function printCells(
  array: TileDBArray,
  query: ReadQuery,
  { rows }: ResolvedRanges,
  limit: number,
  sink: TextSink,
): Promise<void> {
  if (limit === 0) return;
  let left = limit;
  // Without rows there is nothing to batch, but the read still says what is wrong with the other ranges.
  const batches = rows.length === 0 ? [await array.read(query)] : readRowBatches(array, query, rows);
  for await (const result of batches) {
    const cells = Math.min(left, result.cellCount);
    await printBatch(array, query, result, cells, sink);
    left -= cells;
    if (left === 0) return;
  }
}

async function printBatch(
  array: TileDBArray,
  query: ReadQuery,
  result: ReadResult,
  cells: number,
  sink: TextSink,
): Promise<void> {
  const { schema } = array;
  const names = [
    ...(query.dimensions ?? []),
    ...(query.attributes ?? schema.attributes.map(({ name }) => name)),
  ];
  const formatters: CellFormatter[] = [];
  for (const name of names) {
    const column = result.columns[name]!;
    const enumeration = schema.attributes.find((attribute) => attribute.name === name)?.enumeration ?? null;
    formatters.push(
      enumeration === null
        ? jsonFormatter(column)
        : enumeratedFormatter(column, await array.enumeration(enumeration)),
    );
  }
  const keys = names.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
  for (let cell = 0; cell < cells; cell++) {
    let line = "";
    for (let i = 0; i < keys.length; i++) line += keys[i]! + formatters[i]!(cell);
    const full = sink.write(`${line}}\n`);
    if (full !== undefined) await full;
  }
}
