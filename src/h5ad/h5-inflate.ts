/** The host's own inflate, for chunks of files; apart from what decodes them, so that a host can register it early. */

/** Fills `out` with what zlib-wrapped data decompress to; throws where that is not its size. */
export type InflateInto = (stored: Uint8Array, out: Uint8Array) => void;

let load: () => InflateInto | null = () => null;
let inflate: InflateInto | null | undefined;

/** Says how to get at the host's inflate, if that is faster than the HDF5 library's. Asked once, when first needed. */
export function registerInflate(host: () => InflateInto | null): void {
  load = host;
  inflate = undefined;
}

/** Null where there is none. */
export function hostInflate(): InflateInto | null {
  if (inflate === undefined) inflate = load();
  return inflate;
}

/** Decompresses zlib-wrapped data to at most `size` bytes, beside what goes on; rejects data that are no such. */
export type InflateAside = (stored: Uint8Array, size: number) => Promise<Uint8Array>;

let aside: InflateAside | null = null;

/** Says how the host decompresses on another thread. */
export function registerInflateAside(host: InflateAside): void {
  aside = host;
}

/** Null where there is none. */
export function inflateAside(): InflateAside | null {
  return aside;
}
