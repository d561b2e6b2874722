import { FormatError } from "../errors.js";
import {
  type Chunk,
  type ChunkIndex,
  decodeChunk,
  expectBytes,
  readChunkIndex,
  type StoredFilter,
} from "./h5-chunks.js";
import type { ReadAt } from "./h5-file.js";
import { GlobalHeap } from "./h5-global-heap.js";

/** Bytes that a chunk may have where the file is smaller than that. */
const PLAUSIBLE_CHUNK = 1 << 26;

/** Reads rows of a dataset from its chunks as they lie in the file; see h5-chunks.ts for when. */
export class ChunkReader {
  /** Bytes of a row in the file. */
  readonly rowBytes: number;
  readonly heap: GlobalHeap;
  private readonly read: ReadAt;
  private readonly index: ChunkIndex;
  private readonly shape: readonly number[];
  private readonly filters: readonly StoredFilter[];
  /** The chunk that was last read in part, and its number: the next range often starts within it. */
  private kept = new Uint8Array(0);
  private keptBand = -1;

  /** @param address of the dataset's object header */
  constructor(
    read: ReadAt,
    fileSize: number,
    address: number,
    shape: readonly number[],
    filters: readonly StoredFilter[],
  ) {
    this.read = read;
    this.shape = shape;
    this.filters = filters;
    this.index = readChunkIndex(read, address);
    this.heap = new GlobalHeap(read, fileSize);
    const { lengths, elementSize } = this.index;
    const chunkBytes = product(lengths) * elementSize;
    if (lengths.length !== shape.length || chunkBytes > Math.max(PLAUSIBLE_CHUNK, fileSize * 256)) {
      throw new FormatError(`chunks of ${lengths.join(" x ")}, ${chunkBytes} bytes`);
    }
    this.rowBytes = product(shape.slice(1)) * elementSize;
  }

  /** Calls `work` with the bytes of rows [start, end), a band of chunks at a time. Absent chunks are zeros. */
  pieces(start: number, end: number, work: (bytes: Uint8Array, row: number) => void): void {
    const bandRows = this.index.lengths[0]!;
    for (let row = start; row < end; ) {
      const band = Math.floor(row / bandRows);
      const first = band * bandRows;
      const last = Math.min(this.shape[0]!, first + bandRows);
      const bytes = this.band(band, last - first);
      const next = Math.min(end, last);
      work(bytes.subarray((row - first) * this.rowBytes, (next - first) * this.rowBytes), row);
      row = next;
    }
  }

  /**
   * Writes rows [start, end) of a dataset of one dimension to `out`; whole chunks go straight there. Throws FormatError
   * where a chunk is absent: what is there instead only the library knows.
   */
  fill(start: number, end: number, out: Uint8Array): void {
    const length = this.index.lengths[0]!;
    for (let row = start; row < end; ) {
      const band = Math.floor(row / length);
      const first = band * length;
      const next = Math.min(end, first + length);
      const target = out.subarray((row - start) * this.rowBytes, (next - start) * this.rowBytes);
      if (row === first && next === first + length) this.decode(this.only(band), target);
      else {
        const bytes = this.keep(band);
        target.set(bytes.subarray((row - first) * this.rowBytes, (next - first) * this.rowBytes));
      }
      row = next;
    }
  }

  private keep(band: number): Uint8Array {
    if (band === this.keptBand) return this.kept;
    this.keptBand = -1;
    const size = this.index.lengths[0]! * this.rowBytes;
    if (this.kept.length !== size) this.kept = new Uint8Array(size);
    this.decode(this.only(band), this.kept);
    this.keptBand = band;
    return this.kept;
  }

  private only(band: number): Chunk {
    const chunks = this.index.bands.get(band);
    if (chunks?.length === 1) return chunks[0]!;
    throw new FormatError(`${chunks?.length ?? 0} chunks of band ${band}, expected 1`);
  }

  private band(band: number, rows: number): Uint8Array {
    const chunks = this.index.bands.get(band) ?? [];
    const only = chunks.length === 1 && this.shape.length === 1 ? chunks[0] : undefined;
    if (only !== undefined) return this.decode(only);
    const bytes = new Uint8Array(rows * this.rowBytes);
    for (const chunk of chunks) this.place(chunk, this.decode(chunk), bytes, rows);
    return bytes;
  }

  private decode(chunk: Chunk, into?: Uint8Array): Uint8Array {
    const { lengths, elementSize } = this.index;
    const stored = expectBytes(this.read, chunk.address, chunk.bytes);
    return decodeChunk(stored, chunk.mask, this.filters, product(lengths) * elementSize, elementSize, into);
  }

  /** Copies a chunk to its place among the rows of its band, line by line, without what sticks out at the edges. */
  private place(chunk: Chunk, from: Uint8Array, to: Uint8Array, rows: number): void {
    const { lengths, elementSize } = this.index;
    const last = lengths.length - 1;
    const extent = [rows, ...this.shape.slice(1)];
    const origin = [0, ...chunk.offsets.slice(1)];
    if (origin.some((at, d) => at >= extent[d]!)) {
      throw new FormatError(`chunk at ${chunk.offsets.join(", ")} of a dataset of ${this.shape.join(" x ")}`);
    }
    const lineBytes = Math.min(lengths[last]!, extent[last]! - origin[last]!) * elementSize;
    const lines = product(lengths.slice(0, last));
    for (let line = 0; line < lines; line++) {
      const target = lineTarget(line, lengths, origin, extent);
      if (target < 0) continue;
      const source = line * lengths[last]! * elementSize;
      to.set(from.subarray(source, source + lineBytes), target * elementSize);
    }
  }
}

/** Where line `line` of a chunk starts in the whole, in elements; -1 for one that sticks out. */
function lineTarget(
  line: number,
  lengths: readonly number[],
  origin: readonly number[],
  extent: readonly number[],
): number {
  const last = lengths.length - 1;
  let rest = line;
  let target = origin[last]!;
  let stride = extent[last]!;
  for (let axis = last - 1; axis >= 0; axis--) {
    const place = origin[axis]! + (rest % lengths[axis]!);
    if (place >= extent[axis]!) return -1;
    rest = Math.floor(rest / lengths[axis]!);
    target += place * stride;
    stride *= extent[axis]!;
  }
  return target;
}

function product(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all * length, 1);
}
