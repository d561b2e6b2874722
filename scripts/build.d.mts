/** Bundles `src/` into `dist/` and writes the declarations. */
export function build(): Promise<void>;

/** Does nothing while `dist/` is newer than every source file. */
export function buildIfStale(): Promise<void>;
