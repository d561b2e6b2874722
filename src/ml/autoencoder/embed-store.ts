import { objectType } from "../../array/open.js";
import { createArray } from "../../array/write/create.js";
import { putMetadata } from "../../array/write/metadata-io.js";
import { writeDense } from "../../array/write/write-dense.js";
import type { CellArrDataset } from "../../cellarr/dataset.js";
import { storeNames } from "../../cellarr/layout.js";
import { ExistsError } from "../../errors.js";
import { AnnData } from "../../h5ad/anndata.js";
import type { DenseMatrix } from "../../h5ad/matrix.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { childLocation, locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { allCells } from "../loader/all-cells.js";
import { CellReader } from "../loader/cell-reader.js";
import type { AutoEncoder } from "./model.js";

/** The latent space of a whole store: in memory, as an array of the store, in annotated data. */

const ATTRIBUTE = "value";

/** Cells that are read together. */
const READ_CELLS = 1000;
/** Rows of a tile, and of what is written at once: a fragment each. */
const TILE_CELLS = 4096;
const WRITTEN_CELLS = 16 * TILE_CELLS;

export interface EmbedOptions {
  /** Default "counts", or the only matrix there is. */
  readonly matrix?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Cells that are embedded, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface WriteEmbeddingOptions extends EmbedOptions {
  /** Name of the array in the store's folder "embeddings"; default "latent". */
  readonly name?: string | undefined;
  /** Replaces an array of that name; default false. */
  readonly overwrite?: boolean | undefined;
  readonly storage?: StorageOptions | undefined;
}

/** The store's cells in order, block after block: row-major values of `cells` x latent. */
async function* embedded(
  model: AutoEncoder,
  dataset: CellArrDataset,
  { matrix, signal, onProgress }: EmbedOptions,
): AsyncGenerator<Float32Array, void, void> {
  const { lognorm, targetSum } = model.normalisation;
  const reader = await CellReader.open(dataset, { geneOrder: model.genes, matrix, lognorm, targetSum });
  let done = 0;
  for await (const batch of allCells(dataset, reader, { batchSize: READ_CELLS, prefetch: 1, signal })) {
    const latent = await model.encode(batch, { signal });
    yield latent.values as Float32Array;
    done += batch.cellCount;
    onProgress?.(done, dataset.numberOfCells);
  }
}

/** Cells x latent of all cells. NotFoundError for genes of the model that the store has not. */
export async function embedDataset(
  model: AutoEncoder,
  dataset: CellArrDataset,
  options: EmbedOptions = {},
): Promise<DenseMatrix> {
  const { latentDim } = model.architecture;
  const values = new Float32Array(dataset.numberOfCells * latentDim);
  let at = 0;
  for await (const block of embedded(model, dataset, options)) {
    values.set(block, at);
    at += block.length;
  }
  return { format: "dense", shape: [dataset.numberOfCells, latentDim], values };
}

/**
 * Writes the embedding of all cells into the store, as a dense array of float32 (attribute "value"); returns its URI.
 * Nothing stays there if it fails. ExistsError if there is one of that name.
 */
export async function writeEmbedding(
  model: AutoEncoder,
  dataset: CellArrDataset,
  store: string | StoreLocation,
  options: WriteEmbeddingOptions = {},
): Promise<string> {
  const { name = "latent", overwrite = false, signal } = options;
  const place = childLocation(resolveLocation(store, options.storage), storeNames.embeddings, name);
  const isThere = (await objectType(place)) !== null;
  if (isThere && !overwrite) {
    throw new ExistsError("there is an embedding of that name; say overwrite to replace it", {
      where: locationUri(place),
    });
  }
  const blocks = embedded(model, dataset, options);
  // Before anything is written: what is wrong with the genes shows here.
  const first = await blocks.next();
  await createArray(place, embeddingSchema(dataset.numberOfCells, model.architecture.latentDim), {
    overwrite,
    signal,
  });
  try {
    await writeBlocks(place, model.architecture.latentDim, first, blocks, signal);
    await putMetadata(
      place,
      { architecture: model.architecture.name, matrix: options.matrix ?? null },
      { signal },
    );
  } catch (error) {
    await place.store.deletePrefix(place.path);
    throw error;
  }
  return locationUri(place);
}

function embeddingSchema(cells: number, latentDim: number) {
  const rows = Math.max(1, cells);
  return {
    arrayType: "dense" as const,
    dimensions: [
      {
        name: "cell_index",
        datatype: "uint32" as const,
        domain: [0, rows - 1] as const,
        tileExtent: Math.min(rows, TILE_CELLS),
      },
      {
        name: "latent_index",
        datatype: "uint32" as const,
        domain: [0, latentDim - 1] as const,
        tileExtent: latentDim,
      },
    ],
    attributes: [{ name: ATTRIBUTE, datatype: "float32" as const, filters: ["zstd" as const] }],
  };
}

/** Blocks are gathered until they fill tiles. */
async function writeBlocks(
  place: ReturnType<typeof resolveLocation>,
  latentDim: number,
  first: IteratorResult<Float32Array, void>,
  blocks: AsyncGenerator<Float32Array, void, void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let written = 0;
  let waiting = new Float32Array(0);
  const write = async (cells: number) => {
    const box = [
      [written, written + cells - 1],
      [0, latentDim - 1],
    ] as const;
    await writeDense(place, box, { [ATTRIBUTE]: waiting.slice(0, cells * latentDim) }, { signal });
    waiting = waiting.slice(cells * latentDim);
    written += cells;
  };
  for (let next = first; !next.done; next = await blocks.next()) {
    const joined = new Float32Array(waiting.length + next.value.length);
    joined.set(waiting);
    joined.set(next.value, waiting.length);
    waiting = joined;
    if (waiting.length >= WRITTEN_CELLS * latentDim) await write(WRITTEN_CELLS);
  }
  if (waiting.length > 0) await write(waiting.length / latentDim);
}

/** The same annotated data with the latent space in `obsm`, where scanpy looks for such. */
export function withEmbedding(adata: AnnData, latent: DenseMatrix, name = "X_cellarr"): AnnData {
  const { shape, values } = latent;
  const obsm = new Map(adata.obsm).set(name, { kind: "array", shape, values });
  return new AnnData({ ...adata, obsm });
}
