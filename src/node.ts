/**
 * `cellarr` in Node: the same names as everywhere, with paths, the platform's codecs and H5AD files on disk.
 */
import "./node-platform.js";

export * from "./index.js";
