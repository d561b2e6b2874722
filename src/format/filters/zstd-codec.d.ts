declare module "zstd-codec" {
  export interface ZstdSimple {
    compress(bytes: Uint8Array, level?: number): Uint8Array | null;
  }
  export const ZstdCodec: {
    run(callback: (zstd: { readonly Simple: new () => ZstdSimple }) => void): void;
  };
}
