import { ArgumentError, ExistsError, isCellarrError, StorageError } from "../../errors.js";
import { copyFolder } from "../../storage/copy-folder.js";
import { joinKey } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import { placeCopy, removeCopy } from "../by-gene/place-copy.js";
import { storeNames } from "../layout.js";
import {
  deleteStaging,
  isInterrupted,
  isPresent,
  moveFolder,
  newPart,
  newStaging,
  type Place,
  replacedPart,
  restoreInterrupted,
  resumableStaging,
} from "./staging.js";

/**
 * The folder that a build writes to. Parts are made in a staging folder and take their places when all are done, so that
 * a build that fails or is killed leaves what was there before. `sample_metadata`, without which no store opens, leaves
 * its place first and takes it last: old and new parts never open together. A process killed between the two leaves
 * nothing that opens; the next build puts the old parts back before it does anything else.
 */

export interface OutputRequest {
  /** Folders below the output that will be written, the one that makes the store open as the last. */
  readonly targets: readonly string[];
  /** Names of the matrices among them. */
  readonly matrices: readonly string[];
  readonly overwrite: boolean;
  /** What the build is made of: it goes on from what an interrupted one of the same left. */
  readonly resume?: string;
  /** True: the group of matrices stays whatever is written. */
  readonly keepsGroup?: boolean;
  /** A step of the publication when the old parts have left their places and no new one has taken its own. */
  readonly between?: { readonly run: () => Promise<void>; readonly undo: () => Promise<void> };
}

export class BuildOutput {
  /** True if the group of matrices stays as it is and gets more of them. */
  readonly keepsGroup: boolean;
  readonly #location: Place;
  readonly #staging: Place;
  readonly #request: OutputRequest;

  private constructor(location: Place, request: OutputRequest, keepsGroup: boolean) {
    this.#location = location;
    this.#staging = request.resume === undefined ? newStaging(location) : resumableStaging(location);
    this.#request = request;
    this.keepsGroup = keepsGroup;
  }

  /** Throws ExistsError if one of the targets is there, unless `overwrite`. Nothing is written or deleted yet. */
  static async prepare(location: Place, request: OutputRequest): Promise<BuildOutput> {
    await restoreInterrupted(location);
    if (!request.overwrite) await checkFree(location, request.targets);
    // Matrices alone are added to what is there; with frames, the old matrices' numbers mean nothing any more.
    const replacesGroup = request.overwrite && hasFrames(request) && !request.keepsGroup;
    const group = childLocation(location, storeNames.assays);
    const output = new BuildOutput(location, request, !replacesGroup && (await isPresent(group)));
    if (request.resume !== undefined) await output.#takeUp(request.resume);
    return output;
  }

