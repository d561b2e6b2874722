import "../node-platform.js";
import type { CellArrDataset, GeneMajorInfo } from "../cellarr/dataset.js";
import type { SampleRange } from "../cellarr/query/sample-ranges.js";
import type { CommandContext } from "./context.js";
import { folderBytes } from "./folder-bytes.js";
import { openStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { formatBytes, formatCount, formatTable, plural, shorten, styled } from "./table.js";

/** `cellarr info`: what a store holds. */

interface MatrixInfo {
  readonly name: string;
  readonly type: string;
  readonly storedValues: number;
  readonly fragments: number;
  readonly bytes: number;
  /** The copy sorted by genes: "none", "current", "stale" or "unusable". */
  readonly geneIndex: GeneMajorInfo["state"];
  /** Of a current copy. */
  readonly geneIndexBytes: number | null;
}

interface StoreInfo {
  readonly store: string;
  readonly shape: readonly [number, number];
  readonly matrices: readonly MatrixInfo[];
  readonly samples: readonly SampleRange[];
  readonly cellMetadataColumns: readonly string[];
  readonly geneAnnotationColumns: readonly string[];
  readonly sampleMetadataColumns: readonly string[];
  /** Null where files cannot be listed. */
  readonly bytes: number | null;
}

export async function runInfo(
  store: string,
  options: { readonly json?: boolean },
  context: CommandContext,
): Promise<void> {
  const dataset = await openStore(store, context);
  const info = await describeStore(store, dataset, context);
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(options.json ? `${JSON.stringify(info)}\n` : forPeople(info));
  });
}

async function describeStore(
  store: string,
  dataset: CellArrDataset,
  context: CommandContext,
): Promise<StoreInfo> {
  const names = dataset.matrixNames;
  return {
    store,
    shape: dataset.shape,
    matrices: await Promise.all(names.map((name) => describeMatrix(name, dataset))),
    samples: await dataset.getSampleRanges({ signal: context.signal }),
    cellMetadataColumns: dataset.getCellMetadataColumns(),
    geneAnnotationColumns: dataset.getGeneAnnotationColumns(),
    sampleMetadataColumns: dataset.getSampleMetadataColumns(),
    bytes: await folderBytes(store, context),
  };
}

async function describeMatrix(name: string, dataset: CellArrDataset): Promise<MatrixInfo> {
  const { dtype, storedValues, fragments, bytes } = dataset.getMatrixInfo(name);
  const copy = await dataset.getGeneMajorCopy(name);
  return {
    name,
    type: dtype,
    storedValues,
    fragments,
    bytes,
    geneIndex: copy.state,
    geneIndexBytes: copy.state === "current" ? copy.bytes : null,
  };
}

const MOST_SAMPLES = 20;

function forPeople(info: StoreInfo): string {
  const [cells, genes] = info.shape;
  const size = info.bytes === null ? "" : `, ${formatBytes(info.bytes)}`;
  const title = `${plural(cells, "cell")} x ${plural(genes, "gene")}, ${plural(info.samples.length, "sample")}${size}`;
  const columns = [
    ["cell metadata", info.cellMetadataColumns],
    ["gene annotation", info.geneAnnotationColumns],
    ["sample metadata", info.sampleMetadataColumns],
  ] as const;
  return `${[
    `${styled(process.stdout, "bold", info.store)}\n${title}`,
    matrixTable(info.matrices, cells * genes),
    sampleTable(info.samples),
    formatTable([["table", "columns"], ...columns.map(([name, list]) => [name, list.join(", ")])]),
  ].join("\n\n")}\n`;
}

function matrixTable(matrices: readonly MatrixInfo[], places: number): string {
  const rows = matrices.map(({ name, type, storedValues, fragments, bytes, geneIndex, geneIndexBytes }) => [
    name,
    type,
    formatCount(storedValues),
    places === 0 ? "-" : `${((100 * storedValues) / places).toFixed(2)} %`,
    formatCount(fragments),
    formatBytes(bytes),
    geneIndexBytes === null ? geneIndex : formatBytes(geneIndexBytes),
  ]);
  const header = ["matrix", "type", "stored values", "filled", "fragments", "size", "gene index"];
  return formatTable([header, ...rows], { right: [2, 3, 4, 5, 6] });
}

function sampleTable(samples: readonly SampleRange[]): string {
  const rows = samples
    .slice(0, MOST_SAMPLES)
    .map(({ name, start, end }) => [
      shorten(name, 40),
      formatCount(end - start + 1),
      end < start ? "-" : `${start}:${end}`,
    ]);
  const table = formatTable([["sample", "cells", "range"], ...rows], { right: [1] });
  const more = samples.length - MOST_SAMPLES;
  return more > 0 ? `${table}\n… and ${plural(more, "more sample")}` : table;
}
