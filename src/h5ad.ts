/**
 * AnnData files (`cellarr/h5ad`), for any platform: files are given as bytes. In Node, importing `cellarr/h5ad`
 * resolves to the twin of this entry that also opens and writes paths.
 */
export * from "./h5ad/anndata.js";
export { type OpenOptions, openH5ad } from "./h5ad/file-source.js";
export * from "./h5ad/matrix.js";
export { sourceOf } from "./h5ad/memory-source.js";
export { readH5ad } from "./h5ad/read-anndata.js";
export * from "./h5ad/source.js";
export { openTenxH5, type TenxOptions } from "./h5ad/tenx-source.js";
export { toH5adBytes, type WriteH5adOptions, writeH5ad } from "./h5ad/write-anndata.js";
