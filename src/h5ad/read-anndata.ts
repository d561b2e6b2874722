import { AnnData, type RawMatrix } from "./anndata.js";
import { FileSource, layerKey, type OpenOptions, rawVarPath } from "./file-source.js";
import type { H5File } from "./h5-file.js";
import { readMatrix } from "./h5-matrix-source.js";
import type { Matrix } from "./matrix.js";
import { readFrame } from "./read-frame.js";
import { readAxisArrays, readDict, readPairs } from "./read-uns.js";

/**
 * Reads an H5AD file whole into memory: a path (Node) or bytes. What it does not keep is listed in `skipped`.
 * Throws NotFoundError, or FormatError naming file and element where the file is cut, foreign or corrupt.
 */
export async function readH5ad(source: string | Uint8Array, options: OpenOptions = {}): Promise<AnnData> {
  const opened = await FileSource.open(source, options);
  try {
    return readAll(opened);
  } finally {
    await opened.close();
  }
}

/** What this package knows of at the top of a file. */
const KNOWN = new Set([
  "X",
  "obs",
  "var",
  "layers",
  "raw",
  "raw.X",
  "raw.var",
  "raw.varm",
  "obsm",
  "varm",
  "obsp",
  "varp",
  "uns",
]);

function readAll(source: FileSource): AnnData {
  const { file } = source;
  const skipped = file.keys("/").filter((name) => !KNOWN.has(name));
  const obs = readFrame(file, "/obs", { skipped, categoriesInUns: true });
  const vars = readFrame(file, "/var", { skipped, categoriesInUns: true });
  const layers = new Map<string, Matrix>();
  for (const name of layerNames(file)) {
    const key = layerKey(name);
    if (source.matrixNames.includes(key)) layers.set(name, readMatrix(source.locate(key)));
    else skipped.push(`layers/${name}`);
  }
  const old = file.kind("/obs") === "dataset" || file.kind("/var") === "dataset";
  const usedCategories = new Set(
    old ? [...obs.columns, ...vars.columns].filter(isCategorical).map(([name]) => `${name}_categories`) : [],
  );
  return new AnnData({
    name: source.name,
    obs,
    var: vars,
    X: source.matrixNames.includes("X") ? readMatrix(source.locate("X")) : null,
    layers,
    raw: readRaw(source, skipped),
    obsm: readAxisArrays(file, "/obsm", skipped),
    varm: readAxisArrays(file, "/varm", skipped),
    obsp: readPairs(file, "/obsp", skipped),
    varp: readPairs(file, "/varp", skipped),
    uns: file.kind("/uns") === "group" ? readDict(file, "/uns", skipped, usedCategories) : new Map(),
    skipped,
  });
}

function isCategorical([, column]: [string, { kind: string }]): boolean {
  return column.kind === "categorical";
}

function layerNames(file: H5File): string[] {
  return file.kind("/layers") === "group" ? file.keys("/layers") : [];
}

function readRaw(source: FileSource, skipped: string[]): RawMatrix | null {
  const { file } = source;
  const path = rawVarPath(file);
  if (path === null || !source.matrixNames.includes("raw/X")) return null;
  for (const varm of ["/raw/varm", "/raw.varm"]) {
    const kind = file.kind(varm);
    if (kind === "dataset" || (kind === "group" && file.keys(varm).length > 0)) skipped.push(varm.slice(1));
  }
  return { X: readMatrix(source.locate("raw/X")), var: readFrame(file, path, { skipped }) };
}
