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
