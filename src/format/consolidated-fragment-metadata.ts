import type { ArraySchema } from "./array-schema.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { type FragmentFooter, readFooter } from "./fragment/fragment-footer.js";
import { lastPathComponent } from "./text-lines.js";

/**
 * Consolidated fragment metadata (format_spec/consolidated_fragment_metadata_file.md): footers of several fragments, so
 * that opening an array reads one file. The file is one generic tile, and its payload starts with the number of
 * fragments; the specification has neither.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Number of fragments | uint32 |
 * | per fragment: name | uint64 length, uint8[]; an absolute URI before version 9 |
 * | footer's offset in the payload | uint64 |
 * | per fragment: footer | see fragment-footer.ts, without its length |
 */
export interface ConsolidatedFooters {
  /** Offset of each fragment's footer in `payload`, by fragment name. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly payload: Uint8Array;
}

/** Reads names and offsets of a generic tile's payload; `readConsolidatedFooter` then reads a footer. */
export function readConsolidatedFragmentMetadata(payload: Uint8Array, where?: string): ConsolidatedFooters {
  const reader = new ByteReader(payload, "consolidated fragment metadata", where);
  const count = reader.count("number of fragments", 4, 16);
  const offsets = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const name = lastPathComponent(reader.sizedText(8, "fragment name"));
    const offset = reader.u64n(`footer offset of ${name}`);
    if (offset >= payload.byteLength) {
      throw reader.error(`footer of ${name} at ${offset}, beyond the ${payload.byteLength} bytes there are`);
    }
    offsets.set(name, offset);
  }
  return { offsets, payload };
}

/** The footer of a fragment, undefined if it is not among them. */
export function readConsolidatedFooter(
  footers: ConsolidatedFooters,
  fragmentName: string,
  schemaOf: (name: string) => ArraySchema,
  where?: string,
): FragmentFooter | undefined {
  const offset = footers.offsets.get(fragmentName);
  if (offset === undefined) return undefined;
  return readFooter(new ByteReader(footers.payload, "fragment footer", where, offset), schemaOf);
}

/** Payload of the generic tile; `footer` as `writeFooter` gives it. */
export function writeConsolidatedFragmentMetadata(
  fragments: readonly { readonly name: string; readonly footer: Uint8Array }[],
): Uint8Array {
  const encoder = new TextEncoder();
  let offset = 4;
  for (const { name } of fragments) offset += 16 + encoder.encode(name).byteLength;
  const writer = new ByteWriter();
  writer.u32(fragments.length);
  for (const { name, footer } of fragments) {
    writer.sizedText(8, name);
    writer.u64n(offset);
    offset += footer.byteLength;
  }
  for (const { footer } of fragments) writer.raw(footer);
  return writer.finish();
}
