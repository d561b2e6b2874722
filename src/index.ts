/**
 * Stores of many single-cell experiments (`cellarr`), for any platform: build from H5AD or annotated data, query by
 * cells and genes. In Node, import resolves to the twin that also takes paths.
 */
export type { Defect, DefectKind } from "./array/verify/defect.js";
export * from "./cellarr/build/build-late.js";
export type { CombineRule } from "./cellarr/build/combine.js";
export type { MisfitRule } from "./cellarr/build/fit-values.js";
export type { MatrixLayout } from "./cellarr/build/matrix-schema.js";
export type {
  BuildOptions,
  BuildProgress,
  BuildStep,
  CellMetadataOptions,
  ColumnTypes,
  FileInput,
  GeneAnnotationOptions,
  MatrixOptions,
  ObsTypes,
  SampleMetadataOptions,
  TableInput,
} from "./cellarr/build/options.js";
export type { IndexedMatrix, IndexOptions, IndexProgress } from "./cellarr/by-gene/index-dataset.js";
export type {
  AppendedMatrix,
  AppendOptions,
  AppendResult,
  ChangeOptions,
} from "./cellarr/change/change-options.js";
export type { DropResult } from "./cellarr/change/drop-sample.js";
export type { MetadataForm } from "./cellarr/columns/column-form.js";
export {
  CellArrDataset,
  type GeneMajorInfo,
  type MatrixInfo,
  type QueryOptions,
  type SliceOrder,
  type SliceRows,
} from "./cellarr/dataset.js";
export type { DatasetOptions, DatasetWarning } from "./cellarr/dataset-parts.js";
export type { DryRunOptions } from "./cellarr/dry-run/dry-run.js";
export type {
  BuildProblem,
  BuildReport,
  FileMatrixReport,
  FileReport,
  StoreMatrixReport,
} from "./cellarr/dry-run/report.js";
export { exportDataset } from "./cellarr/export/export-late.js";
export type { ExportFormat, ExportOptions, ExportProgress } from "./cellarr/export/options.js";
export type { ColumnType } from "./cellarr/frames/column-types.js";
export { type CsvOptions, parseCsv, parseCsvText } from "./cellarr/frames/csv.js";
export type { IndexType } from "./cellarr/layout.js";
export type { MatrixSource } from "./cellarr/matrix-reader.js";
export type { CooMatrix } from "./cellarr/matrix-views.js";
export type { PublishOptions, PublishResult } from "./cellarr/publish/publish-store.js";
export type { DatasetPaths } from "./cellarr/query/dataset-paths.js";
export type { SampleRange } from "./cellarr/query/sample-ranges.js";
export { type RowSelection, type RowSlice, slice } from "./cellarr/selection.js";
export { CellArrDatasetSlice } from "./cellarr/slice.js";
export { SummarizedExperiment } from "./cellarr/summarized-experiment.js";
export { type SummaryNames, summaryNames } from "./cellarr/summary/summary-names.js";
export type { VerifyOptions, VerifyProgress, VerifyReport } from "./cellarr/verify/verify-store.js";
export * from "./errors.js";
export { AnnData, type AnnDataInput } from "./h5ad/anndata.js";
export type { DenseMatrix, Matrix, MatrixDtype, MatrixShape, SparseMatrix } from "./h5ad/matrix.js";
export {
  cacheApiCache,
  clearCache,
  folderCache,
  type LaterCache,
  setLaterCache,
} from "./storage/cache/cache-late.js";
export { MemoryStore } from "./storage/memory.js";
export type { R2Bucket } from "./storage/r2/r2-bucket.js";
export { R2Store } from "./storage/r2/r2-store.js";
export type { StorageOptions } from "./storage/remote/settings.js";
export { resolveReadable as locate } from "./storage/resolve.js";
export type { ReadableStore, StoreLocation, WritableStore } from "./storage/types.js";
export type { WriteZipOptions } from "./storage/zip/write-zip.js";
export type { ZippedFolder } from "./storage/zip/zip-folder.js";
export type { ZipStoreOptions } from "./storage/zip/zip-store.js";
export { writeZip, zipStore } from "./storage/zip-late.js";
export * from "./util/frame.js";
