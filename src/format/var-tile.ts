import { ArgumentError, FormatError, LimitError } from "../errors.js";
import { viewAs } from "../util/typed-arrays.js";
import { ByteReader } from "./byte-reader.js";
import { type LoadedPipeline, runForward, runReverse } from "./filters/pipeline.js";
import { encodeDictionary, encodeRuns } from "./filters/string-encode.js";
import type { Strings } from "./filters/strings.js";
import { checkChunks, decodeTile, encodeChunks, encodeTile, joinChunks, locateErrors } from "./fixed-tile.js";

/**
 * Tiles of variable-length cells (format_spec/tile.md and filter_pipeline.md): one tile with the byte offset of each
 * cell (uint64, from the start of the other tile, without an end offset), and one with the cells' bytes. Where the data
 * pipeline codes strings (see filters/string-decode.ts) the offsets' tile has no chunks.
 */

/** Cells of variable length. */
export interface VarCells {
  /** Cells + 1 byte offsets: cell i has the bytes from offsets[i] to offsets[i + 1], exclusive. */
  readonly offsets: Uint32Array;
  readonly data: Uint8Array;
}

/**
 * Undoes the filters of both tiles of a variable-length field.
 *
 * @param wanted first and last of the cells, exclusive, whose offsets are returned and checked; the data are those of all
 */
export function decodeVarTile(
  storedOffsets: Uint8Array,
  storedData: Uint8Array,
  offsetsPipeline: LoadedPipeline,
  dataPipeline: LoadedPipeline,
  cellCount: number,
  dataSize: number,
  where?: string,
  wanted: readonly [number, number] = [0, cellCount],
): VarCells {
  if (dataSize > 0xffffffff || cellCount > 0xfffffffe) {
    const details = where === undefined ? {} : { where };
    throw new LimitError(`tile: ${cellCount} cells of ${dataSize} bytes, at most 4,294,967,295`, details);
  }
  if (dataPipeline.stringCoding !== null) {
    const { stringCoding } = dataPipeline;
    const { offsets, data } = decodeCodedTile(
      storedData,
      dataPipeline,
      stringCoding,
      cellCount,
      dataSize,
      where,
    );
    return { offsets: offsets.subarray(wanted[0], wanted[1] + 1), data };
  }
  const offsets = decodeTile(storedOffsets, offsetsPipeline, cellCount * 8, where);
  const checked = shortOffsets(viewAs(offsets, Uint32Array), cellCount, wanted, dataSize, where);
  return { offsets: checked, data: decodeTile(storedData, dataPipeline, dataSize, where) };
}

/** Offsets as 32-bit numbers, with the end of the last, after checking that they start at 0 and do not decrease. */
function shortOffsets(
  halves: Uint32Array,
  cells: number,
  [from, to]: readonly [number, number],
  dataSize: number,
  where: string | undefined,
): Uint32Array {
  const offsets = new Uint32Array(to - from + 1);
  const stored = Math.min(to + 1, cells);
  let previous = 0;
  for (let i = from; i < stored; i++) {
    const offset = halves[i * 2]!;
    if (halves[i * 2 + 1] !== 0 || offset < previous || (i === 0 && offset !== 0)) {
      const details = where === undefined ? {} : { where };
      throw new FormatError(`tile: the offset of cell ${i} does not follow from the one before`, details);
    }
    offsets[i - from] = offset;
    previous = offset;
  }
  if (to === cells) offsets[to - from] = dataSize;
  if (previous > dataSize || (cells === 0 && dataSize !== 0)) {
    const details = where === undefined ? {} : { where };
    throw new FormatError(`tile: offsets up to ${previous} in ${dataSize} bytes of ${cells} cells`, details);
  }
  return offsets;
}

