export type RuntimeName =
  | "node-20"
  | "node-22"
  | "node-24"
  | "node-26"
  | "bun"
  | "deno"
  | "miniflare"
  | "playwright-core"
  | "esbuild"
  | "chromium";

export const otherNodes: readonly RuntimeName[];
export const allRuntimes: readonly RuntimeName[];

/** The program, the package's folder, or the command of Chromium. */
export function ensureRuntime(name: RuntimeName): Promise<string>;
