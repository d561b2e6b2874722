import { join } from "node:path";
import type { MatrixOptions } from "../cellarr/build/options.js";
import type { ColumnType } from "../cellarr/frames/column-types.js";
import { NotFoundError, throwIfAborted } from "../errors.js";
import type { MatrixDtype } from "../h5ad/matrix.js";
import { openH5ad, writeH5ad } from "../h5ad.js";
import type { FrameColumn } from "../util/frame.js";
import type { ProgressBar } from "./progress.js";
import { type SimulationOptions, Simulator } from "./simulate.js";

/** What the demo builds from: simulated samples, or a choice of what the given files have in common. */

export interface DemoInput {
  readonly files: readonly string[];
  readonly matrixOptions: readonly MatrixOptions[];
  readonly columnTypes: Readonly<Record<string, ColumnType>>;
}

export async function simulateFiles(
  folder: string,
  samples: number,
  options: SimulationOptions,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<DemoInput> {
  const simulator = new Simulator({ ...options, logNorm: true });
  const files: string[] = [];
  for (let index = 0; index < samples; index++) {
    bar.update("simulating samples", index, samples);
    throwIfAborted(signal);
    const sample = simulator.sample(index);
    const path = join(folder, `${sample.name}.h5ad`);
    await writeH5ad(sample, path);
    files.push(path);
  }
  bar.stop();
  return {
    files,
    matrixOptions: [
      { matrixName: "counts", dtype: "uint16" },
      { matrixName: "log-norm", dtype: "float32" },
    ],
    columnTypes: { cellids: "ascii", tissue: "ascii", cell_type: "ascii", n_counts: "int32" },
  };
}

/** Columns of cell metadata that the demo takes at most. */
const MOST_COLUMNS = 6;

/** A matrix and the columns of obs that all files have. */
export async function inspectFiles(paths: readonly string[]): Promise<DemoInput> {
  const files: FileFacts[] = [];
  for (const path of paths) files.push(await fileFacts(path));
  const [first, ...others] = files;
  const shared = [...first!.columns].filter(([name]) => others.every(({ columns }) => columns.has(name)));
  const columnTypes = shared.slice(0, MOST_COLUMNS).map(([name, type]) => {
    const same = others.every(({ columns }) => columns.get(name) === type);
    return [name, same ? type : "utf8"] as const;
  });
  return {
    files: paths,
    matrixOptions: [sharedMatrix(files)],
    columnTypes: Object.fromEntries(columnTypes),
  };
}

interface FileFacts {
  readonly path: string;
  readonly matrices: ReadonlyMap<string, MatrixDtype>;
  readonly columns: ReadonlyMap<string, ColumnType>;
}

async function fileFacts(path: string): Promise<FileFacts> {
  const source = await openH5ad(path);
  try {
    const { columns } = await source.obs();
    return {
      path,
      matrices: new Map(source.matrixNames.map((name) => [name, source.matrix(name).dtype])),
      columns: new Map([...columns].map(([name, column]) => [name, columnType(column)])),
    };
  } finally {
    await source.close();
  }
}

function columnType(column: FrameColumn): ColumnType {
  if (column.kind !== "numeric" || column.validity !== undefined) return "utf8";
  const float = column.values instanceof Float32Array || column.values instanceof Float64Array;
  return float ? "float64" : "int64";
}

/** Counts where all files have them, else raw or processed values. */
function sharedMatrix(files: readonly FileFacts[]): MatrixOptions {
  const [first, ...others] = files;
  const shared = [...first!.matrices.keys()].filter((name) =>
    others.every(({ matrices }) => matrices.has(name)),
  );
  const matrixName = ["counts", "raw/X", "X"].find((name) => shared.includes(name)) ?? shared[0];
  if (matrixName === undefined) {
    const found = files.map(({ path, matrices }) => `${path}: ${[...matrices.keys()].join(", ") || "none"}`);
    throw new NotFoundError(`the files have no matrix in common; there are: ${found.join("; ")}`);
  }
  const dtypes = new Set(files.map(({ matrices }) => matrices.get(matrixName)!));
  return { matrixName, dtype: dtypes.size === 1 ? [...dtypes][0]! : "float64" };
}
