import { FormatError } from "../errors.js";
import type { ReadAt, WriteAt } from "./h5-file.js";

/**
 * Two things that h5py writes and h5wasm cannot: booleans (an enumeration of FALSE and TRUE over int8) and datasets
 * without a data space (None). They are first written as something of at least the same size, a record of one int8
 * and a scalar; then the message in the object's header that says so is overwritten. Headers of version 1, which the
 * writer asks for, carry no checksum.
 *
 * Object header, version 1: version (1), reserved (1), messages (2), references (4), size (4), padding (4); then per
 * message: type (2), size (2), flags (1), reserved (3), data.
 */

export interface HeaderPatch {
  /** Offset of the object's header in the file. */
  readonly address: number;
  readonly to: "boolean" | "null";
}

const PREFIX = 16;
const MESSAGE_PREFIX = 8;
const HEADER_WINDOW = 1024;

const DATASPACE_MESSAGE = 1;
const DATATYPE_MESSAGE = 3;

/** Dataspace message, version 2: rank 0, no flags, type 2 (null). */
const NULL_DATASPACE = [2, 0, 0, 2];

/**
 * Datatype message, version 1: class 8 (enumeration), 2 members, 1 byte; the base type (class 0, signed, 1 byte, 8 bits
 * from bit 0); names filled up to 8 bytes; values.
 */
const BOOLEAN_DATATYPE = [
  ...[0x18, 2, 0, 0, 1, 0, 0, 0],
  ...[0x10, 0x08, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0],
  ...[0x46, 0x41, 0x4c, 0x53, 0x45, 0, 0, 0],
  ...[0x54, 0x52, 0x55, 0x45, 0, 0, 0, 0],
  ...[0, 1],
];

/** Layout message, versions 3 and 4, contiguous (class 1): no address, 0 bytes. */
const LAYOUT_MESSAGE = 8;
const CONTIGUOUS_CLASS = 1;
const NO_STORAGE = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];

const COMPOUND_CLASS = 6;

interface Message {
  /** Offset of its data in the file. */
  readonly offset: number;
  readonly data: Uint8Array;
}

export function applyPatch(patch: HeaderPatch, read: ReadAt, write: WriteAt): void {
  const header = read(patch.address, HEADER_WINDOW);
  if (header[0] !== 1) throw new FormatError(`object header of version ${header[0]}, expected 1`);
  if (patch.to === "boolean") {
    const type = findMessage(header, patch.address, DATATYPE_MESSAGE);
    if ((type.data[0]! & 15) !== COMPOUND_CLASS) throw new FormatError("expected a record type to replace");
    replace(type, BOOLEAN_DATATYPE, write);
    return;
  }
  const layout = findMessage(header, patch.address, LAYOUT_MESSAGE);
  const [version = 0, layoutClass] = layout.data;
  if (version < 3 || layoutClass !== CONTIGUOUS_CLASS) {
    throw new FormatError(`layout of version ${version}, class ${layoutClass}, expected 3 and contiguous`);
  }
  replace(layout, [version, CONTIGUOUS_CLASS, ...NO_STORAGE], write);
  replace(findMessage(header, patch.address, DATASPACE_MESSAGE), NULL_DATASPACE, write);
}

function findMessage(header: Uint8Array, address: number, type: number): Message {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  for (let at = PREFIX; at + MESSAGE_PREFIX <= header.length; ) {
    const size = view.getUint16(at + 2, true);
    const start = at + MESSAGE_PREFIX;
    if (view.getUint16(at, true) === type) {
      return { offset: address + start, data: header.subarray(start, start + size) };
    }
    at = start + size;
  }
  throw new FormatError(`object header at ${address}: no message ${type}`);
}

/** Overwrites a message's data, what is left of it with zeros. */
function replace(message: Message, content: readonly number[], write: WriteAt): void {
  if (message.data.length < content.length) {
    throw new FormatError(`message of ${message.data.length} bytes, ${content.length} to put there`);
  }
  const bytes = new Uint8Array(message.data.length);
  bytes.set(content);
  write(message.offset, bytes);
}
