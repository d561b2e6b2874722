import "../node-platform.js";
import type { BuildOptions, BuildStep } from "../cellarr/build/options.js";
import { dryRunBuild } from "../cellarr/dry-run/dry-run.js";
import type { BuildReport, FileReport } from "../cellarr/dry-run/report.js";
import { ValueError } from "../errors.js";
import type { CommandContext } from "./context.js";
import { withTextSink } from "./output.js";
import { withProgressBar } from "./progress.js";
import { formatBytes, formatCount, plural } from "./table.js";

/** `cellarr build --dry-run`. */

export async function runDryRun(
  options: BuildOptions,
  json: boolean,
  context: CommandContext,
): Promise<void> {
  const report = await withProgressBar((bar) => {
    const onProgress: BuildOptions["onProgress"] = ({ step, item, done, total }) =>
      bar.update(dryRunLabel(step, item), done, total);
    return dryRunBuild({ ...options, signal: context.signal, onProgress });
  });
  const text = json ? JSON.stringify(report) : reportText(report);
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
  const errors = report.problems.filter(({ severity }) => severity === "error").length;
  if (errors > 0)
    throw new ValueError(`the build would fail: ${plural(errors, "error")}; nothing was written`);
}

function dryRunLabel(step: BuildStep, item: string): string {
  if (step === "matrix") return `reading ${item}`;
  return step === "download" ? "downloading" : "scanning files";
}

function reportText({
  genes,
  cells,
  samples,
  matrices,
  files,
  estimatedBytes,
  problems,
}: BuildReport): string {
  const lines = [
    `${plural(samples, "sample")}, ${plural(cells, "cell")}, ${plural(genes.total, "gene")}: ` +
      `${formatCount(genes.inAllFiles)} in all files, ${formatCount(genes.inOneFileOnly)} in one only, ` +
      `${formatCount(genes.inNoFile)} in none; ${formatCount(genes.leftOut)} of the files' genes left out`,
    ...matrices.map(
      ({ matrix, dtype, values, estimatedBytes: bytes, estimatedGeneMajorBytes: copy }) =>
        `${matrix}: ${plural(values, "value")} as ${dtype}, about ${formatBytes(bytes)}` +
        (copy > 0 ? ` and ${formatBytes(copy)} by gene` : ""),
    ),
    `about ${formatBytes(estimatedBytes)} in all`,
    ...files.map(fileText),
    ...problems.map(({ severity, where, message }) => `${severity}: ${where}: ${message}`),
  ];
  return lines.join("\n");
}

function fileText({ file, cells, genes, genesInStore, matrices }: FileReport): string {
  if (cells === null || genes === null) return `${file}: cannot be read`;
  const list = matrices.map(
    ({ matrix, storage, dtype, fits }) =>
      `${matrix} ${dtype} ${storage}${fits === false ? ", does not fit" : ""}`,
  );
  return `${file}: ${plural(cells, "cell")}, ${plural(genes, "gene")}, ${genesInStore ?? 0} in the store; ${list.join("; ")}`;
}
