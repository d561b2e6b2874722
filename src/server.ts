/**
 * `cellarr/server`: stores over HTTP, as a function from a Request to a Response that runs wherever the Fetch standard does.
 * In Node, import resolves to the twin that also takes paths.
 */
export { createHandler, type Handler, type Stores } from "./server/handler.js";
export { type NodeRequest, type NodeResponse, nodeListener } from "./server/node-listener.js";
export { defaultLimits, type HandlerOptions, type Limits, type StoreSource } from "./server/options.js";
