// CELLARR_STORE=path/to/store PORT=8080 node server.mjs
import { createServer } from "node:http";
import { createHandler, nodeListener } from "cellarr/server";

const { CELLARR_STORE: store = "store", PORT: port = "8080" } = process.env;
const handler = createHandler({ store }, { cors: "*", onError: (error) => console.error(error) });

const server = createServer(nodeListener(handler)).listen(Number(port), () => {
  process.stdout.write(`http://localhost:${server.address().port}/\n`);
});
process.once("SIGTERM", () => server.close());
