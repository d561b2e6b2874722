import type { StorageError } from "../../errors.js";
import { type HttpAnswer, HttpClient, type HttpRequest } from "../remote/http-client.js";
import { environment } from "../remote/machine.js";
import {
  concurrencyOf,
  readSettings,
  retryOf,
  type Settings,
  type StorageOptions,
} from "../remote/settings.js";
import { awsEndpoint, escapePart, needsPathStyle, requestUrl } from "./address.js";
import { findCredentials } from "./credentials/chain.js";
import type { RefreshedCredentials } from "./credentials/refreshed.js";
import { type Refusal, readRefusal, refusalError } from "./error.js";
import { readS3Settings, type S3Settings } from "./settings.js";
import { EMPTY_SHA256, sha256Hex, signRequest, unshared } from "./sign.js";

/** Requests to a bucket: addressed, signed, sent to another region where the bucket turns out to be there. */

export interface S3Request {
  readonly method: HttpRequest["method"];
  /** Of the object; "" for the bucket. */
  readonly key: string;
  /** What is done, for messages: "cannot ...". */
  readonly what: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are answers; all others become errors with S3's code and message. */
  readonly accept: readonly number[];
  readonly maxBytes?: number;
  /** Why an answer is asked for again, as in HttpRequest. */
  readonly flaw?: HttpRequest["flaw"];
}

/** Everything that a request needs but the request. */
interface Connection {
  readonly settings: S3Settings;
  readonly credentials: RefreshedCredentials | undefined;
}

/** Statuses whose bodies tell the reason. 5xx are tried again by the HTTP client. */
const REFUSALS: readonly number[] = [301, 307, 400, 401, 403, 404, 405, 409, 411, 412, 413, 416];

/** Regions of Amazon's buckets that were not where they were looked for, for all stores of the process. */
const movedBuckets = new Map<string, string>();
const MAX_MOVED = 1000;

/** Codes of credentials that new ones may follow. */
const STALE = ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"];

export class S3Client {
  readonly #bucket: string;
  readonly #options: StorageOptions;
  readonly #settings: Settings;
  /** One a region: what is signed for one must not go to another. */
  readonly #clients = new Map<string, HttpClient>();
  #connection: Promise<Connection> | undefined;
  /** Known once a server has said so. */
  #region: string | undefined;
  /** Milliseconds that the server's clock is ahead of this machine's, once it has refused a signature for its time. */
  #clockOffset = 0;

  constructor(bucket: string, options: StorageOptions) {
    this.#bucket = bucket;
    this.#options = options;
    this.#settings = readSettings(options.config);
  }

