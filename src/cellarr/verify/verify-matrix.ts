import type { TileDBArray } from "../../array/open.js";
import type { VerifyContext } from "../../array/verify/defect.js";
import { attempt } from "../../array/verify/verify-array.js";
import { MatrixReader } from "../matrix-reader.js";

/** Sizes that the frames say; undefined where they cannot be read. */
export interface StoreSize {
  readonly cells: number | undefined;
  readonly genes: number | undefined;
}

/**
 * Whether a matrix fits the store, and holds no value twice over several fragments. Returns whether it is a sparse one
 * that fits.
 */
export async function verifyMatrix(
  array: TileDBArray,
  size: StoreSize,
  context: VerifyContext,
): Promise<boolean> {
  const where = array.uri;
  const reader = await attempt(where, context, async () => new MatrixReader(array));
  if (reader === undefined) return false;
  const domain = array.nonEmptyDomain();
  if (domain === null) {
    context.report({ kind: "sizes", severity: "warning", where, message: "the matrix has no values" });
    return !reader.isDense;
  }
  let fits = true;
  const beyond = (what: string, last: number, count: number | undefined) => {
    if (count === undefined || last < count) return;
    fits = false;
    const message = `values up to ${what} ${last}, the store has ${count} ${what}s`;
    context.report({ kind: "coordinates", severity: "error", where, message });
  };
  beyond("cell", Number(domain[0]![1]), size.cells);
  beyond("gene", Number(domain[1]![1]), size.genes);
  if (reader.isDense) return false;
  await verifyOnce(array, reader.attribute, context);
  return fits;
}

/** Fragments may overlap, and newer values then replace older ones; a store has no reason for that. */
async function verifyOnce(array: TileDBArray, attribute: string, context: VerifyContext): Promise<void> {
  const { fragments, deleteCommits, uri: where } = array;
  if (fragments.length < 2 || deleteCommits.length > 0 || array.schema.allowsDuplicates) return;
  const { signal } = context;
  const counted = await attempt(where, context, () => array.aggregate({ attributes: [attribute], signal }));
  if (counted === undefined) return;
  const written = fragments.reduce((sum, { cellCount }) => sum + cellCount, 0);
  if (counted.cellCount === written) return;
  const message = `${written - counted.cellCount} values were written twice, by several fragments; the newer ones count`;
  context.report({ kind: "duplicate", severity: "warning", where, message });
}
