import { setGzip } from "./cellarr/export/gzip.js";
import { setDownloadSpace } from "./cellarr/inputs/downloaded-file.js";
import { registerNodeCodecs } from "./format/filters/codecs-node.js";
import { inflateInto } from "./format/filters/zlib-handle-node.js";
import { setTileThreads } from "./format/tile-threads.js";
import "./h5ad/h5-file-node.js";
import { registerInflate } from "./h5ad/h5-inflate.js";
import { isNodeFile, resolveNodePath } from "./storage/node-fs.js";
import { setSigner, setTextFileReader, setTransport } from "./storage/remote/machine.js";
import { setLocationResolver } from "./storage/resolve.js";

/**
 * What Node brings: path strings and file: URIs are locations, and the codecs of node:zlib and node:crypto are used
 * where they are faster; requests go through node:http; H5AD files are read and written in place, and
 * downloaded to temporary files. Imported for its effect by the Node entries.
 */
setLocationResolver(resolveNodePath, isNodeFile);
setTextFileReader(async (path) =>
  (await import("./storage/remote/text-file-node.js")).readTextFileNode(path),
);
// Bun and Deno have the same modules, but a fetch that is there from the start.
if (!("Bun" in globalThis || "Deno" in globalThis)) {
  setTransport(async (request) =>
    (await import("./storage/remote/transport-node.js")).nodeTransport(request),
  );
  setSigner(async () => (await import("./storage/s3/sign-node.js")).nodeSigner());
}
registerNodeCodecs();
setTileThreads(async () => (await import("./format/tile-threads-node.js")).nodeTileThreads);
setDownloadSpace(async () => (await import("./cellarr/inputs/download-node.js")).temporaryDownload());
registerInflate(inflateInto);
setGzip(async () => (await import("./cellarr/export/gzip-node.js")).nodeGzip);
