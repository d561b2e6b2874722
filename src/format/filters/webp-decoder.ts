import { FormatError, LimitError, UnsupportedError } from "../../errors.js";
import type { PictureSize } from "./webp-image.js";

/** Pixels of a WebP picture as red, green, blue, alpha (uint8 each, not premultiplied), row by row. */
export type DecodePicture = (picture: Uint8Array, size: PictureSize) => Uint8Array;

/** Gets the decoder's WebAssembly (`webp.wasm` of the package @cwasm/webp), see `replaceWebpModule`. */
export type LoadWebpModule = () => Promise<BufferSource>;

/**
 * Where bundlers and servers of ES modules put the decoder's WebAssembly; Node has no `fetch` of files, and reads it
 * itself (codecs-node.ts).
 */
export const fetchWebpModule: LoadWebpModule = async () => {
  const response = await fetch(new URL("@cwasm/webp/webp.wasm", import.meta.url));
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.arrayBuffer();
};

/** Compiles libwebp's decoder; UnsupportedError where this platform has no WebAssembly, or does not let it be compiled. */
export async function webpDecoder(load: LoadWebpModule): Promise<DecodePicture> {
  if (typeof WebAssembly === "undefined") {
    throw new UnsupportedError(
      "webp filter: its decoder needs WebAssembly, which this platform does not have",
    );
  }
  const module = await compile(load);
  return (picture, size) => decode(module, picture, size);
}

async function compile(load: LoadWebpModule): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await load());
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new UnsupportedError(`webp filter: its decoder's WebAssembly cannot be loaded: ${text}`, { cause });
  }
}

/**
 * Each picture has an instance of its own (0.05 ms): memory of WebAssembly does not shrink again, and what a corrupt
 * picture does to it ends there.
 */
function decode(module: WebAssembly.Module, picture: Uint8Array, { width, height }: PictureSize): Uint8Array {
  const { memory, malloc, WebPDecodeRGBA } = start(module);
  const place = (bytes: number): number => {
    const at = malloc(bytes) >>> 0;
    if (at === 0) throw new LimitError(`webp filter: no memory for a picture of ${width} x ${height} pixels`);
    return at;
  };
  const source = place(picture.byteLength);
  const found = place(8);
  new Uint8Array(memory.buffer).set(picture, source);
  const at = run(() => WebPDecodeRGBA(source, picture.byteLength, found, found + 4)) >>> 0;
  const [foundWidth, foundHeight] = new Uint32Array(memory.buffer, found, 2);
  if (at === 0 || foundWidth !== width || foundHeight !== height) {
    throw new FormatError(`webp filter: the picture of ${width} x ${height} pixels is corrupt`);
  }
  return new Uint8Array(memory.buffer, at, width * height * 4);
}

function run(call: () => number): number {
  try {
    return call();
  } catch (cause) {
    throw new FormatError("webp filter: the picture is corrupt, its decoder failed", { cause });
  }
}

/** What the module exports. */
interface Decoder {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (bytes: number) => number;
  readonly WebPDecodeRGBA: (at: number, bytes: number, width: number, height: number) => number;
}

function start(module: WebAssembly.Module): Decoder {
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: files });
  if (isDecoder(exports)) return exports;
  throw new UnsupportedError("webp filter: the WebAssembly given for it is not its decoder's");
}

function isDecoder(exports: object): exports is Decoder {
  return "memory" in exports && "malloc" in exports && "WebPDecodeRGBA" in exports;
}

/** The C library would print through these; decoding does not. */
const refuse = (): never => {
  throw new Error("no files here");
};
const files = { fd_close: refuse, fd_seek: refuse, fd_write: refuse };
