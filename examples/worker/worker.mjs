// A store in R2 (binding BUCKET, folder STORE_PATH), or anywhere on the web (CELLARR_STORE=https://...).
import { R2Store } from "cellarr";
import { createHandler } from "cellarr/server";

// Made at the first request and kept by the isolate, which has 128 MB.
let handler;

export default {
  fetch(request, env) {
    handler ??= createHandler(storeOf(env), {
      cors: "*",
      limits: { values: 5_000_000, bytes: 32 * 2 ** 20 },
      onError: (error) => console.error(error),
    });
    return handler(request);
  },
};

function storeOf({ BUCKET, STORE_PATH = "", CELLARR_STORE }) {
  return BUCKET ? { store: new R2Store(BUCKET), path: STORE_PATH } : CELLARR_STORE;
}