  /** Keeps what an interrupted build of the same left, but for frames; throws ArgumentError where it was another. */
  async #takeUp(inputs: string): Promise<void> {
    const { store, path } = this.#staging;
    const key = joinKey(path, "inputs.json");
    const bytes = await store.get(key);
    if (bytes === undefined) {
      await store.deletePrefix(path);
      await store.put(key, new TextEncoder().encode(inputs));
      return;
    }
    if (new TextDecoder().decode(bytes) !== inputs) {
      throw new ArgumentError(
        "a build of other files or with other options was interrupted here; start anew without resume, or delete this folder",
        { where: locationUri(this.#staging) },
      );
    }
    for (const target of this.#request.targets.filter(isFrame))
      await store.deletePrefix(this.part(target).path);
  }

  /** Where to make an array, or the group of matrices. */
  part(name: string): Place {
    return newPart(this.#staging, name);
  }

  /** A folder or file for what is no part of its own. */
  workPart(...names: readonly string[]): Place {
    return childLocation(this.#staging, ...names);
  }

  /** Where to make the gene-major copy of a matrix, and a file for what the making does not hold in memory. */
  geneMajorPart(matrix: string): { readonly array: Place; readonly runs: Place } {
    return {
      array: childLocation(this.#staging, "by_gene", matrix),
      runs: childLocation(this.#staging, "runs", matrix),
    };
  }

  /**
   * Puts all parts in their places. What they replace is put back if that fails. In a store without `rename` the old
   * parts are deleted and the new ones copied: a failure then leaves neither. `afterwards` runs when all parts are there.
   */
  async publish(afterwards?: () => Promise<void>): Promise<void> {
    const units = this.#units();
    if (!this.#request.overwrite) await checkFree(this.#location, units);
    await dropIndex(this.#location);
    if (this.#location.store.rename === undefined) await this.#copyAll(units);
    else await this.#moveAll(units);
    await this.#placeCopies();
    await afterwards?.();
    await this.#staging.store.deletePrefix(this.#staging.path);
    // Those of builds that were killed: whatever they were to be part of is replaced now.
    if (hasFrames(this.#request)) await deleteStaging(this.#location);
  }

  /** Deletes all that was made, because of `failure`, unless it may be resumed. Throws a StorageError that names both if that fails. */
  async discard(failure: unknown): Promise<void> {
    if (this.#request.resume !== undefined) return;
    try {
      // Old parts that could not be put back wait for the next build to do it.
      if (await isInterrupted(this.#staging)) return;
      await this.#staging.store.deletePrefix(this.#staging.path);
    } catch {
      const reason = isCellarrError(failure) ? failure.message : String(failure);
      throw new StorageError(`the build failed, and what it made could not be removed: ${reason}`, {
        where: locationUri(this.#staging),
        cause: failure,
      });
    }
  }

  /** What moves as one, in the order of taking its place: a new group with all its matrices. */
  #units(): readonly string[] {
    const { targets } = this.#request;
    if (this.keepsGroup) return targets;
    const frames = targets.filter(isFrame);
    return [...frames.slice(0, -1), storeNames.assays, ...frames.slice(-1)];
  }

  async #moveAll(units: readonly string[]): Promise<void> {
    const moved: [from: Place, to: Place][] = [];
    const moveNow = async (from: Place, to: Place) => {
      await moveFolder(from, to);
      moved.push([from, to]);
    };
    try {
      for (const unit of units.toReversed()) {
        const place = childLocation(this.#location, unit);
        if (await isPresent(place)) await moveNow(place, replacedPart(this.#staging, unit));
      }
      await this.#request.between?.run();
      for (const unit of units) await moveNow(this.part(unit), childLocation(this.#location, unit));
    } catch (error) {
      await this.#request.between?.undo();
      for (const [from, to] of moved.reverse()) await moveFolder(to, from);
      throw error;
    }
  }

  /** Those of matrices that are gone, or were replaced, go; a process killed here leaves copies that are not used. */
  async #placeCopies(): Promise<void> {
    if (this.#request.overwrite && !this.keepsGroup) {
      const { store, path } = childLocation(this.#location, storeNames.geneMajor);
      await store.deletePrefix(path);
    }
    for (const matrix of this.#request.matrices) {
      const place = childLocation(this.#location, storeNames.geneMajor, matrix);
      const { array } = this.geneMajorPart(matrix);
      await removeCopy(place);
      if (await isPresent(array)) await placeCopy(array, place);
    }
  }

  async #copyAll(units: readonly string[]): Promise<void> {
    const { store } = this.#location;
    const path = (unit: string) => childLocation(this.#location, unit).path;
    for (const unit of units.toReversed()) await store.deletePrefix(path(unit));
    await this.#request.between?.run();
    for (const unit of units) await copyFolder(store, this.part(unit).path, path(unit));
  }
}

function isFrame(target: string): boolean {
  return !target.startsWith(`${storeNames.assays}/`);
}

function hasFrames({ targets }: OutputRequest): boolean {
  return targets.some(isFrame);
}

async function checkFree(location: Place, targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    if (!(await isPresent(childLocation(location, target)))) continue;
    throw new ExistsError(`'${target}' is there already; pass overwrite: true to replace the store`, {
      where: locationUri(location),
    });
  }
}
