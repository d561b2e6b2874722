/**
 * `cellarr/ml`: batches of a store's cells for training, as typed arrays that any library takes. In Node, import
 * resolves to the twin that also takes paths.
 */
export {
  type Batch,
  type BatchesOptions,
  type CellReaderOptions,
  type CellValues,
  type CsrBatch,
  DataModule,
  type DataModuleOptions,
  type Sampling,
  type TrainOptions,
} from "./ml/data-module.js";
export { type AllCellsOptions, allCells } from "./ml/loader/all-cells.js";
export { CellReader, type ReadOptions } from "./ml/loader/cell-reader.js";
