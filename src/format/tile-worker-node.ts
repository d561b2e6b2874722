import { parentPort } from "node:worker_threads";
import type { Answer, Request } from "../util/worker-pool-node.js";
import { registerNodeCodecs } from "./filters/codecs-node.js";
import { decodeTile, type LoadedPipeline, loadPipeline } from "./tile.js";
import type { TilesToDecode } from "./tile-threads.js";

/** A thread that decodes tiles for tile-threads-node.ts. */

registerNodeCodecs();

const loaded = new Map<string, Promise<LoadedPipeline>>();

function pipelineOf({ pipeline, context }: TilesToDecode): Promise<LoadedPipeline> {
  const key = JSON.stringify([pipeline, context]);
  const kept = loaded.get(key) ?? loadPipeline(pipeline, context);
  loaded.set(key, kept);
  return kept;
}

async function decode(tiles: TilesToDecode): Promise<Uint8Array<ArrayBuffer>> {
  const pipeline = await pipelineOf(tiles);
  const out = new Uint8Array(tiles.sizes.reduce((sum, [, size]) => sum + size, 0));
  let from = 0;
  let to = 0;
  for (const [stored, size] of tiles.sizes) {
    const part = tiles.stored.subarray(from, from + stored);
    decodeTile(part, pipeline, size, undefined, out.subarray(to, to + size));
    from += stored;
    to += size;
  }
  return out;
}

parentPort?.on("message", async ({ id, request }: Request<TilesToDecode>) => {
  try {
    const answer = await decode(request);
    parentPort!.postMessage({ id, answer } satisfies Answer<Uint8Array>, [answer.buffer]);
  } catch {
    // Whoever asked decodes it again and meets the same problem, with the names of files to it.
    parentPort!.postMessage({ id } satisfies Answer<Uint8Array>);
  }
});
parentPort?.postMessage("ready");
