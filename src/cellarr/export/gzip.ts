/** One gzip member, written as it comes. */

export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Compresses what `produce` writes into `write`; ends when all is written, or with the first error. */
export type Gzip = (write: WriteBytes, produce: (write: WriteBytes) => Promise<void>) => Promise<void>;

let platform: (() => Promise<Gzip>) | undefined;

/** For the Node entries: what compresses in the place of CompressionStream. */
export function setGzip(load: () => Promise<Gzip>): void {
  platform = load;
}

/** The platform's, if it has one of its own. */
export async function platformGzip(): Promise<Gzip | undefined> {
  return platform?.();
}
