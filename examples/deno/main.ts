// CELLARR_STORE=https://example.org/store deno run --allow-net --allow-env --allow-read main.ts
import { createHandler } from "cellarr/server";

const store = Deno.env.get("CELLARR_STORE") ?? "store";
const handler = createHandler(store, { cors: "*", onError: (error) => console.error(error) });
Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, handler);
