import { CellarrError } from "../errors.js";

/** The command line itself is wrong: exit code 2. */
export class UsageError extends CellarrError {
  constructor(message: string) {
    super("ARGUMENT", message);
  }
}

/** What `cellarr` returns to the shell. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;
