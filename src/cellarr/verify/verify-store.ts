import { objectType, openArray, type TileDBArray } from "../../array/open.js";
import type { Defect, VerifyContext } from "../../array/verify/defect.js";
import { attempt, verifyArray } from "../../array/verify/verify-array.js";
import { throwIfAborted } from "../../errors.js";
import { lastPart } from "../../storage/key.js";
import { childLocation, locationUri, resolveReadable } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { geneMajorFolder, geneMajorPlace } from "../by-gene/gene-major-state.js";
import { type DatasetOptions, frameNames } from "../dataset-parts.js";
import { FrameReader } from "../frames/frame-reader.js";
import { storeNames } from "../layout.js";
import { verifyCopy } from "./verify-copy.js";
import { verifyGenes, verifyRows, verifySamples } from "./verify-frames.js";
import { verifyMatrix } from "./verify-matrix.js";
import { type SummarizedFrames, verifySummaries } from "./verify-summaries.js";

export interface VerifyOptions
  extends Pick<
    DatasetOptions,
    "assayTiledbGroup" | "geneAnnotationUri" | "cellMetadataUri" | "sampleMetadataUri" | "storage" | "signal"
  > {
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Called with each defect as it is found. */
  readonly onDefect?: ((defect: Defect) => void) | undefined;
}

export interface VerifyProgress {
  /** Part that is being read, such as "assays/counts". */
  readonly part: string;
  /** Stored bytes of tiles read so far, of all parts. */
  readonly done: number;
  /** Bytes of all files. */
  readonly total: number;
}

export interface VerifyReport {
  readonly where: string;
  /** True if no defect is an error. */
  readonly ok: boolean;
  readonly defects: readonly Defect[];
  /** Parts that were read, such as "cell_metadata", "assays/counts". */
  readonly parts: readonly string[];
  /** Stored bytes of tiles that were read. */
  readonly bytes: number;
}

/**
 * Reads all of a store and reports every defect: of files, tiles and their statistics, of the parts' sizes, samples and
 * names, of summaries and gene-major copies, and what is there besides. Writes nothing. Throws AbortedError, and what a place throws
 * that cannot be listed.
 */
export async function verifyStore(
  path: string | StoreLocation,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const location = resolveReadable(path, options.storage);
  const { store, path: prefix } = location;
  const { signal } = options;
  const files = await store.list(prefix, { recursive: true, ...(signal && { signal }) });
  const total = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const check = new StoreCheck(location, options, total);
  await check.run();
  return check.result();
}

class StoreCheck {
  readonly #location: StoreLocation;
  readonly #options: VerifyOptions;
  readonly #context: VerifyContext;
  readonly #defects: Defect[] = [];
  readonly #parts: string[] = [];
  #part = "";
  #bytes = 0;

