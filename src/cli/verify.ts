import "../node-platform.js";
import { type VerifyReport, verifyStore } from "../cellarr/verify/verify-store.js";
import { FormatError } from "../errors.js";
import type { CommandContext } from "./context.js";
import { checkStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { withProgressBar } from "./progress.js";
import { formatBytes, plural } from "./table.js";

/** `cellarr verify`: whether a store is as it should be. */

export async function runVerify(
  store: string,
  { json }: { readonly json?: boolean },
  context: CommandContext,
): Promise<void> {
  await checkStore(store);
  const report = await verify(store, context);
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${json ? JSON.stringify(report) : reportText(report)}\n`);
  });
  const errors = report.defects.filter(({ severity }) => severity === "error").length;
  if (errors > 0)
    throw new FormatError(`the store has ${plural(errors, "error", "errors")}`, { where: store });
}

async function verify(store: string, { signal, storage }: CommandContext): Promise<VerifyReport> {
  return withProgressBar((bar) =>
    verifyStore(store, {
      signal,
      storage,
      onProgress: ({ part, done, total }) => bar.update(`reading ${part}`, Math.min(done, total), total),
    }),
  );
}

function reportText({ defects, parts, bytes }: VerifyReport): string {
  const lines = defects.map(
    ({ severity, kind, where, message }) =>
      `${severity} [${kind}] ${message}${message.includes(where) ? "" : ` (${where})`}`,
  );
  const read = `${plural(parts.length, "part", "parts")} read, ${formatBytes(bytes)} of tiles`;
  return [
    ...lines,
    `${defects.length === 0 ? "nothing is wrong" : plural(defects.length, "defect", "defects")}; ${read}`,
  ].join("\n");
}
