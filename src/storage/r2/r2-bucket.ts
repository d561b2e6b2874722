/**
 * What `R2Store` uses of a bucket that a Worker of Cloudflare is bound to: a part of their `R2Bucket`, so that a binding
 * fits without their types.
 */
export interface R2Bucket {
  get(key: string, options?: { range: { offset: number; length: number } }): Promise<R2Body | null>;
  head(key: string): Promise<R2Entry | null>;
  list(options?: {
    prefix?: string;
    delimiter?: string;
    cursor?: string;
    limit?: number;
  }): Promise<R2Listing>;
  put(key: string, value: Uint8Array): Promise<unknown>;
  delete(keys: string | string[]): Promise<void>;
}

/** An object of a bucket. */
export interface R2Entry {
  readonly key: string;
  /** Bytes of the whole object. */
  readonly size: number;
}

export interface R2Body extends R2Entry {
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface R2Listing {
  readonly objects: readonly R2Entry[];
  /** Prefixes up to the delimiter, which they end with. */
  readonly delimitedPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly cursor?: string;
}
