import { EncryptionError, UnsupportedError } from "../errors.js";
import { concatBytes } from "../util/typed-arrays.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { datatypeFromCode, datatypeInfo } from "./datatype.js";
import { ENCRYPTION_AES_256_GCM, ENCRYPTION_NONE } from "./encryption.js";
import {
  DEFAULT_MAX_CHUNK_SIZE,
  type FilterPipeline,
  readFilterPipeline,
  writeFilterPipeline,
} from "./filter-pipeline.js";
import { decodeTile, encodeTile, loadPipeline } from "./tile.js";
import { checkVersion, WRITE_VERSION } from "./version.js";

/**
 * Generic tile (format_spec/generic_tile.md): a tile that stands alone, with the header that reading it needs.
 *
 * | field | type |
 * |---|---|
 * | format version | uint32 |
 * | bytes of the tile as stored | uint64 |
 * | bytes of the tile when unfiltered | uint64 |
 * | datatype, bytes of a cell | uint8, uint64 |
 * | encryption: 0 none, 1 AES-256-GCM | uint8 |
 * | bytes of the filter pipeline, the pipeline | uint32, bytes |
 * | tile | bytes |
 */

/** What a generic tile holds. */
export interface GenericTile {
  readonly data: Uint8Array;
  /** Format version of the header, which the structure inside has too. */
  readonly version: number;
  /** Offset of the first byte after the tile. */
  readonly end: number;
}

/**
 * Reads the generic tile at `offset` of a file's bytes.
 *
 * @param structure what the tile holds, for errors
 * @param encryptionKey of an encrypted array, 32 bytes
 * @throws EncryptionError where the key is missing or wrong, or there is one that the tile has no use for
 */
export async function readGenericTile(
  bytes: Uint8Array,
  offset: number,
  structure: string,
  where?: string,
  encryptionKey?: Uint8Array,
): Promise<GenericTile> {
  const reader = new ByteReader(bytes, structure, where, offset);
  const version = reader.u32("format version");
  checkVersion(version, structure, where);
  const persisted = reader.u64n("persisted size");
  const size = reader.u64n("tile size");
  const datatype = datatypeFromCode(reader.u8("datatype"), structure, where);
  const cellSize = reader.u64n("cell size");
  const encryption = reader.u8("encryption type");
  checkEncryption(encryption, encryptionKey, structure, where);
  const pipelineBytes = reader.take(reader.u32("filter pipeline size"), "filter pipeline");
  const pipelineReader = new ByteReader(pipelineBytes, `${structure}, filter pipeline`, where);
  const pipeline = readFilterPipeline(pipelineReader, version);
  pipelineReader.end();
  const stored = reader.take(persisted, "tile");
  const valueBytes = datatypeInfo(datatype).bytes;
  if (cellSize === 0 || cellSize % valueBytes !== 0) {
    throw reader.error(`expected a cell size that is a multiple of ${valueBytes}, found ${cellSize}`);
  }
  const loaded = await loadPipeline(
    pipeline,
    { datatype, cellValNum: cellSize / valueBytes, version },
    { encryptionKey },
  );
  return { data: decodeTile(stored, loaded, size, where), version, end: reader.offset };
}

function checkEncryption(
  type: number,
  key: Uint8Array | undefined,
  structure: string,
  where: string | undefined,
): void {
  const details = where === undefined ? {} : { where };
  if (type !== ENCRYPTION_NONE && type !== ENCRYPTION_AES_256_GCM) {
    throw new UnsupportedError(
      `${structure}: encrypted in an unknown way (encryption type ${type})`,
      details,
    );
  }
  if (type === ENCRYPTION_AES_256_GCM && key === undefined) {
    throw new EncryptionError(
      `${structure}: encrypted (AES-256-GCM), and no encryption key was given`,
      details,
    );
  }
  if (type === ENCRYPTION_NONE && key !== undefined) {
    throw new EncryptionError(`${structure}: not encrypted, but an encryption key was given`, details);
  }
}

/** What the official library writes generic tiles with. */
const pipeline: FilterPipeline = {
  maxChunkSize: DEFAULT_MAX_CHUNK_SIZE,
  filters: [{ type: "gzip", level: 1 }],
};

/** A generic tile of `data`, as the official library writes it: char cells, gzip level 1, format version 22. */
export async function writeGenericTile(data: Uint8Array): Promise<Uint8Array> {
  const context = { datatype: "char", cellValNum: 1, version: WRITE_VERSION } as const;
  const tile = encodeTile(data, await loadPipeline(pipeline, context, { encode: true }), 1);
  const filters = new ByteWriter(32);
  writeFilterPipeline(filters, pipeline, WRITE_VERSION);
  const header = new ByteWriter(64);
  header.u32(WRITE_VERSION);
  header.u64n(tile.byteLength);
  header.u64n(data.byteLength);
  header.u8(datatypeInfo("char").code);
  header.u64n(1);
  header.u8(0);
  header.u32(filters.length);
  header.raw(filters.finish());
  return concatBytes([header.finish(), tile]);
}
