import type { SingleBar } from "cli-progress";
import { formatCount } from "./table.js";

/** A progress bar on standard error where that is a terminal; elsewhere it does nothing. */
export interface ProgressBar {
  /** `label` says what is going on now; `done` of `total` units of it are finished. */
  update(label: string, done: number, total: number): void;
  stop(): void;
}

const silent: ProgressBar = { update: () => {}, stop: () => {} };

export async function createProgressBar(): Promise<ProgressBar> {
  if (!process.stderr.isTTY) return silent;
  const { default: progress } = await import("cli-progress");
  const bar = new progress.SingleBar({
    stream: process.stderr,
    format: "{label} {bar} {percentage}%  {count}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 28,
    hideCursor: true,
    clearOnComplete: true,
    fps: 12,
  });
  return new TerminalBar(bar);
}

/** Runs `work` with a bar that stops when it ends, however that is. */
export async function withProgressBar<T>(work: (bar: ProgressBar) => Promise<T>): Promise<T> {
  const bar = await createProgressBar();
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}

class TerminalBar implements ProgressBar {
  readonly #bar: SingleBar;
  #started = false;

  constructor(bar: SingleBar) {
    this.#bar = bar;
  }

  update(label: string, done: number, total: number): void {
    const payload = { label: label.padEnd(28), count: `${formatCount(done)} / ${formatCount(total)}` };
    if (!this.#started) {
      this.#started = true;
      this.#bar.start(total, done, payload);
      return;
    }
    this.#bar.setTotal(total);
    this.#bar.update(done, payload);
  }

  stop(): void {
    if (this.#started) this.#bar.stop();
    this.#started = false;
  }
}
