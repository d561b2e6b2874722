/** `cellarr/ml/autoencoder` in Node: the same names, with paths and the platform's codecs. */
import "./node-platform.js";

export * from "./autoencoder.js";
