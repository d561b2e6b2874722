import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";

export function addExport(program: Command, context: CommandContext): void {
  program
    .command("export")
    .description("Write a store, or some of its cells and genes, in a form that other programs read.")
    .argument("<store>", "folder of the store")
    .requiredOption("-o, --output <path>", "file (h5ad) or folder (all others) to write")
    .requiredOption("--format <format>", "h5ad, summarized-experiment, 10x, arrow or csv")
    .option("--cells <indices>", "0:10 (both ends included), 5,300,17, or mixed; default all")
    .option("--genes <names>", "gene names between commas (repeatable; default all)", repeat, [])
    .option("--genes-where <condition>", "only genes whose annotation fulfils the condition")
    .option("--matrix <name>", "matrix to take (repeatable; default all)", repeat, [])
    .option("--where <condition>", "only cells whose metadata fulfil the condition")
    .option("--sample <name>", "only cells of this sample")
    .option("--order <order>", "of genes: store, or asked", "store")
    .option(
      "--layout <layout>",
      "of csv: dense, a column per gene, or long, a line per stored value",
      "dense",
    )
    .option("--barcodes <column>", "of 10x: column of the cell metadata (default: numbers in the store)")
    .option("--symbols <column>", "of 10x: column of the gene annotation (default: gene names)")
    .option("--overwrite", "replace the file, or an earlier export's folder")
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
Cells are read block by block: what is exported may be larger than memory. The file or folder appears when it is complete.

Formats:
  h5ad                  an AnnData file, matrices as layers
  summarized-experiment a folder that Bioconductor reads: alabaster.base::readObject(FOLDER) with alabaster.se in R,
                        dolomite_base.read_object(FOLDER) with dolomite-se in Python
  10x                   matrix.mtx.gz, barcodes.tsv.gz and features.tsv.gz as of Cell Ranger 3; one matrix
  arrow                 Arrow IPC files: cell_metadata, gene_annotation, and cell, gene, value of each matrix
  csv                   the same as comma-separated values

Examples:
  $ cellarr export store --format h5ad -o all.h5ad
  $ cellarr export store --format 10x --matrix counts --where "tissue == 'lung'" -o lung
  $ cellarr export store --format summarized-experiment --sample sample_1 -o sample_1
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./export.js")).runExport(store, options, context));
}
