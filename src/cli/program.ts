import { readFileSync } from "node:fs";
import { Command, type Option } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";
import { addArray } from "./program-array.js";
import { addAppend, addBuild, addDropSample } from "./program-build.js";
import { addExport } from "./program-export.js";
import { addEmbed, addTrain } from "./program-ml.js";
import { addPublish } from "./program-publish.js";
import { addServe } from "./program-serve.js";
import { addZip } from "./program-zip.js";
import { addStorageOptions } from "./storage-options.js";

/**
 * Commands, options and help texts. The work of each command is in a file of its own, imported when it is asked for,
 * so that --help is fast.
 */

export function createProgram(context: CommandContext): Command {
  const program = new Command("cellarr")
    .description(
      "Stores of many single-cell experiments on TileDB arrays: build from H5AD, query by cells and genes.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--debug", "print the stack of an error (also: environment variable CELLARR_DEBUG=1)")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText(
      "after",
      `
Examples:
  $ cellarr demo                                          build a small store and look around
  $ cellarr build --out store --matrix counts:uint16 a.h5ad b.h5ad
  $ cellarr query store --cells 0:10 --genes gene_1,gene_95
  $ cellarr array read store/assays/counts --range cell_index=0:10
${exitCodeHelp}`,
    );
  // Set before the commands are added: they inherit it.
  program
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "cellarr: ").replace(/\n(?=.)/g, " ")),
    })
    .configureHelp({ optionDescription: describeOption });
  addBuild(program, context);
  addAppend(program, context);
  addDropSample(program, context);
  addInfo(program, context);
  addQuery(program, context);
  addExport(program, context);
  addServe(program, context);
  addIndex(program, context);
  addTrain(program, context);
  addEmbed(program, context);
  addZip(program, context);
  addPublish(program, context);
  addVerify(program, context);
  addArray(program, context);
  addDemo(program, context);
  addStorageOptions(program, context);
  return program;
}

/** With the default where it says something: not the empty list of an option that may be repeated. */
function describeOption({ description, defaultValue }: Option): string {
  return typeof defaultValue === "string" ? `${description} (default: ${defaultValue})` : description;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function addInfo(program: Command, context: CommandContext): void {
  program
    .command("info")
    .description("Say what a store holds: shape, matrices, samples, columns, size.")
    .argument("<store>", "folder of the store")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  $ cellarr info store
  $ cellarr info store --json
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./info.js")).runInfo(store, options, context));
}

function addQuery(program: Command, context: CommandContext): void {
  program
    .command("query")
    .description("Take a slice of a store: some cells, some genes, with their metadata.")
    .argument("<store>", "folder of the store")
    .option("--cells <indices>", "0:10 (both ends included), 5,300,17, or mixed; default all")
    .option("--genes <names>", "gene names between commas (repeatable; default all)", repeat, [])
    .option("--genes-where <condition>", "only genes whose annotation fulfils the condition")
    .option("--matrix <name>", "matrix to take (repeatable; default all)", repeat, [])
    .option("--where <condition>", "only cells whose metadata fulfil the condition")
    .option("--sample <name>", "only cells of this sample")
    .option("--order <order>", "of genes: store, or asked", "store")
    .option("--format <format>", "json, csv, mtx or h5ad (default: a short table)")
    .option("--json", "same as --format json")
    .option("-o, --output <path>", "file, or folder for several (csv, mtx); default: standard output")
    .addHelpText(
      "after",
      `
Cells come in the order asked for, repeats included, genes in the store's order, each once; with --order asked as
cells do.

Conditions compare columns of the cell metadata, those of --genes-where of the gene annotation, with values, as in
Python:
  tissue == 'lung'      n_counts > 500 and not (tissue in ['lung', 'liver'])

Formats:
  json  one object: shape, cells (indices in the store), genes (names), matrices (name -> row, col, data, numbered
        within the slice, sorted by row, then column), cellMetadata and geneAnnotation (column -> values)
  csv   a line per cell: its index in the store, then a column per gene
  mtx   Matrix Market coordinates, cells x genes
  h5ad  an AnnData file (needs -o), as of "cellarr export", which has more formats
csv and mtx hold one matrix a file. With several matrices, or where -o is a folder or ends with a slash, they write
a file per matrix, cell_metadata.csv and gene_annotation.csv into that folder.

Examples:
  $ cellarr query store --cells 0:10 --genes gene_1,gene_95,gene_50
  $ cellarr query store --where "tissue == 'lung'" --genes gene_1 --format json
  $ cellarr query store --genes-where "cellarr_counts_variance > 2" --format csv --matrix counts
  $ cellarr query store --cells 5,300,17 --matrix counts --format mtx -o slice.mtx
  $ cellarr query store --sample sample_1 --format h5ad -o sample_1.h5ad
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./query.js")).runQuery(store, options, context));
}

function addIndex(program: Command, context: CommandContext): void {
  program
    .command("index")
    .description(
      "Add copies of the matrices sorted by genes, from which few genes of many cells are read fast.",
    )
    .argument("<store>", "folder of the store, whoever built it")
    .option("--matrix <name>", "matrix to copy (repeatable; default all)", repeat, [])
    .option("--force", "make copies anew that are up to date")
    .option("--remove", "remove the copies")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
"cellarr build" makes them, unless --no-gene-index is given. Copies lie in the folder
assays_by_gene, which Python cellarr takes no notice of, and take about four fifths of a compact matrix's bytes.
Queries use them where that is cheaper. After a matrix was written to its copy is not used any more: run this again.
An interrupted run leaves the store as it was.

Examples:
  $ cellarr index store
  $ cellarr index store --matrix counts
  $ cellarr index store --remove
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./index-store.js")).runIndex(store, options, context));
}

function addVerify(program: Command, context: CommandContext): void {
  program
    .command("verify")
    .description("Read all of a store and report everything that is wrong with it. Writes nothing.")
    .argument("<store>", "folder of the store, whoever built it")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Every tile is decoded (checksums, filters) and compared with its statistics; parts must agree in size, samples cover
all cells, values lie inside the store, none twice, names be unique, the columns of what matrices add up to be right,
gene-major copies hold what their matrices do.
Warnings are about what no query reads or trusts: leftovers of interrupted writes, unknown files, copies out of date.
Fails (exit code 1) if there is an error, not for warnings.

Examples:
  $ cellarr verify store
  $ cellarr verify store --json
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./verify.js")).runVerify(store, options, context));
}

function addDemo(program: Command, context: CommandContext): void {
  program
    .command("demo")
    .description(
      "Build a store, query it, and say what to try next; with simulated samples where no file is given.",
    )
    .argument("[files...]", "H5AD files to use instead of simulated samples")
    .option("-o, --out <store>", "folder of the store (default: a new temporary folder)")
    .option("--cells <n>", "cells of each simulated sample", "500")
    .option("--genes <n>", "genes of the simulated samples", "2000")
    .option("--samples <n>", "simulated samples", "3")
    .option("--seed <n>", "seed of the simulation", "1")
    .option("--overwrite", "replace a store that is already there")
    .addHelpText(
      "after",
      `
Examples:
  $ cellarr demo
  $ cellarr demo my.h5ad other.h5ad --out my-store
${exitCodeHelp}`,
    )
    .action(async (files, options) => (await import("./demo.js")).runDemo(files, options, context));
}
