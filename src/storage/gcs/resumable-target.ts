import { type NotFoundError, StorageError } from "../../errors.js";
import type { HttpAnswer, HttpClient } from "../remote/http-client.js";
import type { PartTarget } from "../remote/part-writer.js";
import type { AnswerHeaders } from "../remote/transport.js";
import { objectSize } from "./list-objects.js";

/**
 * A resumable upload: a POST gives the address of a session, parts are put there one after the other, and the one that
 * says how long the whole is makes the object. Answers to the others are 308 with the range that has arrived.
 */

interface ResumableOptions {
  readonly http: HttpClient;
  readonly url: string;
  readonly where: string;
  readonly partBytes: number;
  /** Writes a value that is no longer than a part. */
  upload(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void>;
  noBucket(): NotFoundError;
}

/** All parts but the last one are multiples of it. */
const UNIT = 256 * 1024;

const RESUME_INCOMPLETE = 308;
const CLIENT_CLOSED = 499;

export class ResumableTarget implements PartTarget {
  /** The service takes a part only where the one before it ended. */
  readonly parallel = 1;
  readonly #options: ResumableOptions;
  #session: string | undefined;

  constructor(options: ResumableOptions) {
    this.#options = options;
  }

  partBytes(): number {
    return Math.ceil(this.#options.partBytes / UNIT) * UNIT;
  }

  async upload(
    part: Uint8Array,
    _index: number,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const end = offset + part.byteLength;
    for (let at = offset; at < end; ) {
      const answer = await this.#put(part.subarray(at - offset), at, "*", signal);
      const arrived = answer.status === RESUME_INCOMPLETE ? arrivedBytes(answer.headers) : undefined;
      if (arrived === undefined || arrived <= at || arrived > end)
        throw this.#unexpected(answer.status, arrived, at);
      at = arrived;
    }
  }

  async finish(
    rest: Uint8Array,
    index: number,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (index === 0) return this.#options.upload(rest, signal);
    const total = offset + rest.byteLength;
    for (let at = offset; ; ) {
      const answer = await this.#put(rest.subarray(at - offset), at, String(total), signal);
      if (answer.status !== RESUME_INCOMPLETE) return this.#checkSize(answer, total);
      const arrived = arrivedBytes(answer.headers);
      if (arrived === undefined || arrived <= at || arrived >= total)
        throw this.#unexpected(answer.status, arrived, at);
      at = arrived;
    }
  }

  async discard(): Promise<void> {
    if (this.#session === undefined) return;
    const session = this.#session;
    this.#session = undefined;
    await this.#options.http.send({
      method: "DELETE",
      url: session,
      // The service's answer to it is 499; one that has gone is 404 or 410.
      accept: [200, 204, 404, 410, CLIENT_CLOSED],
      where: this.#options.where,
    });
  }

  async #put(
    bytes: Uint8Array,
    start: number,
    total: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    this.#session ??= await this.#start(signal);
    return this.#options.http.send({
      method: "PUT",
      url: this.#session,
      headers: {
        "Content-Type": "application/octet-stream",
        "Content-Range": `bytes ${start}-${start + bytes.byteLength - 1}/${total}`,
      },
      body: bytes,
      signal,
      accept: [200, 201, RESUME_INCOMPLETE],
      where: this.#options.where,
    });
  }

  async #start(signal: AbortSignal | undefined): Promise<string> {
    const { http, url, where } = this.#options;
    const answer = await http.send({
      method: "POST",
      url,
      headers: { "X-Upload-Content-Type": "application/octet-stream" },
      body: new Uint8Array(0),
      signal,
      accept: [200, 201, 404],
      where,
    });
    if (answer.status === 404) throw this.#options.noBucket();
    const session = answer.headers.get("location");
    if (session === null) throw new StorageError("the server did not say where to upload", { where });
    return new URL(session, url).href;
  }

  #checkSize(answer: HttpAnswer, total: number): void {
    const size = objectSize(answer.bytes, this.#options.where);
    if (size === total) return;
    throw new StorageError(`${total} bytes were sent, ${size} arrived`, { where: this.#options.where });
  }

  #unexpected(status: number, arrived: number | undefined, at: number): StorageError {
    return new StorageError(
      `an upload at byte ${at} was answered ${status} with ${arrived ?? "no"} bytes arrived`,
      { where: this.#options.where },
    );
  }
}

/** Of "bytes=0-262143"; without the header nothing has arrived. */
function arrivedBytes(headers: AnswerHeaders): number | undefined {
  const last = /^bytes=0-(\d+)$/.exec(headers.get("range") ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}
