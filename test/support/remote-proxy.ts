import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A proxy on this machine in front of a server, which delays each request, counts requests and bytes, and does to answers
 * what networks and overloaded servers do. The Host header goes on as it came, so that signatures stay valid.
 */

/**
 * - "error": 500; "slow-down": 503 as S3 says it; "throttled": 429 with Retry-After: 0
 * - "disconnect": the connection ends without an answer; "cut": in the middle of the body
 * - "announced-more": Content-Length is larger than the body; "longer", "shorter": the body itself is not what was asked
 *   for, Content-Length agrees with it (only Content-Range tells)
 * - "hang": no answer; "stall": half of the body, then nothing
 */
export type Fault =
  | "error"
  | "slow-down"
  | "throttled"
  | "disconnect"
  | "cut"
  | "announced-more"
  | "longer"
  | "shorter"
  | "hang"
  | "stall";

export interface LoggedRequest {
  /** "LIST" for listings of S3, Google and Azure. */
  readonly method: string;
  /** As sent, encoded; without the query. */
  readonly path: string;
  readonly query: string;
  readonly range: string | undefined;
  /** 0 where no answer was sent. */
  readonly status: number;
  /** Bytes of bodies. */
  readonly received: number;
  readonly sent: number;
  /** Milliseconds since the last reset. */
  readonly start: number;
  readonly end: number;
  readonly fault: Fault | undefined;
}

export interface ProxyStats {
  readonly requests: number;
  /** Bytes of the answers' bodies. */
  readonly bytes: number;
  readonly byMethod: Readonly<Record<string, number>>;
  /** Requests under way at a time, at most. */
  readonly mostAtOnce: number;
  /** In the order in which they ended. */
  readonly log: readonly LoggedRequest[];
}

/** What happens to the requests to come, one by one; or to each as it comes. */
export type Faults =
  | readonly (Fault | undefined)[]
  | ((request: {
      readonly method: string;
      readonly path: string;
      readonly range: string | undefined;
    }) => Fault | undefined);

export interface RemoteProxy {
  /** `http://127.0.0.1:PORT`, without a slash. */
  readonly url: string;
  stats(): ProxyStats;
  /** Counts from 0 again; faults that are still to come are dropped. */
  reset(): void;
  fault(next: Faults): void;
  setDelay(milliseconds: number): void;
  close(): Promise<void>;
}

/** @param target `http://host:port` of the server behind it */
export async function startProxy({
  target,
  delayMs = 0,
}: {
  readonly target: string;
  readonly delayMs?: number;
}): Promise<RemoteProxy> {
  const state = new ProxyState(new URL(target), delayMs);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void state.handle(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => state.stats(),
    reset: () => state.reset(),
    fault: (next) => state.setFaults(next),
    setDelay: (milliseconds) => {
      state.delay = milliseconds;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      state.agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

class ProxyState {
  readonly agent = new Agent({ keepAlive: true });
  delay: number;
  readonly #target: URL;
  #log: LoggedRequest[] = [];
  #since = performance.now();
  #underWay = 0;
  #most = 0;
  #faults: Faults = [];

  constructor(target: URL, delay: number) {
    this.#target = target;
    this.delay = delay;
  }

  stats(): ProxyStats {
    const byMethod: Record<string, number> = {};
    for (const { method } of this.#log) byMethod[method] = (byMethod[method] ?? 0) + 1;
    const bytes = this.#log.reduce((sum, { sent }) => sum + sent, 0);
    return { requests: this.#log.length, bytes, byMethod, mostAtOnce: this.#most, log: [...this.#log] };
  }

  reset(): void {
    this.#log = [];
    this.#faults = [];
    this.#most = this.#underWay;
    this.#since = performance.now();
  }

  setFaults(next: Faults): void {
    this.#faults = typeof next === "function" ? next : [...next];
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now() - this.#since;
    this.#underWay++;
    this.#most = Math.max(this.#most, this.#underWay);
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const method = methodOf(request.method ?? "", query);
    const range = request.headers.range;
    const fault = this.#nextFault({ method, path, range });
    const outcome = { status: 0, received: 0, sent: 0 };
    try {
      const body = await bytesOf(request);
      outcome.received = body.byteLength;
      if (this.delay > 0) await sleep(this.delay);
      Object.assign(outcome, await this.#answer(request, response, body, fault));
    } catch {
      response.destroy();
    } finally {
      this.#underWay--;
      const end = performance.now() - this.#since;
      this.#log.push({ method, path, query, range, start, end, fault, ...outcome });
    }
  }

  #nextFault(request: Parameters<Extract<Faults, (...args: never) => unknown>>[0]): Fault | undefined {
    if (typeof this.#faults === "function") return this.#faults(request);
    const [next, ...rest] = this.#faults;
    this.#faults = rest;
    return next;
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    fault: Fault | undefined,
  ): Promise<{ status: number; sent: number }> {
    if (fault === "disconnect") {
      response.destroy();
      return { status: 0, sent: 0 };
    }
    // Ended by the client, or with the proxy.
    if (fault === "hang") return { status: 0, sent: 0 };
    const answer = refusalOf(fault) ?? (await this.#forward(request, body));
    return send(request, response, answer, fault);
  }

  #forward(request: IncomingMessage, body: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#target;
      const { method, url: path, headers } = request;
      const sent = sendRequest({ hostname, port, method, path, headers, agent: this.agent }, (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}

function methodOf(method: string, query: string): string {
  const isListing = /(^|&)(list-type=2|prefix=|comp=list(&|$))/.test(query);
  return method === "GET" && isListing ? "LIST" : method;
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function refusalOf(fault: Fault | undefined): Answer | null {
  if (fault === "error") return { status: 500, headers: {}, body: Buffer.from("internal error") };
  if (fault === "throttled") {
    return { status: 429, headers: { "retry-after": "0" }, body: Buffer.from("too many requests") };
  }
  if (fault !== "slow-down") return null;
  const text =
    "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
  return { status: 503, headers: { "content-type": "application/xml" }, body: Buffer.from(text) };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
  fault: Fault | undefined,
): { status: number; sent: number } {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...kept } = headers;
  if (request.method === "HEAD" || status === 204 || status === 304) {
    response.writeHead(status, kept).end();
    return { status, sent: 0 };
  }
  const { bytes, announced, ends } = faulty(body, fault);
  response.writeHead(status, { ...kept, "content-length": String(announced) });
  if (ends === "whole") response.end(bytes);
  else response.write(bytes, () => ends === "broken" && response.destroy());
  return { status, sent: bytes.byteLength };
}

function faulty(
  body: Buffer,
  fault: Fault | undefined,
): { readonly bytes: Buffer; readonly announced: number; readonly ends: "whole" | "broken" | "open" } {
  const length = body.byteLength;
  const half = body.subarray(0, length >> 1);
  switch (fault) {
    case "cut":
      return { bytes: half, announced: length, ends: length === 0 ? "whole" : "broken" };
    case "stall":
      return { bytes: half, announced: length, ends: length === 0 ? "whole" : "open" };
    case "announced-more":
      return { bytes: body, announced: length + 7, ends: "broken" };
    case "longer":
      return { bytes: Buffer.concat([body, Buffer.from("xyz")]), announced: length + 3, ends: "whole" };
    case "shorter":
      return { bytes: half, announced: half.byteLength, ends: "whole" };
    default:
      return { bytes: body, announced: length, ends: "whole" };
  }
}
