import type { StoreWriter } from "./types.js";

/** Writes `bytes` and closes; where that fails nothing is left of it. */
export async function writeWhole(writer: StoreWriter, bytes: Uint8Array): Promise<void> {
  try {
    await writer.write(bytes);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
}
