import type { AwsCredentials } from "./types.js";

/** Credentials are asked for anew this long before they expire, in milliseconds; AWS has new ones by then. */
const REFRESH_BEFORE = 5 * 60_000;

/** Credentials of a source, kept until shortly before they expire; who asks meanwhile waits for the same answer. */
export class RefreshedCredentials {
  readonly #source: () => Promise<AwsCredentials>;
  #current: AwsCredentials | undefined;
  #asking: Promise<AwsCredentials> | undefined;

  constructor(source: () => Promise<AwsCredentials>) {
    this.#source = source;
  }

  async get(): Promise<AwsCredentials> {
    const current = this.#current;
    if (current !== undefined && !expiresWithin(current, REFRESH_BEFORE)) return current;
    try {
      return await this.#ask();
    } catch (error) {
      // The source may be back before the old ones end.
      if (current !== undefined && !expiresWithin(current, 0)) return current;
      throw error;
    }
  }

  /** A server has refused them as expired: the next call asks the source anew. */
  forget(): void {
    this.#current = undefined;
  }

  #ask(): Promise<AwsCredentials> {
    this.#asking ??= this.#source()
      .then((credentials) => {
        this.#current = credentials;
        return credentials;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}

function expiresWithin({ expiresAt }: AwsCredentials, milliseconds: number): boolean {
  return expiresAt !== undefined && expiresAt - Date.now() <= milliseconds;
}
