/**
 * Makes this package at home in Node: text locations are paths, and Node's own codecs replace the portable ones.
 * Imported for its effect by the Node entries and by each command of the command line.
 */
import { registerNodeCodecs } from "./format/filters/codecs-node.js";
import "./h5ad/h5-file-node.js";
import { resolveNodePath } from "./storage/node-fs.js";
import { setLocationResolver } from "./storage/resolve.js";

registerNodeCodecs();
setLocationResolver(resolveNodePath);
