let loading: Promise<typeof import("./answer.js")> | undefined;

/** What conditions need beyond their fields. */
export function conditions(): Promise<typeof import("./answer.js")> {
  loading ??= import("./answer.js");
  return loading;
}
