/**
 * The storage engine (`cellarr/tiledb`): TileDB arrays and groups in any store, for any platform. In Node, import
 * resolves to the twin that also takes paths.
 */
export { type CellScalar, cellScalars } from "./array/column-values.js";
export type { Column, FixedColumn, VarColumn } from "./array/columns.js";
export type {
  ComparisonOperator,
  ConditionValue,
  QueryCondition,
} from "./array/condition/query-condition.js";
export { parseCondition } from "./array/condition/query-condition-parser.js";
export { type ConsolidateOptions, consolidate } from "./array/consolidate/consolidate.js";
export { type VacuumOptions, vacuum } from "./array/consolidate/vacuum.js";
export { type DataFrameQuery, readDataFrame } from "./array/dataframe/dataframe.js";
export {
  type ListOptions,
  listObjects,
  type ObjectInfo,
  type WalkedObject,
  type WalkOptions,
  walkObjects,
} from "./array/objects.js";
export {
  type ArrayWarning,
  type BatchOptions,
  type OpenOptions,
  objectType,
  openArray,
  TileDBArray,
} from "./array/open.js";
export type {
  AggregateResult,
  DimensionSelection,
  FieldAggregates,
  FragmentInfo,
  LabelInfo,
  PlannedFetch,
  PlannedField,
  PlannedFragment,
  ReadOrder,
  ReadPlan,
  ReadProgress,
  ReadQuery,
  ReadResult,
} from "./array/query.js";
export { type CreateOptions, createArray } from "./array/write/create.js";
export { type FragmentWriter, openFragmentWriter } from "./array/write/fragment-writer.js";
export {
  type AddMemberInput,
  addGroupMember,
  createGroup,
  type GroupInfo,
  type GroupMemberInfo,
  type ReadGroupOptions,
  readGroup,
  removeGroupMember,
} from "./array/write/group-io.js";
export { putMetadata } from "./array/write/metadata-io.js";
export { defineSchema } from "./array/write/schema-input.js";
export { writeDense } from "./array/write/write-dense.js";
export { writeSparse } from "./array/write/write-sparse.js";
export type {
  AttributeInput,
  CellsInput,
  CellValue,
  ColumnInput,
  DimensionInput,
  EnumerationInput,
  FilterInput,
  FiltersInput,
  MetadataInput,
  SchemaInput,
  WriteOptions,
} from "./array/write/write-types.js";
export * from "./errors.js";
export type {
  ArraySchema,
  ArrayType,
  Attribute,
  Coordinate,
  Dimension,
  DimensionLabel,
  Layout,
  NDRange,
  Scalar,
} from "./format/array-schema.js";
export { type Datatype, type DatatypeInfo, datatypeInfo, VAR_NUM } from "./format/datatype.js";
export type { EncryptionKey } from "./format/encryption.js";
export { type Enumeration, enumerationValues } from "./format/enumeration.js";
export type { FilterPipeline, FilterSpec, FilterType } from "./format/filter-pipeline.js";
export type { MetadataValue } from "./format/metadata.js";
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
export type {
  ByteRange,
  ReadableStore,
  StoreEntry,
  StoreLocation,
  StoreOptions,
  StoreWriter,
  WritableStore,
} from "./storage/types.js";
export type { WriteZipOptions } from "./storage/zip/write-zip.js";
export type { ZippedFolder } from "./storage/zip/zip-folder.js";
export type { ZipStoreOptions } from "./storage/zip/zip-store.js";
export { writeZip, zipStore } from "./storage/zip-late.js";
export type { NumberArray, TypedArray } from "./util/typed-arrays.js";
