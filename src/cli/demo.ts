import "../node-platform.js";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CellArrDataset } from "../cellarr/dataset.js";
import { viewOf } from "../cellarr/export/slice-json.js";
import { slice } from "../cellarr/selection.js";
import { NotFoundError } from "../errors.js";
import { columnValues, textValues } from "../util/frame.js";
import { buildWithProgress } from "./build.js";
import type { CommandContext } from "./context.js";
import { type DemoInput, inspectFiles, simulateFiles } from "./demo-input.js";
import { folderBytes } from "./folder-bytes.js";
import { sliceText } from "./format-text.js";
import { withTextSink } from "./output.js";
import { parseCount } from "./parse.js";
import { createProgressBar } from "./progress.js";
import { formatBytes, formatDuration, plural, styled } from "./table.js";

/** `cellarr demo`: the main job from files to a slice, and what to try next. */

export interface DemoOptions {
  readonly out?: string;
  readonly cells: string;
  readonly genes: string;
  readonly samples: string;
  readonly seed: string;
  readonly overwrite?: boolean;
}

export async function runDemo(
  files: readonly string[],
  options: DemoOptions,
  context: CommandContext,
): Promise<void> {
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new NotFoundError("no such file", { where: missing });
  const simulation = {
    cells: parseCount(options.cells, "--cells", 1),
    genes: parseCount(options.genes, "--genes", 1),
    seed: parseCount(options.seed, "--seed"),
  };
  const samples = parseCount(options.samples, "--samples", 1);
  // Without files and --out everything is in one temporary folder, which stays: the store is for trying things.
  const folder = files.length === 0 || options.out === undefined ? await temporaryFolder() : undefined;
  const store = options.out ?? join(folder!, "store");
  try {
    const bar = await createProgressBar();
    const input =
      files.length === 0
        ? await simulateFiles(folder!, samples, simulation, bar, context.signal)
        : await inspectFiles(files);
    await print(context, inputText(input, files.length === 0));
    await buildAndShow(input, store, options.overwrite ?? false, context);
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "cellarr-demo-"));
}

async function buildAndShow(
  input: DemoInput,
  store: string,
  overwrite: boolean,
  context: CommandContext,
): Promise<void> {
  const { files, matrixOptions, columnTypes } = input;
  const start = performance.now();
  const build = { outputPath: store, files, matrixOptions, cellMetadataOptions: { columnTypes }, overwrite };
  const dataset = await buildWithProgress(build, store, context);
  const built = formatDuration(performance.now() - start);
  const [cells, genes] = dataset.shape;
  await print(
    context,
    `${heading("2. Store")}
  ${store}
  ${plural(cells, "cell")} x ${plural(genes, "gene")}, matrices ${dataset.matrixNames.join(", ")}, ` +
      `${formatBytes((await folderBytes(store, context)) ?? 0)}, built in ${built}\n\n`,
  );
  const names = await expressedGenes(dataset, context.signal);
  const asked = performance.now();
  const part = await dataset.get(slice(0, Math.min(10, cells - 1)), names, { signal: context.signal });
  const took = formatDuration(performance.now() - asked);
  await print(
    context,
    `${heading("3. Query")}
  dataset.get(slice(0, ${part.shape[0] - 1}), [${names.map((name) => JSON.stringify(name)).join(", ")}])   ${took}\n
${indent(sliceText(viewOf(part)))}\n`,
  );
  await print(context, nextSteps(store, cells, names, await condition(dataset)));
}

async function print({ signal }: CommandContext, text: string): Promise<void> {
  await withTextSink(undefined, signal, async (sink) => {
    await sink.write(text);
  });
}

function heading(text: string): string {
  return styled(process.stdout, "bold", text);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function inputText({ files }: DemoInput, simulated: boolean): string {
  const shown = files.slice(0, 5).map((file) => `  ${file}`);
  const more = files.length > 5 ? [`  … and ${files.length - 5} more`] : [];
  const title = `1. ${plural(files.length, "H5AD file")}${simulated ? ", simulated" : ""}`;
  return `${heading(title)}\n${[...shown, ...more].join("\n")}\n\n`;
}

/** The five genes with the most values in the first cells, so that the table has something to show. */
async function expressedGenes(dataset: CellArrDataset, signal: AbortSignal): Promise<string[]> {
  const last = Math.min(10, dataset.numberOfCells - 1);
  const part = await dataset.get(slice(0, last), slice(), {
    signal,
    matrices: dataset.matrixNames.slice(0, 1),
  });
  const totals = new Uint32Array(part.shape[1]);
  for (const gene of part.matrix(part.matrixNames[0]!).indices) totals[gene]!++;
  const genes = textValues(part.geneAnnotation.index);
  const order = Array.from(totals.keys()).sort((a, b) => totals[b]! - totals[a]!);
  return order.slice(0, 5).map((gene) => genes[gene] ?? "");
}

/** A condition on a column of text with few values, or undefined where there is none. */
async function condition(dataset: CellArrDataset): Promise<string | undefined> {
  for (const name of dataset.getCellMetadataColumns()) {
    if (name.startsWith("cellarr_") || !/^\w+$/.test(name)) continue;
    const values = columnValues(await dataset.getCellMetadataColumn(name));
    const different = new Set(values);
    const [first] = different;
    if (different.size > 20 || typeof first !== "string" || !/^[\w .+-]+$/.test(first)) continue;
    return `${name} == '${first}'`;
  }
  return undefined;
}

function nextSteps(
  store: string,
  cells: number,
  genes: readonly string[],
  where: string | undefined,
): string {
  const run = import.meta.url.includes("/node_modules/") ? "npx cellarr" : "npm run --silent cellarr --";
  const place = shellWord(store);
  const some = shellWord(genes.slice(0, 3).join(","));
  const picked = [5, 300, 17].map((cell) => cell % cells);
  const commands = [
    `info ${place}`,
    `query ${place} --cells ${picked.join(",")} --genes ${some} --format json`,
    ...(where === undefined ? [] : [`query ${place} --where "${where}" --genes ${some}`]),
    `query ${place} --cells 0:${Math.min(99, cells - 1)} --format h5ad -o slice.h5ad`,
    `array inspect ${shellWord(join(store, "cell_metadata"))}`,
    "demo your.h5ad other.h5ad",
    "build --help",
  ];
  return `${heading("4. Try next")}\n${commands.map((command) => `  ${run} ${command}`).join("\n")}\n`;
}

/** Quoted for a shell where that is needed. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
