import { ValueError } from "../../errors.js";
import { writeH5File } from "../../h5ad/write-h5-file.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { writeCompressed } from "./compressed.js";
import type { ExportOptions } from "./options.js";
import { type Place, withFolder } from "./place.js";
import { writeDataFrame } from "./se-data-frame.js";
import { isInt32, writeJson } from "./se-parts.js";
import type { ExportSource } from "./source.js";

/**
 * A SummarizedExperiment as a folder, in the form of ArtifactDB's takane specification, which R reads by alabaster.se
 * (`alabaster.base::readObject`) and Python by dolomite-se (`dolomite_base.read_object`):
 *
 *     OBJECT                      type, version, dimensions [genes, cells]
 *     assays/names.json           names of the matrices, in the order of their folders
 *     assays/<n>/OBJECT           "compressed_sparse_matrix"
 *     assays/<n>/matrix.h5        genes x cells, compressed by cells ("CSC")
 *     row_data/, column_data/     "data_frame"s of genes and cells, see se-data-frame.ts
 */
export async function exportSummarizedExperiment(
  source: ExportSource,
  target: Place,
  options: ExportOptions,
): Promise<void> {
  const { overwrite = false, signal } = options;
  await withFolder(target, { overwrite, isOurs }, async (folder) => {
    const { genes, cellCount, geneCount } = source;
    await writeJson(childLocation(folder, "OBJECT"), {
      type: "summarized_experiment",
      summarized_experiment: { version: "1.0", dimensions: [geneCount, cellCount] },
    });
    await writeDataFrame(childLocation(folder, "row_data"), {
      names: genes.index,
      columns: genes.columnNames,
      column: async (name) => genes.columns.get(name)!,
      signal,
    });
    await writeDataFrame(childLocation(folder, "column_data"), {
      names: source.cellNames,
      columns: source.cellColumns,
      column: (name) => source.cellColumn(name),
      signal,
    });
    if (source.matrixNames.length === 0) return;
    await writeJson(childLocation(folder, "assays", "names.json"), source.matrixNames);
    for (const [at, name] of source.matrixNames.entries()) {
      await writeAssay(childLocation(folder, "assays", `${at}`), source, name, options);
    }
  });
}

function isOurs(key: string): boolean {
  return /^(OBJECT|assays\/names\.json|assays\/\d+\/(OBJECT|matrix\.h5)|(row|column)_data\/(OBJECT|basic_columns\.h5))$/.test(
    key,
  );
}

async function writeAssay(
  folder: Place,
  source: ExportSource,
  name: string,
  options: ExportOptions,
): Promise<void> {
  await folder.store.makeFolder(folder.path);
  await writeJson(childLocation(folder, "OBJECT"), {
    type: "compressed_sparse_matrix",
    compressed_sparse_matrix: { version: "1.0" },
  });
  const group = "/compressed_sparse_matrix";
  const shape = BigUint64Array.of(BigInt(source.geneCount), BigInt(source.cellCount));
  await writeH5File(locationUri(childLocation(folder, "matrix.h5")), {}, async (writer) => {
    writer.group(group);
    writer.textAttribute(group, "layout", "CSC");
    writer.numbers(`${group}/shape`, shape);
    let type = "number";
    const values = (stored: TypedArray): TypedArray => {
      const converted = numbersOfR(stored, name);
      if (isInt32(converted)) type = "integer";
      return converted;
    };
    const form = { values, indices: (genes: Int32Array | Uint32Array) => Uint32Array.from(genes) };
    const starts = await writeCompressed(writer, group, source, name, form, options);
    writer.textAttribute(group, "type", type);
    writer.numbers(`${group}/indptr`, BigUint64Array.from(starts, BigInt));
  });
}

/** R's integers have 32 bits and its other numbers are float64: 64-bit ones become those. ValueError beyond 2^53. */
function numbersOfR(values: TypedArray, name: string): TypedArray {
  if (!(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)) return values;
  return Float64Array.from(values, (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new ValueError(`matrix '${name}': ${value} is beyond 2^53, more than R's numbers hold`);
  });
}
