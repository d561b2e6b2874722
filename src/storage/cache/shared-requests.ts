import { AbortedError, throwIfAborted } from "../../errors.js";
import { onAbort } from "../../util/on-abort.js";

/**
 * Requests under way that several askers wait for. One who gives up leaves the others their answer; when nobody waits
 * any more the request itself is aborted.
 */

interface Shared<T> {
  readonly start: number;
  readonly end: number;
  readonly answer: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export class SharedRequests<T> {
  readonly #underWay = new Map<string, Shared<T>[]>();

  /**
   * What a request under way for `id` that covers [start, end) answers, with where it starts; begins one where there is
   * none. `begin` gets a signal of the request's own.
   */
  async ask(
    id: string,
    start: number,
    end: number,
    begin: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal | undefined,
  ): Promise<{ readonly start: number; readonly answer: T }> {
    throwIfAborted(signal);
    const request = this.#covering(id, start, end) ?? this.#begin(id, start, end, begin);
    request.waiting++;
    try {
      return { start: request.start, answer: await orAborted(request.answer, signal) };
    } finally {
      request.waiting--;
      if (request.waiting === 0) {
        // Nobody may join one that was given up.
        this.#forget(id, request);
        request.controller.abort();
      }
    }
  }

  #covering(id: string, start: number, end: number): Shared<T> | undefined {
    return this.#underWay.get(id)?.find((one) => one.start <= start && end <= one.end);
  }

  #begin(id: string, start: number, end: number, begin: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const controller = new AbortController();
    const request: Shared<T> = { start, end, answer: begin(controller.signal), controller, waiting: 0 };
    const forget = () => this.#forget(id, request);
    request.answer.then(forget, forget);
    this.#underWay.set(id, [...(this.#underWay.get(id) ?? []), request]);
    return request;
  }

  #forget(id: string, request: Shared<T>): void {
    const left = (this.#underWay.get(id) ?? []).filter((one) => one !== request);
    if (left.length === 0) this.#underWay.delete(id);
    else this.#underWay.set(id, left);
  }
}

/** The answer, or AbortedError as soon as the signal fires. */
async function orAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(new AbortedError(undefined, { cause: signal.reason })));
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    forget();
  }
}
