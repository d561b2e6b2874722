import { throwIfAborted } from "../../errors.js";
import type { H5Writer } from "../../h5ad/h5-writer.js";
import { writeDict } from "../../h5ad/write-anndata.js";
import { beginFrame, encode, writeColumn, writeFrame, writeNumbers } from "../../h5ad/write-frame.js";
import { writeH5File } from "../../h5ad/write-h5-file.js";
import { locationUri } from "../../storage/resolve.js";
import { type CompressedForm, writeCompressed } from "./compressed.js";
import type { ExportOptions } from "./options.js";
import type { Place } from "./place.js";
import type { ExportSource } from "./source.js";

/** An H5AD file: cell metadata as obs, gene annotation as var, matrices as layers in CSR; what `toAnnData` holds. */
export async function exportH5ad(source: ExportSource, target: Place, options: ExportOptions): Promise<void> {
  const { overwrite = false } = options;
  await writeH5File(locationUri(target), { overwrite }, async (writer) => {
    encode(writer, "/", "anndata", "0.1.0");
    await writeCells(writer, source, options);
    writeFrame(writer, "/var", source.genes);
    for (const name of ["obsm", "varm", "obsp", "varp", "layers", "uns"]) {
      writeDict(writer, `/${name}`, new Map());
    }
    for (const name of source.matrixNames) await writeLayer(writer, source, name, options);
  });
}

/** A column in memory at a time. */
async function writeCells(writer: H5Writer, source: ExportSource, { signal }: ExportOptions): Promise<void> {
  beginFrame(writer, "/obs", source.cellNames, source.cellColumns);
  for (const name of source.cellColumns) {
    throwIfAborted(signal);
    writeColumn(writer, `/obs/${name}`, await source.cellColumn(name));
  }
}

async function writeLayer(
  writer: H5Writer,
  source: ExportSource,
  name: string,
  options: ExportOptions,
): Promise<void> {
  const path = `/layers/${name}`;
  writer.group(path);
  encode(writer, path, "csr_matrix", "0.1.0");
  writer.numberAttribute(path, "shape", BigInt64Array.of(BigInt(source.cellCount), BigInt(source.geneCount)));
  const starts = await writeCompressed(writer, path, source, name, form, options);
  for (const part of ["data", "indices"]) encode(writer, `${path}/${part}`, "array", "0.2.0");
  // Beside gene numbers of 32 bits, as anndata itself writes matrices that it appends to.
  writeNumbers(writer, `${path}/indptr`, BigInt64Array.from(starts, BigInt));
}

const form: CompressedForm = {
  values: (values) => values,
  indices: (genes) => (genes instanceof Int32Array ? genes : Int32Array.from(genes)),
};
