/** How many cases a property test draws: few in every run, many where CELLARR_LONG=1 asks for a long one. */
export function runs(normal: number, long: number): number {
  return isLongRun ? long : normal;
}

export const isLongRun: boolean = process.env.CELLARR_LONG === "1";

/** Time limit in milliseconds for a test of so many cases. */
export function patience(normal: number, long = 60 * normal): number {
  return isLongRun ? long : normal;
}