  constructor(location: StoreLocation, options: VerifyOptions, total: number) {
    this.#location = location;
    this.#options = options;
    this.#context = {
      signal: options.signal,
      report: (defect) => {
        this.#defects.push(defect);
        options.onDefect?.(defect);
      },
      onBytes: (bytes) => {
        this.#bytes += bytes;
        options.onProgress?.({ part: this.#part, done: this.#bytes, total });
      },
    };
  }

  async run(): Promise<void> {
    const [genes, cells, samples] = frameNames(this.#options) as [string, string, string];
    const frames = {
      genes: await this.#frame(genes),
      cells: await this.#frame(cells),
      samples: await this.#frame(samples),
    };
    const context = this.#context;
    for (const frame of Object.values(frames)) if (frame !== undefined) verifyRows(frame, context);
    if (frames.genes !== undefined) await verifyGenes(frames.genes, context);
    if (frames.samples !== undefined) await verifySamples(frames.samples, frames.cells, context);
    const group = await this.#group();
    const names = await this.#matrixNames(group);
    for (const name of names) {
      const place = childLocation(this.#location, ...parts(group), name);
      const before = this.#defects.length;
      const matrix = await this.#array([...parts(group), name].join("/"), place);
      if (matrix === undefined) continue;
      const size = { cells: frames.cells?.rowCount, genes: frames.genes?.rowCount };
      const fits = await verifyMatrix(matrix, size, context);
      const isRead = this.#defects.slice(before).every(({ kind }) => kind !== "unreadable");
      if (fits && isRead) await this.#summaries(matrix, name, names, frames);
      this.#part = `${geneMajorFolder(group)}/${name}`;
      const copy = geneMajorPlace(this.#location, group, name);
      if (await verifyCopy(copy, name, matrix, context)) this.#parts.push(this.#part);
    }
    await this.#besides([genes, cells, samples], group, names);
  }

  result(): VerifyReport {
    const ok = this.#defects.every(({ severity }) => severity !== "error");
    const where = locationUri(this.#location);
    return { where, ok, defects: this.#defects, parts: this.#parts, bytes: this.#bytes };
  }

  async #summaries(
    matrix: TileDBArray,
    name: string,
    names: readonly string[],
    { genes, cells }: Record<keyof SummarizedFrames, FrameReader | undefined>,
  ): Promise<void> {
    if (genes === undefined || cells === undefined) return;
    await attempt(matrix.uri, this.#context, () =>
      verifySummaries(matrix, name, names, { genes, cells }, this.#context),
    );
  }

  async #frame(name: string): Promise<FrameReader | undefined> {
    const array = await this.#array(name, childLocation(this.#location, ...name.split("/")));
    if (array === undefined) return undefined;
    return attempt(array.uri, this.#context, async () => new FrameReader(array));
  }

  /** Verified tile by tile, and open if it can be opened. */
  async #array(name: string, place: StoreLocation): Promise<TileDBArray | undefined> {
    const { signal } = this.#options;
    throwIfAborted(signal);
    this.#part = name;
    const where = locationUri(place);
    if ((await objectType(place, { signal })) !== "array") {
      const message = `the part '${name}' is not there`;
      this.#context.report({ kind: "missing-part", severity: "error", where, message });
      return undefined;
    }
    this.#parts.push(name);
    const before = this.#defects.length;
    await attempt(where, this.#context, () => verifyArray(place, this.#context));
    try {
      return await openArray(place, { signal });
    } catch (error) {
      throwIfAborted(signal);
      // What was found tile by tile says why.
      if (this.#defects.slice(before).some(({ severity }) => severity === "error")) return undefined;
      return attempt(where, this.#context, () => Promise.reject(error));
    }
  }

  async #group(): Promise<string> {
    const given = this.#options.assayTiledbGroup;
    if (given !== undefined) return given ?? "";
    const { assays } = storeNames;
    const folders = await this.#folders(this.#location);
    return folders.includes(assays) ? assays : "";
  }

  async #matrixNames(group: string): Promise<string[]> {
    const place = childLocation(this.#location, ...parts(group));
    const frames = group === "" ? frameNames(this.#options) : [];
    const names: string[] = [];
    for (const name of await this.#folders(place)) {
      if (name.startsWith("__") || frames.includes(name)) continue;
      if ((await objectType(childLocation(place, name))) === "array") names.push(name);
    }
    if (names.length === 0) {
      const where = locationUri(place);
      this.#context.report({
        kind: "missing-part",
        severity: "error",
        where,
        message: "there are no matrices",
      });
    }
    return names;
  }

  async #folders({ store, path }: StoreLocation): Promise<string[]> {
    const entries = await store.list(path, { recursive: false });
    return entries.filter(({ size }) => size === undefined).map(({ key }) => lastPart(key));
  }

  /** What lies in the store and belongs to none of its parts. */
  async #besides(frames: readonly string[], group: string, matrices: readonly string[]): Promise<void> {
    const copies = geneMajorFolder(group);
    const inRoot = [...frames, ...(group === "" ? matrices : [group]), copies, storeNames.embeddings].map(
      (name) => name.split("/")[0]!,
    );
    await this.#others(this.#location, inRoot);
    if (group !== "") await this.#others(childLocation(this.#location, ...parts(group)), matrices);
    await this.#others(childLocation(this.#location, ...parts(copies)), matrices);
  }

  async #others(place: StoreLocation, known: readonly string[]): Promise<void> {
    const { store, path } = place;
    for (const { key, size } of await store.list(path, { recursive: false })) {
      const name = lastPart(key);
      // Groups of TileDB keep files of such names.
      if (known.includes(name) || name.startsWith("__")) continue;
      const where = `${store.uri}/${key}`;
      if (name.startsWith(".cellarr-")) {
        const message = "left by a build or an index that was interrupted; the next one removes it";
        this.#context.report({ kind: "leftover", severity: "warning", where, message });
        continue;
      }
      const what = size === undefined ? "folder" : "file";
      const message = `a ${what} that belongs to no part of the store`;
      this.#context.report({ kind: "unknown-file", severity: "warning", where, message });
    }
  }
}

function parts(group: string): string[] {
  return group === "" ? [] : group.split("/");
}
