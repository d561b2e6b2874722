import { openArray, type TileDBArray } from "../../array/open.js";
import { isCellarrError } from "../../errors.js";
import { listedView } from "../../storage/listed/listed-view.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { storeNames } from "../layout.js";

/**
 * Whether the gene-major copy of a matrix may be read in its place. The copy's metadata say of which fragments and
 * delete commits it was made, by their names, which never come twice: whatever was written to the matrix since, by
 * whomever, shows.
 */

/** Key of the copy's metadata; its value is GeneMajorOrigin as JSON. */
const ORIGIN_KEY = "cellarr_gene_major_of";
const ORIGIN_VERSION = 1;

interface GeneMajorOrigin {
  readonly version: number;
  /** Fragments of the matrix, sorted. */
  readonly fragments: readonly string[];
  /** Its delete commits, sorted. */
  readonly deletes: readonly string[];
  /** Cells of the copy. */
  readonly cells: number;
}

/**
 * - "none": there is no copy.
 * - "current": it holds what the matrix holds.
 * - "stale": the matrix was changed after the copy was made.
 * - "unusable": what is there is no whole copy of this matrix.
 */
export type GeneMajorCopy =
  | { readonly state: "none" }
  | { readonly state: "current"; readonly array: TileDBArray }
  | { readonly state: "stale" | "unusable"; readonly reason: string; readonly where: string };

/** Folder of the gene-major copies of a group of matrices, beside it. */
export function geneMajorFolder(group: string): string {
  return group === "" || group === storeNames.assays ? storeNames.geneMajor : `${group}_by_gene`;
}

/** Where the copy of a matrix is in a store. */
export function geneMajorPlace<L extends StoreLocation>(
  store: L,
  group: string,
  matrix: string,
): StoreLocation<L["store"]> {
  return childLocation(store, ...geneMajorFolder(group).split("/"), matrix);
}

/** The metadata of a copy with so many cells of the matrix as it is open. */
export function originMetadata(matrix: TileDBArray, cells: number): Record<string, string> {
  const origin: GeneMajorOrigin = { version: ORIGIN_VERSION, ...contentOf(matrix), cells };
  return { [ORIGIN_KEY]: JSON.stringify(origin) };
}

function contentOf({
  fragments,
  deleteCommits,
}: TileDBArray): Pick<GeneMajorOrigin, "fragments" | "deletes"> {
  return { fragments: fragments.map(({ name }) => name).sort(), deletes: [...deleteCommits].sort() };
}

/** Opens the copy and checks it against the matrix as it is open. Nothing about it is an error but an abort. */
export async function openGeneMajor(
  place: StoreLocation,
  matrix: TileDBArray,
  signal?: AbortSignal | undefined,
): Promise<GeneMajorCopy> {
  const where = locationUri(place);
  const release = await askForMetadata(place, signal);
  try {
    const array = await openArray(place, { signal });
    const origin = originOf((await array.metadata({ signal })).get(ORIGIN_KEY));
    if (origin === null) return { state: "unusable", reason: "it does not say what it is a copy of", where };
    return check(array, origin, matrix);
  } catch (error) {
    if (isCellarrError(error, "NOT_FOUND")) return { state: "none" };
    if (!isCellarrError(error) || error.code === "ABORTED") throw error;
    return { state: "unusable", reason: error.message, where };
  } finally {
    release?.();
  }
}

/** Asked for with what the opening reads, where requests take time. */
async function askForMetadata(
  place: StoreLocation,
  signal: AbortSignal | undefined,
): Promise<(() => void) | undefined> {
  const { store, path } = childLocation(place, "__meta");
  const view = listedView(store, path);
  return view?.askAhead(await view.list(path, { signal }), { signal });
}

function originOf(value: unknown): GeneMajorOrigin | null {
  if (typeof value !== "string") return null;
  try {
    const origin = JSON.parse(value) as Partial<GeneMajorOrigin> | null;
    return origin?.version === ORIGIN_VERSION && isTexts(origin.fragments) && isTexts(origin.deletes)
      ? (origin as GeneMajorOrigin)
      : null;
  } catch {
    return null;
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function check(array: TileDBArray, origin: GeneMajorOrigin, matrix: TileDBArray): GeneMajorCopy {
  const where = array.uri;
  const content = contentOf(matrix);
  if (!isSame(origin.fragments, content.fragments) || !isSame(origin.deletes, content.deletes)) {
    return { state: "stale", reason: "the matrix was written to after the copy was made", where };
  }
  const cells = array.fragments.reduce((sum, { cellCount }) => sum + cellCount, 0);
  if (cells !== origin.cells || array.deleteCommits.length > 0 || !hasSameFields(array, matrix)) {
    return { state: "unusable", reason: "it is not as it was made", where };
  }
  return { state: "current", array };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

/** The same dimensions and the same attribute, cells gene after gene. */
function hasSameFields({ schema: copy }: TileDBArray, { schema: matrix }: TileDBArray): boolean {
  const fields = ({ dimensions, attributes }: TileDBArray["schema"]) =>
    [...dimensions, ...attributes.slice(0, 1)].map(({ name, datatype }) => `${datatype} ${name}`);
  return (
    copy.arrayType === "sparse" && copy.cellOrder === "col-major" && isSame(fields(copy), fields(matrix))
  );
}
