/** What every command gets besides its own options. */
export interface CommandContext {
  /** Fires when the user interrupts or the reader of the output has gone. */
  readonly signal: AbortSignal;
}
