import { cellsRoute, genesRoute, samplesRoute } from "./frame-routes.js";
import { HttpError } from "./problem.js";
import type { Route } from "./route.js";
import { sliceRoute } from "./slice-route.js";
import { summaryRoute } from "./summary-route.js";

/** Which path means what; docs/server.md says the same. */

export type Target =
  | { readonly kind: "stores" | "openapi"; readonly methods: readonly string[] }
  | {
      readonly kind: "route";
      readonly methods: readonly string[];
      /** The store's name. */
      readonly store: string;
      readonly route: Route;
    };

const reading = ["GET", "HEAD"];
/** A POST asks as a GET does, with lists that do not fit into a URL. */
const asking = [...reading, "POST"];

const parts: ReadonlyMap<string, Route> = new Map([
  ["cells", cellsRoute],
  ["genes", genesRoute],
  ["samples", samplesRoute],
  ["slice", sliceRoute],
]);

/** Throws HttpError 404 for a path that means nothing. */
export function findTarget(pathname: string, basePath: string): Target {
  const path = below(pathname, basePath)
    ?.split("/")
    .filter((segment) => segment !== "");
  if (path !== undefined) {
    const [first, name, part, ...others] = path.map(decode);
    if (first === undefined || (first === "stores" && name === undefined)) {
      return { kind: "stores", methods: reading };
    }
    if (first === "openapi.json" && name === undefined) return { kind: "openapi", methods: reading };
    if (first === "stores" && name !== undefined && others.length === 0) {
      if (part === undefined) return { kind: "route", methods: reading, store: name, route: summaryRoute };
      const route = parts.get(part);
      if (route !== undefined) return { kind: "route", methods: asking, store: name, route };
    }
  }
  throw new HttpError(404, "nothing has this path; /openapi.json has the paths there are");
}

function below(pathname: string, basePath: string): string | undefined {
  if (!pathname.startsWith(basePath)) return undefined;
  const rest = pathname.slice(basePath.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, "the path is not well encoded");
  }
}
