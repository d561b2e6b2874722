import type { CellArrDataset } from "../cellarr/dataset.js";
import type { Produce } from "./body.js";
import type { Format } from "./formats.js";
import type { Limits } from "./options.js";
import type { Parameters } from "./parameters.js";

/** What routes on a store are given, and what they give. */

export interface RouteContext {
  /** The store's name in paths. */
  readonly name: string;
  readonly dataset: CellArrDataset;
  readonly parameters: Parameters;
  readonly format: Format;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** The query of a GET; null of a POST. */
  readonly query: URLSearchParams | null;
}

/** An answer of which only the body is still to be made: a HEAD does without. */
export interface Prepared {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly produce: Produce;
}

export interface Route {
  /** The first is what comes where nothing is asked. */
  readonly formats: readonly Format[];
  readonly parameters: readonly string[];
  /** Checks what is asked, and its size. */
  prepare(context: RouteContext): Promise<Prepared>;
}
