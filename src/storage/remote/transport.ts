import { platformTransport } from "./machine.js";
import { requestSent } from "./while-waiting.js";

/**
 * One request and its answer, however a platform sends it: by fetch, or in Node by node:http, since Node's first fetch
 * costs more than all else that a small read does. Nothing here makes Request, Headers or Response, which load as much.
 */

export interface TransportRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** As fetch has it; default "follow". */
  readonly redirect?: "follow" | "manual" | "error" | undefined;
  /** Ends the request, and the body of its answer. */
  readonly signal: AbortSignal;
}

/** What is asked of headers; `Headers` is one. */
export interface AnswerHeaders {
  /** Several of one name are joined by ", "; null where there is none. */
  get(name: string): string | null;
}

export interface TransportAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  /** Null where there can be none, as of HEAD. It comes decoded where Content-Encoding says how. */
  readonly body: AnswerBody | null;
  /** Whether headers may be hidden: of other origins pages are not told whether a body was compressed. */
  readonly isCors: boolean;
}

export interface AnswerBody {
  /** The next bytes; undefined at the end. What breaks off is an error. */
  read(): Promise<Uint8Array | undefined>;
}

/** Rejects where there is no answer at all, for whatever reason. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

type Fetch = typeof globalThis.fetch;

/** By `fetch` where it is given; otherwise as the platform does it, which is by its own fetch unless it says otherwise. */
export function transportOf(fetch: Fetch | undefined): Transport {
  if (fetch !== undefined) return fetchTransport(fetch);
  return platformTransport() ?? fetchTransport(globalThis.fetch);
}

/** @param send called as a plain function: browsers refuse fetch as a method of something else than the window */
export function fetchTransport(send: Fetch): Transport {
  return async ({ method, url, headers, body, redirect, signal }) => {
    const sent = send(url, {
      method,
      headers,
      signal,
      ...(redirect !== undefined && { redirect }),
      ...(body !== undefined && { body: body as BodyInit }),
    });
    requestSent();
    const response = await sent;
    return {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
      body: response.body === null ? null : piecesOf(response.body),
      isCors: response.type === "cors",
    };
  };
}

function piecesOf(stream: ReadableStream<Uint8Array>): AnswerBody {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return {
    read: async () => {
      reader ??= stream.getReader();
      return (await reader.read()).value;
    },
  };
}
