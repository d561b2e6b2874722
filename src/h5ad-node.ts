/** AnnData files (`cellarr/h5ad`) in Node: also by path. */
import { inflateInto } from "./format/filters/zlib-handle-node.js";
import "./h5ad/h5-file-node.js";
import { registerInflate } from "./h5ad/h5-inflate.js";

registerInflate(inflateInto);

export * from "./h5ad.js";
