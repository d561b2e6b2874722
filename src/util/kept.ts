import { isCellarrError } from "../errors.js";

/**
 * Values that are loaded once and kept by name. What failed may be asked for again; who waits for what another has begun
 * and aborted begins it anew.
 */
export class Kept {
  readonly #kept = new Map<string, Promise<unknown>>();

  async get<T>(name: string, load: () => Promise<T>, signal?: AbortSignal | undefined): Promise<T> {
    for (;;) {
      try {
        return await ((this.#kept.get(name) as Promise<T> | undefined) ?? this.#begin(name, load));
      } catch (error) {
        if (!isCellarrError(error, "ABORTED") || signal?.aborted === true) throw error;
      }
    }
  }

  #begin<T>(name: string, load: () => Promise<T>): Promise<T> {
    const loading = load();
    this.#kept.set(name, loading);
    loading.catch(() => this.#kept.delete(name));
    return loading;
  }
}
