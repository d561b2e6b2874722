import { AbortedError } from "../errors.js";
import { HttpError, RequestLimitError } from "./problem.js";

/** The JSON text of a POST. Throws HttpError 415, RequestLimitError before more than `most` bytes are held, AbortedError. */
export async function requestText(request: Request, most: number): Promise<string> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new HttpError(415, "expected a body of type application/json");
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const reader = request.body?.getReader();
  const next = () =>
    reader?.read().catch((cause: unknown) => {
      throw new AbortedError("the request's body breaks off", { cause });
    });
  for (let part = await next(); part?.value !== undefined; part = await next()) {
    size += part.value.byteLength;
    if (size > most) {
      await reader?.cancel();
      throw new RequestLimitError("requestBytes", most, `the request's body has more than ${most} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}
