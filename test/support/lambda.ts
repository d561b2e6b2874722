import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** A function in a process of its own behind the Runtime API of AWS Lambda, and events as function URLs send them. */

export interface LambdaResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

export interface Lambda {
  /** The handler's result. Rejects with what it threw, or when its process ends. */
  invoke(event: unknown): Promise<LambdaResult>;
  stop(): Promise<void>;
}

const bootstrap = fileURLToPath(new URL("lambda-bootstrap.mjs", import.meta.url));

/** `folder` holds the code; `handler` is such as "index.handler". */
export async function startLambda(
  folder: string,
  handler: string,
  environment: Readonly<Record<string, string>>,
): Promise<Lambda> {
  const waiting: { id: string; event: string }[] = [];
  const results = new Map<string, { resolve(result: LambdaResult): void; reject(error: Error): void }>();
  let idle: ServerResponse | undefined;
  const deliver = () => {
    const next = idle === undefined ? undefined : waiting.shift();
    if (next === undefined || idle === undefined) return;
    idle.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": next.id,
      "lambda-runtime-deadline-ms": `${Date.now() + 30_000}`,
    });
    idle.end(next.event);
    idle = undefined;
  };
  const api = createServer(async (request, response) => {
    const [, id, outcome] =
      /^\/2018-06-01\/runtime\/invocation\/([^/]+)(?:\/(\w+))?$/.exec(request.url!) ?? [];
    if (id === "next") {
      idle = response;
      return deliver();
    }
    const body = JSON.parse(await text(request));
    const result = results.get(id!);
    results.delete(id!);
    if (outcome === "response") result?.resolve(body);
    else result?.reject(new Error(body.errorMessage));
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const child = spawn(process.execPath, [bootstrap], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      ...environment,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(api.address() as AddressInfo).port}`,
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: folder,
    },
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      for (const { reject } of results.values()) reject(new Error("the function's process ended"));
      resolve();
    });
  });
  return {
    invoke: (event) =>
      new Promise((resolve, reject) => {
        const id = crypto.randomUUID();
        results.set(id, { resolve, reject });
        waiting.push({ id, event: JSON.stringify(event) });
        deliver();
      }),
    async stop() {
      child.kill();
      await ended;
      api.closeAllConnections();
      api.close();
    },
  };
}

export interface UrlRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** As function URLs do with bodies that are no text. */
  readonly base64?: boolean;
}

/** The event of a request to a function URL: payload format version 2.0. */
export function functionUrlEvent(url: string, request: UrlRequest = {}) {
  const { pathname, search, searchParams } = new URL(url, "https://id.lambda-url.eu-west-1.on.aws");
  const { method = "GET", headers = {}, body, base64 = false } = request;
  const domainName = "id.lambda-url.eu-west-1.on.aws";
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: {
      "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
      "x-forwarded-proto": "https",
      "x-forwarded-port": "443",
      "x-forwarded-for": "205.255.255.176",
      host: domainName,
      accept: "*/*",
      ...headers,
    },
    ...(search === "" ? {} : { queryStringParameters: Object.fromEntries(searchParams) }),
    requestContext: {
      accountId: "anonymous",
      apiId: "id",
      domainName,
      domainPrefix: "id",
      http: {
        method,
        path: pathname,
        protocol: "HTTP/1.1",
        sourceIp: "205.255.255.176",
        userAgent: "curl/8.5.0",
      },
      requestId: "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
      routeKey: "$default",
      stage: "$default",
      time: "22/Nov/2026:10:00:00 +0000",
      timeEpoch: 1_795_341_600_000,
    },
    ...(body === undefined ? {} : { body: base64 ? Buffer.from(body).toString("base64") : body }),
    isBase64Encoded: base64 && body !== undefined,
  };
}
