import type { CellArrDataset } from "../cellarr/dataset.js";
import type { SampleRange } from "../cellarr/query/sample-ranges.js";
import { isCellarrError } from "../errors.js";
import type { Route, RouteContext } from "./route.js";

/** What a store holds. */
export const summaryRoute: Route = {
  formats: ["json"],
  parameters: [],
  prepare: async (context) => ({
    headers: {},
    async produce(write) {
      await write(new TextEncoder().encode(`${JSON.stringify(await summaryOf(context))}\n`));
    },
  }),
};

/** Samples that a summary lists; the route of samples has any number. */
const MOST_SAMPLES = 1000;

async function summaryOf({ name, dataset, signal }: RouteContext) {
  const { numberOfSamples } = dataset;
  return {
    name,
    shape: dataset.shape,
    matrices: dataset.matrixNames.map((matrix) => matrixOf(dataset, matrix)),
    cellColumns: dataset.getCellMetadataColumns(),
    geneColumns: dataset.getGeneAnnotationColumns(),
    sampleColumns: dataset.getSampleMetadataColumns(),
    numberOfSamples,
    samples: numberOfSamples > MOST_SAMPLES ? null : await samplesOf(dataset, signal),
  };
}

/** Not where it is, nor how it is stored. */
function matrixOf(dataset: CellArrDataset, matrix: string) {
  const { name, dtype, storedValues } = dataset.getMatrixInfo(matrix);
  return { name, dtype, storedValues };
}

/** First and last cell of each (both inclusive), where the store says. */
async function samplesOf(
  dataset: CellArrDataset,
  signal: AbortSignal,
): Promise<SampleRange[] | { readonly name: string }[]> {
  try {
    return await dataset.getSampleRanges({ signal });
  } catch (error) {
    if (!isCellarrError(error, "NOT_FOUND")) throw error;
    return (await dataset.getSampleMetadataIndex()).map((name) => ({ name }));
  }
}
