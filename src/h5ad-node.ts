/** AnnData files (`cellarr/h5ad`) in Node: also by path. */
import "./h5ad/h5-file-node.js";

export * from "./h5ad.js";
