/** What is wrong with an array or a store, as far as reading all of it shows. */

/**
 * - missing-part: what must be there is not
 * - unreadable: it cannot be read: cut, foreign, a checksum or a filter fails
 * - statistics: what metadata say of a tile (smallest, largest, sum, nulls, rectangle) is not what its cells say
 * - order, duplicate: cells against the array's order, or twice at the same coordinates
 * - coordinates: outside the domain, or of a matrix beyond the cells and genes of the store
 * - sizes: parts of a store do not agree in size, or rows of a frame were never written
 * - sample-ranges: cells of the samples do not cover the cells
 * - names: gene or sample names that are empty or come twice
 * - summaries: columns that say what a matrix adds up to say something else
 * - gene-major-copy: out of date, not usable, or with other values than its matrix
 * - unknown-file, uncommitted, leftover: files that nothing reads
 */
export type DefectKind =
  | "missing-part"
  | "unreadable"
  | "statistics"
  | "order"
  | "duplicate"
  | "coordinates"
  | "sizes"
  | "sample-ranges"
  | "names"
  | "summaries"
  | "gene-major-copy"
  | "unknown-file"
  | "uncommitted"
  | "leftover";

export interface Defect {
  readonly kind: DefectKind;
  /** "warning": answers are right all the same. */
  readonly severity: "error" | "warning";
  /** File, folder or array. */
  readonly where: string;
  readonly message: string;
}

export interface VerifyContext {
  readonly signal?: AbortSignal | undefined;
  report(defect: Defect): void;
  /** Called with the stored bytes that were read and checked. */
  onBytes(bytes: number): void;
}
