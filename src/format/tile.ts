/**
 * Tiles (format_spec/tile.md): the cells of one field, filtered. `loadPipeline` once, when an array opens; after that
 * tiles decode and encode synchronously.
 */
export { type LoadedPipeline, loadPipeline, type PipelineContext } from "./filters/pipeline.js";
export { decodeTile, encodeTile } from "./fixed-tile.js";
export { decodeVarTile, encodeVarTile, type VarCells } from "./var-tile.js";
