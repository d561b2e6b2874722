/** `cellarr/ml` in Node: the same names, with paths and the platform's codecs. */
import "./node-platform.js";

export * from "./ml.js";
