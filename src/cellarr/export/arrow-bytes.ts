import type { RecordBatch, RecordBatchWriter } from "apache-arrow";
import type { ArrowModule } from "../../array/dataframe/arrow-validity.js";
import type { WriteBytes } from "./text-file.js";

/** Hands the bytes of an Arrow IPC file or stream (as `writer` makes them) to `write`, batch by batch. */
export async function writeArrow(
  writer: RecordBatchWriter,
  arrow: ArrowModule,
  batches: AsyncIterable<RecordBatch>,
  write: WriteBytes,
): Promise<void> {
  let parts: Uint8Array[] = [];
  class Collected extends arrow.AsyncByteQueue {
    override write(value: Uint8Array): void {
      parts.push(value);
    }
  }
  const flush = async () => {
    for (const part of parts) await write(part);
    parts = [];
  };
  writer.reset(new Collected());
  for await (const batch of batches) {
    writer.write(batch);
    await flush();
  }
  writer.finish();
  await flush();
}
