import "../node-platform.js";
import type { CommandContext } from "./context.js";
import { describeArray, type JsonValue } from "./describe-array.js";
import { type OpenArrayOptions, openArrayFor } from "./open-array.js";
import { withTextSink } from "./output.js";
import { formatBytes, formatCount, formatTable, shorten, styled } from "./table.js";

/** `cellarr array inspect`: schema, fragments and metadata of an array. */

export interface InspectOptions extends OpenArrayOptions {
  readonly json?: boolean;
}

export async function runInspect(
  uri: string,
  options: InspectOptions,
  context: CommandContext,
): Promise<void> {
  const array = await openArrayFor(uri, options, context);
  const described = await describeArray(array);
  const text = options.json ? JSON.stringify(described) : inspectText(described);
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

type Described = Record<string, JsonValue>;

/** For people; `describeArray` has what it takes. */
export function inspectText(array: Described): string {
  const dimensions = array.dimensions as Described[];
  const attributes = array.attributes as Described[];
  const fragments = array.fragments as Described[];
  const sections = [
    [
      styled(process.stdout, "bold", `${array.uri}`),
      `${array.arrayType} array, format version ${array.formatVersion}, cells ${array.cellOrder}, tiles ${array.tileOrder}` +
        (array.arrayType === "sparse"
          ? `, capacity ${formatCount(Number(array.capacity))}, duplicates ${array.allowsDuplicates ? "allowed" : "not allowed"}`
          : ""),
    ].join("\n"),
    table("dimension", dimensions, ["type", "domain", "tileExtent", "filters"]),
    table("attribute", attributes, ["type", "cellValNum", "nullable", "fill", "enumeration", "filters"]),
    fragmentsTable(fragments),
    metadataTable(array.metadata as Described),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function table(what: string, rows: readonly Described[], columns: readonly string[]): string {
  const header = [what, ...columns.map(words)];
  const body = rows.map((row) => [`${row.name}`, ...columns.map((column) => cellText(column, row[column]!))]);
  return formatTable([header, ...body]);
}

/** tileExtent as "tile extent". */
function words(name: string): string {
  return name === "cellValNum" ? "values" : name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function cellText(column: string, value: JsonValue): string {
  if (value === null) return "-";
  if (column === "domain") return rangeText(value);
  if (column === "filters") return filtersText(value as readonly Described[]);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return column === "fill" ? shorten(JSON.stringify(value), 24) : `${value}`;
}

function rangeText(value: JsonValue): string {
  const [low, high] = value as readonly JsonValue[];
  return `[${low}, ${high}]`;
}

/** `zstd(level -1), checksum_md5` */
function filtersText(filters: readonly Described[]): string {
  if (filters.length === 0) return "-";
  return filters
    .map(({ type, ...options }) => {
      const parts = Object.entries(options).map(([name, value]) => `${words(name)} ${value}`);
      return parts.length === 0 ? `${type}` : `${type}(${parts.join(", ")})`;
    })
    .join(", ");
}

function fragmentsTable(fragments: readonly Described[]): string {
  if (fragments.length === 0) return "no fragments: nothing was written";
  const body = fragments.map((fragment) => {
    const [from, to] = fragment.timestampRange as readonly number[];
    const box = fragment.nonEmptyDomain as readonly JsonValue[] | null;
    return [
      `${fragment.uri}`.split("/").at(-1)!,
      `${fragment.formatVersion}`,
      from === to ? `${from}` : `${from} to ${to}`,
      box === null ? "-" : box.map(rangeText).join(" x "),
      formatCount(Number(fragment.cellCount)),
      formatBytes(Number(fragment.bytes)),
    ];
  });
  const header = ["fragment", "version", "written (ms)", "non-empty domain", "cells", "size"];
  return formatTable([header, ...body], { right: [4, 5] });
}

function metadataTable(metadata: Described): string {
  const rows = Object.entries(metadata).map(([key, value]) => [key, shorten(JSON.stringify(value), 80)]);
  return rows.length === 0 ? "" : formatTable([["metadata", "value"], ...rows]);
}
