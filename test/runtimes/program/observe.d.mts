import type * as cellarr from "../../../src/index.js";
import type { StoreLocation } from "../../../src/storage/types.js";
import type * as tiledb from "../../../src/tiledb.js";

type Place = string | StoreLocation;

export function buildStore(modules: typeof cellarr, outputPath: Place): Promise<cellarr.CellArrDataset>;

export function observeWritten(
  modules: { cellarr: typeof cellarr; tiledb: typeof tiledb },
  place: (name: string) => Place,
): Promise<{ readonly arrays: unknown; readonly dataset: unknown }>;
