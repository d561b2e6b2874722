import { ArgumentError } from "../../errors.js";

/** What the files of an export are called that has a file per table and matrix. */

export const tableNames = { cells: "cell_metadata", genes: "gene_annotation" } as const;

/** Names of matrices become names of files: ArgumentError for what cannot be one, or comes twice. */
export function checkFileNames(names: readonly string[]): void {
  for (const [at, name] of names.entries()) {
    if (!/^[^/\\\0]+$/.test(name) || name.startsWith(".")) {
      throw new ArgumentError(`'${name}' cannot be the name of a file`);
    }
    const first = names.findIndex((other) => other.toLowerCase() === name.toLowerCase());
    if (first < at) throw new ArgumentError(`'${name}' names two of the export's files`);
  }
}
