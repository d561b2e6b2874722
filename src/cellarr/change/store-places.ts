import { childLocation } from "../../storage/resolve.js";
import type { Place } from "../build/staging.js";
import { storeNames } from "../layout.js";
import type { ChangeOptions } from "./change-options.js";

/** Where the parts of a store are that is changed. */

/** Group of the matrices, as a path below the store; "" where they lie beside the frames. */
export function groupOf({ assayTiledbGroup }: ChangeOptions): string {
  return assayTiledbGroup === undefined ? storeNames.assays : (assayTiledbGroup ?? "");
}

export function matrixPlace(location: Place, group: string, name: string): Place {
  return group === "" ? childLocation(location, name) : childLocation(location, ...group.split("/"), name);
}

export function frameNames(options: ChangeOptions): { genes: string; cells: string; samples: string } {
  return {
    genes: options.geneAnnotationUri ?? storeNames.geneAnnotation,
    cells: options.cellMetadataUri ?? storeNames.cellMetadata,
    samples: options.sampleMetadataUri ?? storeNames.sampleMetadata,
  };
}
