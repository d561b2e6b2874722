import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/support-table.mjs", import.meta.url));

it("the support table of the README is what the code's tables say", async () => {
  await expect(promisify(execFile)(process.execPath, [script, "--check"])).resolves.toBeDefined();
});
