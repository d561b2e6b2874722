// What runs a function inside AWS Lambda, by the Runtime API of 2018-06-01: takes events one after another, hands each to
// the handler that _HANDLER names below LAMBDA_TASK_ROOT, and posts what it returns or throws.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { AWS_LAMBDA_RUNTIME_API: api, _HANDLER: name, LAMBDA_TASK_ROOT: root } = process.env;
const [file, member] = name.split(".");
const { [member]: handler } = await import(pathToFileURL(join(root, `${file}.mjs`)).href);
const invocation = `http://${api}/2018-06-01/runtime/invocation`;

for (;;) {
  const next = await fetch(`${invocation}/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => 30_000 };
  try {
    const result = await handler(await next.json(), context);
    await fetch(`${invocation}/${id}/response`, { method: "POST", body: JSON.stringify(result) });
  } catch (error) {
    const body = JSON.stringify({ errorType: error.name, errorMessage: error.message });
    await fetch(`${invocation}/${id}/error`, { method: "POST", body });
  }
}