  async settings(): Promise<S3Settings> {
    return (await this.#connect()).settings;
  }

  async send(request: S3Request): Promise<HttpAnswer> {
    const connection = await this.#connect();
    const headers = await this.#headersOf(request, connection.settings);
    // Each remedy is tried once.
    const tried = new Set<string>();
    for (;;) {
      const region = this.#regionOf(connection.settings);
      const answer = await this.#exchange(request, headers, connection, region);
      if (request.accept.includes(answer.status) && !isMissingBucket(answer)) return answer;
      const refusal = readRefusal(answer);
      const remedy = this.#remedy(refusal, region, connection);
      if (remedy === undefined || tried.has(remedy)) throw this.#error(request, refusal, connection);
      tried.add(remedy);
    }
  }

  /** How copies name an object of the bucket. */
  source(key: string): string {
    return `/${this.#bucket}/${key.split("/").map(escapePart).join("/")}`;
  }

  /** For messages. */
  where(key: string): string {
    return key === "" ? `s3://${this.#bucket}` : `s3://${this.#bucket}/${key}`;
  }

  #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const settings = await readS3Settings(this.#settings);
    const context = { region: settings.region, fetch: this.#options.fetch };
    const credentials = settings.isAnonymous ? undefined : findCredentials(this.#settings, context);
    return { settings, credentials };
  }

  #exchange(
    request: S3Request,
    headers: Readonly<Record<string, string>>,
    { settings, credentials }: Connection,
    region: string,
  ): Promise<HttpAnswer> {
    const endpoint = settings.endpoint ?? awsEndpoint(region, settings.scheme);
    const isPathStyle = settings.isPathStyle || needsPathStyle(endpoint, this.#bucket);
    const { method, key, query, body, signal, accept, maxBytes, flaw } = request;
    return this.#client(region, credentials).send({
      method,
      url: requestUrl(endpoint, this.#bucket, isPathStyle, key, query),
      headers,
      body: typeof body === "object" ? unshared(body) : body,
      signal,
      accept: [...accept, ...REFUSALS],
      where: this.where(key),
      maxBytes,
      // Browsers show nothing of redirects but to who follows them; those without a place to go come through.
      redirect: environment() === undefined ? "follow" : "manual",
      flaw: (answer) => (isSlowSender(answer) ? "RequestTimeout" : flaw?.(answer)),
    });
  }

  #client(region: string, credentials: RefreshedCredentials | undefined): HttpClient {
    let client = this.#clients.get(region);
    if (client === undefined) {
      client = new HttpClient({
        fetch: this.#options.fetch,
        retry: retryOf(this.#settings, "s3"),
        concurrency: concurrencyOf(this.#settings, "s3"),
        sign:
          credentials === undefined
            ? undefined
            : (request) => signed(request, credentials, region, Date.now() + this.#clockOffset),
      });
      this.#clients.set(region, client);
    }
    return client;
  }

  async #headersOf(request: S3Request, settings: S3Settings): Promise<Record<string, string>> {
    const headers = { ...settings.headers, ...request.headers };
    if (settings.isAnonymous) return headers;
    return { ...headers, "x-amz-content-sha256": await bodyHash(request.body) };
  }

  #regionOf(settings: S3Settings): string {
    const moved = settings.endpoint === undefined ? movedBuckets.get(this.#bucket) : undefined;
    return this.#region ?? moved ?? settings.region;
  }

  /** Does what may help, and names it; undefined where nothing would. */
  #remedy(
    { code, region, time }: Refusal,
    asked: string,
    { settings, credentials }: Connection,
  ): string | undefined {
    if (region !== undefined && region !== asked) {
      this.#region = region;
      if (settings.endpoint === undefined) remember(this.#bucket, region);
      return "region";
    }
    if (code === "RequestTimeTooSkewed" && time !== undefined) {
      this.#clockOffset = time - Date.now();
      return "clock";
    }
    if (credentials === undefined || code === undefined || !STALE.includes(code)) return undefined;
    credentials.forget();
    return "credentials";
  }

  #error(request: S3Request, refusal: Refusal, { settings }: Connection): StorageError {
    const isDenied = refusal.status === 403 || refusal.status === 401;
    const hint = isDenied && settings.isAnonymous ? "; requests are not signed (vfs.s3.no_sign_request)" : "";
    return refusalError(request.what, refusal, this.where(request.key), hint);
  }
}

async function signed(
  request: HttpRequest,
  credentials: RefreshedCredentials,
  region: string,
  now: number,
): Promise<HttpRequest> {
  const { method, url, headers = {} } = request;
  const by = await credentials.get();
  return {
    ...request,
    headers: await signRequest({ method, url, headers }, by, { service: "s3", region }, now),
  };
}

async function bodyHash(body: Uint8Array | string | undefined): Promise<string> {
  if (body === undefined) return EMPTY_SHA256;
  return sha256Hex(typeof body === "string" ? new TextEncoder().encode(body) : body);
}

/** 404 is an answer for objects; a bucket that is not there is an error. */
function isMissingBucket(answer: HttpAnswer): boolean {
  return answer.status === 404 && readRefusal(answer).code === "NoSuchBucket";
}

/** S3 says 400 where it waited too long for a body: worth another attempt. */
function isSlowSender(answer: HttpAnswer): boolean {
  return answer.status === 400 && readRefusal(answer).code === "RequestTimeout";
}

function remember(bucket: string, region: string): void {
  if (movedBuckets.size >= MAX_MOVED) movedBuckets.clear();
  movedBuckets.set(bucket, region);
}
