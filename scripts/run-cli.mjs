// `npm run --silent cellarr -- ARGS` in a checkout: compiles first when the sources are newer than dist/.
import { buildIfStale } from "./build.mjs";

await buildIfStale();
await import("../dist/cli/main.js");
