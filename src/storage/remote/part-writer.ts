import { ArgumentError, throwIfAborted } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import type { StoreWriter } from "../types.js";

/** What a store does with a value that arrives in parts. */
export interface PartTarget {
  /** Bytes of part `index`, from 0; the last part is what is left. */
  partBytes(index: number): number;
  /** Parts under way at a time. */
  readonly parallel: number;
  /** Sends a part that is not the last one. `offset` is that of its first byte. */
  upload(part: Uint8Array, index: number, offset: number, signal: AbortSignal | undefined): Promise<void>;
  /** Sends the rest, at least one byte unless the value is empty, and makes the value visible. */
  finish(rest: Uint8Array, index: number, offset: number, signal: AbortSignal | undefined): Promise<void>;
  /** Drops the parts that were sent. */
  discard(): Promise<void>;
}

/** Cuts what is written into parts and sends them while further ones are written. */
export class PartWriter implements StoreWriter {
  readonly #target: PartTarget;
  readonly #signal: AbortSignal | undefined;
  #pieces: Uint8Array[] = [];
  #buffered = 0;
  #sent = 0;
  #index = 0;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #state: "open" | "closed" | "aborted" = "open";

  constructor(target: PartTarget, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    let rest = bytes;
    while (rest.byteLength > 0) {
      const room = this.#target.partBytes(this.#index) - this.#buffered;
      if (room === 0) {
        // Only now: the last part must have something in it.
        await this.#send();
        continue;
      }
      // The caller may change its bytes as soon as this returns.
      this.#pieces.push(rest.slice(0, room));
      this.#buffered += Math.min(room, rest.byteLength);
      rest = rest.subarray(room);
    }
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#check();
    try {
      await Promise.all(this.#underWay);
      this.#check();
      await this.#target.finish(this.#take(), this.#index, this.#sent, this.#signal);
      this.#state = "closed";
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    this.#pieces = [];
    await Promise.all(this.#underWay);
    await this.#target.discard();
  }

  async #send(): Promise<void> {
    const part = this.#take();
    const upload = this.#target
      .upload(part, this.#index, this.#sent, this.#signal)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#underWay.delete(upload));
    this.#underWay.add(upload);
    this.#index++;
    this.#sent += part.byteLength;
    if (this.#underWay.size >= this.#target.parallel) await Promise.race(this.#underWay);
    this.#check();
  }

  #take(): Uint8Array {
    const part = concatBytes(this.#pieces);
    this.#pieces = [];
    this.#buffered = 0;
    return part;
  }

  #check(): void {
    throwIfAborted(this.#signal);
    if (this.#state !== "open") throw new ArgumentError(`the writer is ${this.#state}`);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
