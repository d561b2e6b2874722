// A store in R2 (binding BUCKET, folder STORE_PATH), or anywhere on the web (CELLARR_STORE=https://...).
import { createHandler } from "cellarr/server";
import { R2Store } from "./r2-store.mjs";

// Made at the first request and kept by the isolate. A Worker has 128 MB.
let handler;

export default {
  fetch(request, env) {
    handler ??= createHandler(
      env.BUCKET ? { store: new R2Store(env.BUCKET), path: env.STORE_PATH ?? "" } : env.CELLARR_STORE,
      { cors: "*", limits: { values: 5_000_000, bytes: 32 * 2 ** 20 } },
    );
    return handler(request);
  },
};
