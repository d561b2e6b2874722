import { CommanderError } from "commander";
import { isCellarrError, StorageError } from "../errors.js";
import type { CommandContext } from "./context.js";
import { createProgram } from "./program.js";
import { exitCodes, UsageError } from "./usage.js";

/**
 * Runs one command line: signals, broken pipes, errors and exit codes.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  let outputError: NodeJS.ErrnoException | undefined;
  let interrupted = false;
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    outputError ??= error;
    controller.abort(error);
  };
  const onInterrupt = (): void => {
    // The first asks for an orderly end, the second does not wait for it: the progress bar's cursor comes back here.
    if (interrupted) {
      if (process.stderr.isTTY) process.stderr.write("\u001b[?25h\u001b[?7h\n");
      process.exit(exitCodes.interrupted);
    }
    interrupted = true;
    controller.abort(new Error("interrupted"));
  };
  process.stdout.on("error", onOutputError);
  process.stderr.on("error", onOutputError);
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  const context: CommandContext = { signal: controller.signal };
  const program = createProgram(context);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    // The reader has what it wants (`| head`): that is no failure.
    if (outputError?.code === "EPIPE") return exitCodes.ok;
    if (outputError !== undefined) return reportError(outputFailure(outputError), false);
    if (interrupted) {
      process.stderr.write("cellarr: interrupted\n");
      return exitCodes.interrupted;
    }
    return reportError(error, program.opts<{ debug?: boolean }>().debug === true);
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

function outputFailure(error: Error): StorageError {
  return new StorageError(`cannot write to standard output: ${error.message}`, { cause: error });
}

/** Writes one line on stderr, with --debug the stack as well, and returns the exit code. */
function reportError(error: unknown, debugOption: boolean): number {
  // Commander has written its message already; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const debug = debugOption || Boolean(process.env.CELLARR_DEBUG);
  process.stderr.write(`cellarr: ${messageOf(error)}\n`);
  if (debug) process.stderr.write(`${stackOf(error)}\n`);
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

function messageOf(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, " ").trim();
  if (isCellarrError(error)) return message;
  return `${message || "unknown error"} (unexpected: please report it with what --debug prints)`;
}

function stackOf(error: unknown): string {
  let text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  let cause = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    text += `\ncaused by: ${cause.stack ?? cause.message}`;
    cause = cause.cause;
  }
  return text;
}
