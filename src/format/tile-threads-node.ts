import { WorkerPool } from "../util/worker-pool-node.js";
import type { TilesToDecode, TileThreads } from "./tile-threads.js";

/** Threads of Node that decode tiles: tile-worker-node.ts. */

/** The same place from the sources, where there is no such file and all is decoded here, and from the bundle. */
const pool = new WorkerPool<TilesToDecode, Uint8Array>(
  new URL("../format/tile-worker-node.js", import.meta.url),
);

export const nodeTileThreads: TileThreads = {
  isFree(threads) {
    pool.start(threads);
    return pool.isFree(threads);
  },
  async decode(tiles, threads) {
    return (await pool.ask(tiles, [tiles.stored.buffer], threads)) ?? undefined;
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};
