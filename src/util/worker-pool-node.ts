import { type TransferListItem, Worker } from "node:worker_threads";

/**
 * Threads that answer requests, for work that a caller can as well do itself: started when first asked for, they take
 * requests once they run, and keep no process alive that does not wait for them. A thread that fails is not replaced.
 *
 * The module of a thread posts "ready" when it is loaded, and to each `Request` an `Answer` with the same id.
 */

export interface Request<Q> {
  readonly id: number;
  readonly request: Q;
}

/** `answer` is undefined where the thread could not do it. */
export interface Answer<A> {
  readonly id: number;
  readonly answer?: A;
}

/** Requests of one thread at a time: it does one while the answer to the other is on its way. */
const AHEAD = 2;

class Thread<Q, A> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: A | undefined) => void>();
  #next = 0;
  #ready = false;

  constructor(url: URL) {
    // Flags of the process, such as those of a profiler, are not the threads'.
    this.#worker = new Worker(url, { execArgv: [] });
    this.#worker.unref();
    this.#worker.on("message", (message: "ready" | Answer<A>) => {
      if (message === "ready") this.#ready = true;
      else this.#done(message.id, message.answer);
    });
    this.#worker.on("error", () => this.#end());
    this.#worker.on("messageerror", () => this.#end());
    this.#worker.on("exit", () => this.#end());
  }

  get isFree(): boolean {
    return this.#ready && this.#waiting.size < AHEAD;
  }

  ask(request: Q, transfer: readonly TransferListItem[]): Promise<A | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.ref();
      const message: Request<Q> = { id, request };
      this.#worker.postMessage(message, transfer);
    });
  }

  #done(id: number, answer: A | undefined): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    resolve?.(answer);
  }

  #end(): void {
    this.#ready = false;
    for (const id of [...this.#waiting.keys()]) this.#done(id, undefined);
  }
}

export class WorkerPool<Q, A> {
  readonly #url: URL;
  readonly #threads: Thread<Q, A>[] = [];

  /** @param url module of the threads */
  constructor(url: URL) {
    this.#url = url;
  }

  /** Starts threads until there are so many. */
  start(count: number): void {
    while (this.#threads.length < count) this.#threads.push(new Thread(this.#url));
  }

  /** Whether one of the first `count` threads would take a request now. */
  isFree(count: number): boolean {
    return this.#threads.slice(0, count).some((thread) => thread.isFree);
  }

  /** Null where no thread is free; the answer is undefined where it could not be given. */
  ask(
    request: Q,
    transfer: readonly TransferListItem[] = [],
    count = this.#threads.length,
  ): Promise<A | undefined> | null {
    const thread = this.#threads.slice(0, count).find((one) => one.isFree);
    return thread === undefined ? null : thread.ask(request, transfer);
  }
}
