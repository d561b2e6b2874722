/**
 * AnnData files (`cellarr/h5ad`), for any platform. In Node, import resolves to the twin that also opens paths.
 */
export * from "./h5ad/anndata.js";
export * from "./h5ad/matrix.js";
export * from "./h5ad/source.js";
