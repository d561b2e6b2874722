import "../node-platform.js";
import type { CellArrDataset } from "../cellarr/dataset.js";
import { slice } from "../cellarr/selection.js";
import { AnnData } from "../h5ad/anndata.js";
import { writeH5ad } from "../h5ad/write-anndata.js";
import { embedDataset, withEmbedding, writeEmbedding } from "../ml/autoencoder/embed-store.js";
import { AutoEncoder } from "../ml/autoencoder/model.js";
import { Frame, textColumn } from "../util/frame.js";
import type { CommandContext } from "./context.js";
import { openStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { withProgressBar } from "./progress.js";
import { plural } from "./table.js";

/** `cellarr embed`: the latent space of all cells of a store. */

export interface EmbedCommandOptions {
  readonly name: string;
  readonly matrix?: string;
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export async function runEmbed(
  store: string,
  folder: string,
  options: EmbedCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { signal, storage } = context;
  const dataset = await openStore(store, context);
  const model = await AutoEncoder.load(folder, { signal });
  const { output, overwrite, matrix, name } = options;
  const where = await withProgressBar((bar) => {
    const onProgress = (done: number, total: number) => bar.update("embedding cells", done, total);
    const common = { matrix, overwrite, signal, onProgress };
    if (output !== undefined) return writeFile(model, dataset, output, common);
    return writeEmbedding(model, dataset, store, { ...common, name, storage });
  });
  const shape = [dataset.numberOfCells, model.architecture.latentDim];
  const text = options.json
    ? JSON.stringify({ where, shape })
    : `embedded ${plural(shape[0]!, "cell")} in ${plural(shape[1]!, "dimension")}: ${where}`;
  await withTextSink(undefined, signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

/** The cell metadata with the embedding; no matrix, no genes. */
async function writeFile(
  model: AutoEncoder,
  dataset: CellArrDataset,
  output: string,
  options: Parameters<typeof embedDataset>[2] & { overwrite: boolean | undefined },
): Promise<string> {
  const latent = await embedDataset(model, dataset, options);
  const obs = await dataset.getCellSubset(slice(), undefined, { signal: options.signal });
  const cells = new AnnData({ obs, var: new Frame(textColumn([]), new Map()) });
  await writeH5ad(withEmbedding(cells, latent), output, { overwrite: options.overwrite ?? false });
  return output;
}
