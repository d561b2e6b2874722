import { openArray, type TileDBArray } from "../array/open.js";
import type { CommandContext } from "./context.js";
import { printWarning } from "./open-store.js";
import { parseTimestamp } from "./parse.js";

/** What `array inspect` and `array read` share: how an array is opened. */

export interface OpenArrayOptions {
  readonly timestamp?: string;
  readonly encryptionKey?: string;
}

export async function openArrayFor(
  uri: string,
  options: OpenArrayOptions,
  context: CommandContext,
): Promise<TileDBArray> {
  const timestamp = options.timestamp === undefined ? undefined : parseTimestamp(options.timestamp);
  return openArray(uri, {
    timestamp,
    encryptionKey: options.encryptionKey,
    storage: context.storage,
    signal: context.signal,
    onWarning: printWarning,
  });
}
