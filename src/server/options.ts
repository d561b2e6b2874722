import type { CellArrDataset } from "../cellarr/dataset.js";
import type { DatasetOptions } from "../cellarr/dataset-parts.js";
import { ArgumentError } from "../errors.js";
import type { StoreLocation } from "../storage/types.js";

/** What a handler is made of. */

/** Where a store is, or one that is open: that one is never opened again. */
export type StoreSource = string | StoreLocation | CellArrDataset;

/** What one answer may cost; beyond it the answer is 413 and names the limit. */
export interface Limits {
  /** Cells x genes x matrices of a slice, zeros included. Default 50 million. */
  readonly values: number;
  /** Rows of metadata in one answer. Default 100,000. */
  readonly rows: number;
  /** Bytes of an answer's body. Default 128 MiB. */
  readonly bytes: number;
  /** Bytes of a request's body. Default 1 MiB. */
  readonly requestBytes: number;
}

export const defaultLimits: Limits = {
  values: 50_000_000,
  rows: 100_000,
  bytes: 128 * 2 ** 20,
  requestBytes: 2 ** 20,
};

export interface HandlerOptions {
  /** Path below which the routes lie, such as "/api". Default none. */
  readonly basePath?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** `Cache-Control` of answers to GET. Default "no-cache": kept, but asked for again with the ETag. */
  readonly cacheControl?: string | undefined;
  /** Pages of which origins may read answers: "*" for all, or a list of origins. Default none. */
  readonly cors?: "*" | readonly string[] | undefined;
  /**
   * Milliseconds for which an open store is used before it is looked at again; where it has changed, it is opened anew.
   * Default 10,000. Infinity: never.
   */
  readonly refreshMs?: number | undefined;
  /** How stores are opened, as `CellArrDataset.open` takes it. */
  readonly open?: Omit<DatasetOptions, "signal"> | undefined;
  /** Told what answers with a status of 500 and more leave out; a message may name paths. */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined;
}

export interface CheckedOptions {
  /** Without a slash at its end. */
  readonly basePath: string;
  readonly limits: Limits;
  readonly cacheControl: string;
  readonly cors: "*" | readonly string[];
  readonly refreshMs: number;
  readonly open: Omit<DatasetOptions, "signal">;
  readonly onError: (error: unknown, request: Request) => void;
}

/** With defaults. Throws ArgumentError for what makes no sense. */
export function checkOptions(options: HandlerOptions): CheckedOptions {
  const basePath = (options.basePath ?? "").replace(/\/+$/, "");
  if (basePath !== "" && !basePath.startsWith("/")) {
    throw new ArgumentError(`basePath '${basePath}', expected it to start with a slash`);
  }
  const limits = { ...defaultLimits, ...options.limits };
  for (const [name, limit] of Object.entries(limits)) {
    if (!(name in defaultLimits)) throw new ArgumentError(`no limit '${name}'`);
    if (!(limit > 0)) throw new ArgumentError(`limit ${name}: ${limit}, expected a number above 0`);
  }
  for (const origin of options.cors === "*" ? [] : (options.cors ?? [])) checkOrigin(origin);
  const refreshMs = options.refreshMs ?? 10_000;
  if (!(refreshMs >= 0)) throw new ArgumentError(`refreshMs ${refreshMs}, expected 0 or more`);
  return {
    basePath,
    limits,
    cacheControl: options.cacheControl ?? "no-cache",
    cors: options.cors ?? [],
    refreshMs,
    open: options.open ?? {},
    onError: options.onError ?? (() => {}),
  };
}

/** Browsers send origins like this and nothing else: any other text would never be equal to one. */
function checkOrigin(origin: string): void {
  if (origin === "null" || /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@A-Z]+$/.test(origin)) return;
  throw new ArgumentError(`cors '${origin}', expected an origin such as https://example.org, without a path`);
}
