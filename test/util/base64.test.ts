import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import "../../src/node-platform.js";
import { decodeBase64 } from "../../src/util/base64.js";

it("base64 in Node and elsewhere gives the same bytes", async () => {
  const bytes = new Uint8Array(readFileSync(process.execPath).subarray(0, 5000));
  const text = Buffer.from(bytes).toString("base64");
  expect(decodeBase64(text)).toEqual(bytes);
  const { decodeBase64: portable } = await import(`${"../../src/util/base64.js"}?portable`);
  expect(portable(text)).toEqual(bytes);
});
