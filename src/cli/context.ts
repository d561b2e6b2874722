import type { StorageOptions } from "../storage/remote/settings.js";

/** What every command gets besides its own options. */
export interface CommandContext {
  /** Fires when the user interrupts or the reader of the output has gone. */
  readonly signal: AbortSignal;
  /** Settings of remote places, as the command's options say it; set before it runs. */
  storage?: StorageOptions | undefined;
}
