// A function URL (payload 2.0) in front of a store: CELLARR_STORE=s3://bucket/store
import { createHandler } from "cellarr/server";

// What is made here lives as long as the function's container: stores stay open from one event to the next.
// Lambda takes results of 6 MB, base64 included.
const answer = createHandler(process.env.CELLARR_STORE, {
  cors: "*",
  limits: { bytes: 4 * 2 ** 20 },
  onError: (error) => console.error(error),
});

export async function handler(event) {
  return resultOf(await answer(requestOf(event)));
}

function requestOf({ requestContext, rawPath, rawQueryString, headers, body, isBase64Encoded }) {
  const { method } = requestContext.http;
  const query = rawQueryString ? `?${rawQueryString}` : "";
  const bytes = body && Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  return new Request(`https://${requestContext.domainName}${rawPath}${query}`, {
    method,
    headers,
    body: bytes || undefined,
  });
}

async function resultOf(response) {
  const body = Buffer.from(await response.arrayBuffer());
  const isText = /json|text/.test(response.headers.get("content-type") ?? "text");
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: body.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: !isText,
  };
}
