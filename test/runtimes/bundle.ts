import { rolldown } from "rolldown";

/** Bundles as users make them, by rolldown (Vite's) for browsers and Workers. */

export interface BundleOptions {
  /** Beside `import`: "browser", "workerd". */
  readonly conditions?: readonly string[];
  readonly minify?: boolean;
  /** One file, with what is loaded late in it. */
  readonly single?: boolean;
}

export interface BundledFile {
  readonly name: string;
  readonly code: string;
  /** Files that are loaded with this one. */
  readonly imports: readonly string[];
  /** Paths of the modules in it. */
  readonly modules: readonly string[];
}

/** @param entry path of a module, below a folder in which the package is installed */
export async function bundle(entry: string, options: BundleOptions = {}): Promise<BundledFile[]> {
  const build = await rolldown({
    input: { main: entry },
    platform: "browser",
    resolve: { conditionNames: [...(options.conditions ?? ["browser"]), "import", "default"] },
    logLevel: "silent",
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await build.generate({
    format: "esm",
    minify: options.minify ?? false,
    ...(options.single === true ? { codeSplitting: false } : {}),
  });
  await build.close();
  return output.flatMap((file) =>
    file.type === "chunk"
      ? [{ name: file.fileName, code: file.code, imports: file.imports, modules: file.moduleIds }]
      : [],
  );
}
