import { ArgumentError, FormatError, NotFoundError } from "../../errors.js";
import { childLocation, locationUri, resolveLocation, resolveReadable } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import type { Architecture } from "./architecture.js";
import type { Normalisation } from "./batches.js";
import { AUTOENCODER, autoencoderNetwork, type NetworkOptions, sizesOf } from "./network.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import type { Tensor, Weights } from "./weights.js";

/**
 * A model as a folder: `encoder.safetensors` and `decoder.safetensors`, each with PyTorch's names of that module's
 * weights, and in the metadata what the weights are of:
 *
 *     cellarr.architecture    JSON: name, geneCount, latentDim, options
 *     cellarr.genes           JSON: names of the columns, in order; absent where files of Python were converted
 *     cellarr.normalisation   JSON: lognorm, targetSum
 *     cellarr.labels          JSON: names of the labels it was trained with
 *     cellarr.version         of this list, 1
 */

export const modelParts = ["encoder", "decoder"] as const;
const VERSION = "1";

export interface ModelContent {
  readonly architecture: Architecture;
  readonly genes: readonly string[];
  readonly normalisation: Normalisation;
  readonly labels: readonly string[];
  /** Counters of batches included. */
  readonly weights: Weights;
}

/** What tells two models apart that have the same names of weights. */
export function architectureText({ name, geneCount, latentDim, options }: Architecture): string {
  return JSON.stringify({ name, geneCount, latentDim, options });
}

export function modelMetadata({ architecture, genes, normalisation, labels }: Omit<ModelContent, "weights">) {
  return {
    format: "pt",
    "cellarr.architecture": architectureText(architecture),
    "cellarr.genes": JSON.stringify(genes),
    "cellarr.normalisation": JSON.stringify(normalisation),
    "cellarr.labels": JSON.stringify(labels),
    "cellarr.version": VERSION,
  };
}

export async function writeModel(
  place: string | StoreLocation,
  content: ModelContent,
  signal?: AbortSignal,
): Promise<void> {
  const location = resolveLocation(place);
  const metadata = modelMetadata(content);
  for (const part of modelParts) {
    const tensors = new Map<string, Tensor>();
    for (const [name, tensor] of content.weights) {
      if (name.startsWith(`${part}.`)) tensors.set(name.slice(part.length + 1), tensor);
    }
    const { store, path } = childLocation(location, `${part}.safetensors`);
    await store.put(path, writeSafetensors(tensors, metadata), { signal });
  }
}

export interface LoadOptions extends Pick<NetworkOptions, "dropout" | "inputDropout" | "residual"> {
  /**
   * Genes that are going to be given: ArgumentError if the model's are others. Needed where the files do not name any.
   */
  readonly genes?: readonly string[] | undefined;
  /** Needed for networks other than Python cellarr's. */
  readonly architecture?: Architecture | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function readModel(
  place: string | StoreLocation,
  options: LoadOptions = {},
): Promise<ModelContent> {
  const location = resolveReadable(place);
  const where = locationUri(location);
  const weights = new Map<string, Tensor>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const part of modelParts) {
    const { store, path } = childLocation(location, `${part}.safetensors`);
    const bytes = await store.get(path, { signal: options.signal });
    if (bytes === undefined) throw new NotFoundError(`no file '${part}.safetensors'`, { where });
    const file = readSafetensors(bytes, `${where}/${part}.safetensors`);
    for (const [name, tensor] of file.tensors) weights.set(`${part}.${name}`, tensor);
    if (part === "encoder") metadata = file.metadata;
    else expectSame(metadata, file.metadata, where);
  }
  const read = <T>(name: string): T | undefined => parse<T>(metadata.get(`cellarr.${name}`), name, where);
  const saved = read<unknown>("genes");
  if (saved !== undefined && !isTexts(saved))
    throw new FormatError("cellarr.genes is no list of names", { where });
  const genes = chooseGenes(saved, options.genes, where);
  return {
    architecture: chooseArchitecture(read<SavedArchitecture>("architecture"), weights, options, where),
    genes,
    normalisation: read<Normalisation>("normalisation") ?? { lognorm: true, targetSum: 1e4 },
    labels: read<string[]>("labels") ?? [],
    weights,
  };
}

function expectSame(
  encoder: ReadonlyMap<string, string>,
  decoder: ReadonlyMap<string, string>,
  where: string,
) {
  for (const name of ["cellarr.architecture", "cellarr.genes"]) {
    if (encoder.get(name) === decoder.get(name)) continue;
    throw new FormatError(`encoder and decoder are of two models: their ${name} differ`, { where });
  }
}

function parse<T>(text: string | undefined, name: string, where: string): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new FormatError(`cellarr.${name} is not JSON`, { where, cause });
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

interface SavedArchitecture {
  readonly name: string;
  readonly geneCount: number;
  readonly latentDim: number;
  readonly options: NetworkOptions;
}

function chooseArchitecture(
  saved: SavedArchitecture | undefined,
  weights: Weights,
  { architecture, ...options }: LoadOptions,
  where: string,
): Architecture {
  if (architecture !== undefined) {
    const { name, geneCount, latentDim, options } = architecture;
    const ours = JSON.stringify({ name, geneCount, latentDim, options });
    if (saved === undefined || ours === JSON.stringify(saved)) return architecture;
    throw new ArgumentError(`the model's architecture is ${JSON.stringify(saved)}, not ${ours}`, { where });
  }
  if (saved === undefined) {
    const { geneCount, latentDim, hiddenDim } = sizesOf(weights, where);
    return autoencoderNetwork(geneCount, { latentDim, hiddenDim, ...options });
  }
  if (saved.name === AUTOENCODER) return autoencoderNetwork(saved.geneCount, saved.options);
  throw new ArgumentError(`the model's architecture is '${saved.name}': pass it as { architecture }`, {
    where,
  });
}

function chooseGenes(
  saved: readonly string[] | undefined,
  wanted: readonly string[] | undefined,
  where: string,
): readonly string[] {
  if (saved === undefined) {
    if (wanted !== undefined) return wanted;
    throw new ArgumentError("the files do not name the genes: pass { genes } in the order of the columns", {
      where,
    });
  }
  if (wanted !== undefined) checkGenes(saved, wanted, where);
  return saved;
}

/** Differences that a message names. */
const SHOWN = 5;

/** Throws ArgumentError naming the first differences if the genes are not the model's, in its order. */
export function checkGenes(expected: readonly string[], given: readonly string[], where?: string): void {
  const length = Math.max(expected.length, given.length);
  const differences: string[] = [];
  for (let at = 0; at < length && differences.length < SHOWN; at++) {
    if (expected[at] === given[at]) continue;
    differences.push(`${at}: ${named(given[at])}, expected ${named(expected[at])}`);
  }
  if (differences.length === 0) return;
  const counts =
    expected.length === given.length ? "" : ` (${given.length} genes, expected ${expected.length})`;
  throw new ArgumentError(
    `the genes are not the model's, in its order${counts}; first differences: ${differences.join("; ")}`,
    where === undefined ? {} : { where },
  );
}

function named(gene: string | undefined): string {
  return gene === undefined ? "none" : `'${gene}'`;
}