function decodeCodedTile(
  stored: Uint8Array,
  pipeline: LoadedPipeline,
  coding: "rle" | "dictionary",
  cellCount: number,
  dataSize: number,
  where: string | undefined,
): Strings {
  const chunks = checkChunks(stored, dataSize, where, Number.POSITIVE_INFINITY);
  const reader = new ByteReader(stored, "tile", where, 8);
  if (chunks === 0 && cellCount === 0) return { offsets: new Uint32Array(1), data: new Uint8Array(0) };
  if (chunks !== 1) throw reader.error(`expected one chunk of ${coding} strings, found ${chunks}`);
  reader.u32("original length");
  const filtered = reader.u32("filtered length");
  const metadataLength = reader.u32("length of metadata");
  const metadata = reader.take(metadataLength, "chunk metadata");
  const data = reader.take(filtered, "chunk data");
  return locateErrors(0, where, () => {
    // What the coding makes of the strings: at most all of them with two lengths of 8 bytes per cell.
    const most = dataSize + cellCount * 16 + 64;
    const coded = runReverse(pipeline, { metadata, data }, null, most);
    return pipeline.decodeStrings!(coding, coded, cellCount, dataSize);
  });
}

/**
 * Filters variable-length cells.
 *
 * @param offsets cells + 1 byte offsets into `data`, from 0 to its length
 * @param dataPipeline as `offsetsPipeline` loaded with `{ encode: true }`
 * @returns what stands in the file of the offsets and in that of the data
 */
export function encodeVarTile(
  offsets: Uint32Array,
  data: Uint8Array,
  offsetsPipeline: LoadedPipeline,
  dataPipeline: LoadedPipeline,
): { offsets: Uint8Array; data: Uint8Array } {
  const cells = offsets.length - 1;
  if (cells < 0 || offsets[0] !== 0 || offsets[cells] !== data.byteLength) {
    throw new ArgumentError(
      `encodeVarTile: expected offsets from 0 to ${data.byteLength}, got ${offsets[0]} to ${offsets[cells]}`,
    );
  }
  const coding = dataPipeline.stringCoding;
  if (coding !== null)
    return { offsets: new Uint8Array(8), data: encodeCodedTile({ offsets, data }, dataPipeline) };
  const halves = new Uint32Array(cells * 2);
  for (let i = 0; i < cells; i++) halves[i * 2] = offsets[i]!;
  return {
    offsets: encodeTile(new Uint8Array(halves.buffer), offsetsPipeline, 8),
    data: encodeChunks(data, chunkEnds(offsets, dataPipeline), dataPipeline),
  };
}

function encodeCodedTile(strings: Strings, pipeline: LoadedPipeline): Uint8Array {
  if (strings.offsets.length === 1) return new Uint8Array(8);
  const coded = pipeline.stringCoding === "rle" ? encodeRuns(strings) : encodeDictionary(strings);
  return joinChunks([runForward(pipeline.steps, coded)], [strings.data.byteLength]);
}

/**
 * Where chunks end (exclusive): after whole cells. A cell that does not fit goes into the chunk if that is not yet half
 * full, or if the chunk stays below one and a half times its size; otherwise it starts the next one.
 */
export function chunkEnds(offsets: Uint32Array, pipeline: LoadedPipeline): number[] {
  const cells = offsets.length - 1;
  const size = offsets[cells]!;
  if (size === 0) return emptyEnds(cells, pipeline);
  const most = pipeline.maxChunkSize === 0 ? size : pipeline.maxChunkSize;
  const ends: number[] = [];
  let start = 0;
  for (let cell = 0; cell < cells; cell++) {
    const end = offsets[cell + 1]!;
    if (end - start <= most) continue;
    const before = offsets[cell]!;
    if (before - start <= most / 2 || end - start <= most * 1.5) {
      ends.push(end);
      start = end;
      continue;
    }
    ends.push(before);
    start = before;
    if (end - start > most) {
      ends.push(end);
      start = end;
    }
  }
  if (start < size) ends.push(size);
  return ends;
}

/** Cells that are all empty make one chunk without bytes, which not every filter can take: then there is none. */
function emptyEnds(cells: number, pipeline: LoadedPipeline): number[] {
  const needsValues = pipeline.steps.some(
    (step) => step.spec.type === "delta" || step.spec.type === "double_delta",
  );
  return cells === 0 || needsValues ? [] : [0];
}
