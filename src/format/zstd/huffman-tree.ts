import { BitWriter } from "./bit-writer.js";
import { describeDistribution, FseEncoder, FseTable, scaleCounts } from "./fse-encoder.js";
import { type HuffmanCode, MAX_BITS } from "./huffman-code.js";

/**
 * The description of a Huffman code (RFC 8878, section 4.2.1): of each byte below the last that occurs, its weight, which
 * is the longest code's length + 1 less its own length, or 0. The last byte's follows from the others.
 */

/** Weights that may be written as 4 bits each. */
const MAX_DIRECT = 128;
const LOG = 6;

// Memory of all calls.
const allWeights = new Uint8Array(256);
const counts = new Uint32Array(MAX_BITS + 1);
const distribution = new Int16Array(MAX_BITS + 1);
const table = new FseTable();

/** Writes the description at `at`. Returns its bytes, 0 where there is none for this code. */
export function writeTree(code: HuffmanCode, to: Uint8Array, at: number): number {
  const weights = allWeights.subarray(0, code.last);
  for (let byte = 0; byte < code.last; byte++) {
    const length = code.lengths[byte]!;
    weights[byte] = length === 0 ? 0 : code.longest + 1 - length;
  }
  const direct = weights.length <= MAX_DIRECT ? 1 + ((weights.length + 1) >> 1) : 0;
  const compressed = writeCompressed(weights, to, at);
  if (compressed > 0 && (direct === 0 || compressed < direct)) return compressed;
  return direct === 0 ? 0 : writeDirect(weights, to, at);
}

function writeDirect(weights: Uint8Array, to: Uint8Array, at: number): number {
  to[at] = 127 + weights.length;
  let next = at + 1;
  for (let i = 0; i < weights.length; i += 2) to[next++] = (weights[i]! << 4) | (weights[i + 1] ?? 0);
  return next - at;
}

/** Weights by two interleaved finite state encoders. 0 where they cannot: too few, all the same, or too long. */
function writeCompressed(weights: Uint8Array, to: Uint8Array, at: number): number {
  counts.fill(0);
  for (const weight of weights) counts[weight]!++;
  if (weights.length < 3 || counts.some((count) => count === weights.length)) return 0;
  scaleCounts(counts, weights.length, LOG, distribution);
  const header = new BitWriter(to, at + 1);
  describeDistribution(distribution, LOG, header);
  const described = header.finish();
  const stream = new BitWriter(to, at + 1 + described);
  table.build(distribution, LOG);
  const encoders = [new FseEncoder(table), new FseEncoder(table)] as const;
  let next = weights.length - 1;
  for (; next >= weights.length - 2; next--) encoders[next & 1]!.start(weights[next]!);
  for (; next >= 0; next--) encoders[next & 1]!.encode(weights[next]!, stream);
  encoders[1].end(stream);
  encoders[0].end(stream);
  const bytes = described + stream.close();
  if (bytes >= MAX_DIRECT) return 0;
  to[at] = bytes;
  return bytes + 1;
}
