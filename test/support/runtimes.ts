import type { TestContext } from "vitest";
import { ensureRuntime, type RuntimeName } from "../../scripts/runtimes.mjs";

export { otherNodes, type RuntimeName } from "../../scripts/runtimes.mjs";

/**
 * Where a runtime is, which is installed by the first test that needs it, if `npm test` has not done so. What cannot be
 * installed skips the test and says so; CI takes no skipped test for an answer.
 */
export async function runtime(name: RuntimeName, context: TestContext): Promise<string> {
  try {
    return await ensureRuntime(name);
  } catch (error) {
    return context.skip(`needs ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
