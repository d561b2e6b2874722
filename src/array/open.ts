import { UnsupportedError } from "../errors.js";
import type { ArraySchema, NDRange } from "../format/array-schema.js";
import { locationUri, resolveReadable } from "../storage/resolve.js";
import type { StoreLocation } from "../storage/types.js";
import type { Enumeration } from "../format/enumeration.js";
import type { MetadataValue } from "../format/metadata.js";
import type { FragmentInfo, ReadPlan, ReadQuery, ReadResult } from "./query.js";

export interface OpenOptions {
  /**
   * Milliseconds since 1970: a moment, or [from, to] with both ends inclusive. What was written later (or before
   * `from`) is not seen. Default: everything.
   */
  readonly timestamp?: number | readonly [number, number] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An array as it was when opened: later writes are not seen. */
export class TileDBArray {
  readonly uri: string;
  readonly schema: ArraySchema;
  readonly fragments: readonly FragmentInfo[];

  constructor(uri: string, schema: ArraySchema, fragments: readonly FragmentInfo[]) {
    this.uri = uri;
    this.schema = schema;
    this.fragments = fragments;
  }

  /** The smallest box around all fragments, null where nothing was written. */
  nonEmptyDomain(): NDRange | null {
    throw new UnsupportedError("not yet");
  }

  async metadata(): Promise<ReadonlyMap<string, MetadataValue>> {
    throw new UnsupportedError("not yet");
  }

  async enumeration(_name: string): Promise<Enumeration> {
    throw new UnsupportedError("not yet");
  }

  /** What `read(query)` would do. */
  async plan(_query: ReadQuery = {}): Promise<ReadPlan> {
    throw new UnsupportedError("not yet");
  }

  async read(_query: ReadQuery = {}): Promise<ReadResult> {
    throw new UnsupportedError("not yet");
  }
}

/** Opens an array for reading. Throws NotFoundError, saying what is there instead, if it is none. */
export async function openArray(
  location: string | StoreLocation,
  _options: OpenOptions = {},
): Promise<TileDBArray> {
  const place = resolveReadable(location);
  throw new UnsupportedError("not yet", { where: locationUri(place) });
}

/** What lies at a location: an array, a group, or neither. */
export async function objectType(_location: string | StoreLocation): Promise<"array" | "group" | null> {
  throw new UnsupportedError("not yet");
}
