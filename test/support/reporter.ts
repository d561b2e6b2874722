import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";
import { findPython } from "../../scripts/python-env.mjs";

const hasPython = findPython() !== null;

/**
 * Writes the totals of a run to the file that CELLARR_TEST_SUMMARY names, for scripts/test.mjs. A file that could not
 * be loaded and an error outside any test count as failures: they must not hide behind the tests that did run.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env.CELLARR_TEST_SUMMARY;
    if (file === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const state = (test: TestCase) => test.result().state;
    const skipped = tests.filter((test) => state(test) === "skipped" || state(test) === "pending");
    const brokenSuites = modules.flatMap((module) => [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ]);
    const summary = {
      passed: tests.filter((test) => state(test) === "passed").length,
      failed: tests.filter((test) => state(test) === "failed").length + brokenSuites.length + errors.length,
      skipped: skipped.map((test) => ({ name: test.fullName, reason: reasonOf(test) })),
    };
    writeFileSync(file, JSON.stringify(summary));
  }
}

/** The note of `context.skip(note)`, a missing Python, else where the test stands. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  if (note === undefined && !hasPython) return "needs python3 with venv, which is missing";
  return (
    note ??
    `${test.module.relativeModuleId}${test.parent.type === "suite" ? `: ${test.parent.fullName}` : ""}`
  );
}
