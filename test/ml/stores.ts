import { type BuildOptions, buildCellArrDataset, type CellArrDataset, MemoryStore } from "../../src/node.js";
import { Sfc32 } from "../../src/util/random.js";
import { experiment, frame } from "../cellarr/samples.js";

/** Stores with studies, samples and labels. */

export interface SampleInput {
  readonly study: string;
  readonly sample: string;
  /** Label of each cell; null or "nan": none. */
  readonly labels: readonly (string | null)[];
  /** Genes that are measured, named gene_1 and so on; default 12. */
  readonly genes?: number;
}

/** The value of a cell of the store for a gene: whole numbers, a third of them zero. */
export function countOf(cell: number, gene: number): number {
  const value = ((cell + 1) * 7919 + (gene + 1) * 104729) % 29;
  return value % 3 === 0 ? 0 : value;
}

/** Sample names in the store's own list must differ, so cells have theirs in the column "sample". */
export async function storeOf(
  samples: readonly SampleInput[],
  store = new MemoryStore(),
  options: Partial<BuildOptions> = {},
): Promise<CellArrDataset> {
  let first = 0;
  const files = samples.map(({ labels, genes = 12 }) => {
    const start = first;
    first += labels.length;
    return experiment({
      genes: Array.from({ length: genes }, (_, gene) => `gene_${gene + 1}`),
      rows: labels.map((_, cell) => Array.from({ length: genes }, (_, gene) => countOf(start + cell, gene))),
    });
  });
  const cells = samples.flatMap(({ study, sample, labels }) =>
    labels.map((label) => ({ study, sample, label })),
  );
  return buildCellArrDataset({
    outputPath: { store, path: "store" },
    files,
    matrixOptions: { dtype: "float32" },
    geneMajor: false,
    cellMetadata: frame(
      cells.map((_, cell) => String(cell)),
      {
        study: cells.map(({ study }) => study),
        sample: cells.map(({ sample }) => sample),
        label: cells.map(({ label }) => label),
      },
    ),
    ...options,
  });
}

export const columns = {
  labelColumnName: "label",
  studyColumnName: "study",
  sampleColumnName: "sample",
} as const;

/** `count` labels drawn from the given ones. */
export function drawLabels(
  count: number,
  labels: readonly (string | null)[],
  seed: number,
): (string | null)[] {
  const random = new Sfc32(seed, 0, 0);
  return Array.from({ length: count }, () => labels[random.below(labels.length)]!);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
