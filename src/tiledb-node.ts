/** `cellarr/tiledb` in Node: the same names as everywhere, with paths and the platform's codecs. */
import "./node-platform.js";

export * from "./tiledb.js";
