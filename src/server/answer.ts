/** What becomes a Response, once the headers of all answers are added. */

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** A short answer of text, whose length is known. */
export function textAnswer(
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = new TextEncoder().encode(text);
  const length = { "content-type": contentType, "content-length": `${body.byteLength}` };
  return { status, headers: { ...headers, ...length }, body };
}
