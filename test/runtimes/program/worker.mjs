// A Worker of Cloudflare: answers a task with what the package does there, from memory, over HTTP and from a bucket.
import * as cellarr from "cellarr";
import * as tiledb from "cellarr/tiledb";
import { observeReading, observeWriting } from "./observe.mjs";
import { ServedStore } from "./places.mjs";
import { runBucket, runProgram } from "./run.mjs";

async function answer(task, env) {
  const modules = { cellarr, tiledb };
  if (task.kind === "program") return runProgram(modules, task);
  if (task.kind === "s3") return runBucket(modules, task);
  const store = new tiledb.R2Store(env.BUCKET, { prefix: task.prefix });
  if (task.kind === "upload") return upload(new ServedStore(task.url), store);
  if (task.kind === "bucket") return observeReading(modules, (path) => ({ store, path }), task.arrays);
  return observeWriting(modules, (path) => ({ store, path: `made/${path}` }));
}

async function upload(from, to) {
  const entries = await from.list("");
  for (const { key } of entries) await to.put(key, await from.get(key));
  const there = await to.list("");
  return { isComplete: JSON.stringify(there) === JSON.stringify(entries) };
}

export default {
  async fetch(request, env) {
    try {
      return Response.json(await answer(await request.json(), env));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
