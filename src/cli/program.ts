import { readFileSync } from "node:fs";
import { Command, type Option } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";
import { addExport } from "./program-export.js";
import { addServe } from "./program-serve.js";
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

function addBuild(program: Command, context: CommandContext): void {
  program
    .command("build")
    .description("Build a store from H5AD or 10x files; each file is a sample.")
    .argument(
      "<files...>",
      "H5AD and 10x HDF5 files or their URLs, Matrix Market folders, in the order in which their cells are to stand",
    )
    .requiredOption("-o, --out <store>", "folder of the new store")
    .option(
      "--matrix <name[:dtype]>",
      "layer to store, or X or raw/X; dtype is uint16 unless given (repeatable; default: counts)",
      repeat,
      [],
    )
    .option(
      "--cell-column <name[:type]>",
      "column of obs to keep as cell metadata; null where a file lacks it, as text 'NA'; type ascii unless given (repeatable)",
      repeat,
      [],
    )
    .option("--feature-column <name>", "column of var that names the genes (default: the index)")
    .option("--gene-annotation <file.csv>", "genes to store: first column their names, others annotation")
    .option("--sample-metadata <file.csv>", "a row per file, in the same order")
    .option("--cell-metadata <file.csv>", "a row per cell, in the order of the files")
    .option("--misfit <rule>", "values that dtype cannot hold: error, round, clip or round-clip", "error")
    .option("--threads <n>", "files read at the same time", "1")
    .option("--no-optimize", "leave the fragments of each file as they are, unconsolidated")
    .option(
      "--layout <name>",
      "compact, or python: with the filters of Python cellarr; it reads both",
      "compact",
    )
    .option(
      "--metadata <form>",
      "typed: columns keep their types and gaps; python: as Python cellarr stores them (default: as --layout)",
    )
    .option("--no-summaries", "leave out the columns of what each matrix adds up to, by cells and by genes")
    .option("--no-gene-index", "leave out the copies sorted by genes, from which few genes are read")
    .option("--overwrite", "replace a store that is already there")
    .option(
      "--dry-run",
      "write nothing; report genes, overlap, types, sizes and all problems; 1 if it would fail",
    )
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
Types of matrices: int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64.
Types of cell columns: those of matrices, ascii, utf8 (also: str), bool, int (64 bits), float (64 bits); with null for
what is missing even if nothing is yet: string, boolean, Int8 to Int64, UInt8 to UInt64, Float32, Float64.

Examples:
  $ cellarr build --out store a.h5ad b.h5ad
  $ cellarr build --out store --matrix counts:uint16 --matrix log-norm:float32 --cell-column tissue *.h5ad
  $ cellarr build --out store --matrix raw/X:float32 --gene-annotation genes.csv --threads 2 *.h5ad
${exitCodeHelp}`,
    )
    .action(async (files, options) => (await import("./build.js")).runBuild(files, options, context));
}

function addAppend(program: Command, context: CommandContext): void {
  program
    .command("append")
    .description("Add files to a store that is there; each file is a further sample.")
    .argument("<store>", "folder of the store, whoever built it")
    .argument("<files...>", "files as for build")
    .option(
      "--matrix <[stored=]name>",
      "matrix of the files for the store's matrix of that name (repeatable; default: of the same names)",
      repeat,
      [],
    )
    .option(
      "--cell-column <name[:type]>",
      "column of obs to keep that the store does not have yet (repeatable)",
      repeat,
      [],
    )
    .option("--feature-column <name>", "column of var that names the genes (default: the index)")
    .option("--gene-annotation <file.csv>", "annotation of the new genes")
    .option("--sample-metadata <file.csv>", "a row per file, in the same order")
    .option("--cell-metadata <file.csv>", "a row per new cell, in the order of the files")
    .option("--new-genes <rule>", "genes that the store does not have: add, ignore or error", "add")
    .option(
      "--misfit <rule>",
      "values that the store's type cannot hold: error, round, clip or round-clip",
      "error",
    )
    .option("--optimize", "make one fragment of each matrix afterwards")
    .option("--break-lock", "go on although a killed process left the store locked")
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
Genes and cells of the store keep their numbers; new ones come behind them. What fails leaves the store as it was.

Examples:
  $ cellarr append store c.h5ad d.h5ad
  $ cellarr append store --matrix counts=X --sample-metadata more.csv filtered_feature_bc_matrix.h5
${exitCodeHelp}`,
    )
    .action(async (store, files, options) =>
      (await import("./change-store.js")).runAppend(store, files, options, context),
    );
}

function addDropSample(program: Command, context: CommandContext): void {
  program
    .command("drop-sample")
    .description("Take samples out of a store, with their cells; other cells are numbered anew.")
    .argument("<store>", "folder of the store, whoever built it")
    .argument("<names...>", "names of the samples")
    .option("--break-lock", "go on although a killed process left the store locked")
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
Matrices are written anew, so there must be room for both. What fails leaves the store as it was.

Examples:
  $ cellarr drop-sample store sample_2
${exitCodeHelp}`,
    )
    .action(async (store, names, options) =>
      (await import("./change-store.js")).runDropSample(store, names, options, context),
    );
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

Conditions compare columns of the cell metadata with values, as in Python:
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

function addArray(program: Command, context: CommandContext): void {
  const array = program
    .command("array")
    .description("Look into any TileDB array.")
    .addHelpText("after", exitCodeHelp);
  array
    .command("inspect")
    .description("Print schema, fragments and metadata of an array.")
    .argument("<uri>", "folder of the array")
    .option(
      "--timestamp <t>",
      "as the array was at T, or with what was written in T1:T2 (milliseconds since 1970)",
    )
    .option("--encryption-key <key>", "key of an encrypted array")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  $ cellarr array inspect store/assays/counts
  $ cellarr array inspect store/cell_metadata --json
${exitCodeHelp}`,
    )
    .action(async (uri, options) => (await import("./array-inspect.js")).runInspect(uri, options, context));
  array
    .command("read")
    .description("Print the cells of an array.")
    .argument("<uri>", "folder of the array")
    .option(
      "--range <dim=lo:hi>",
      "both ends included; dim=value, dim=lo: and dim=:hi work too (repeatable)",
      repeat,
      [],
    )
    .option("--attr <name>", "attribute to print (repeatable; default all)", repeat, [])
    .option(
      "--timestamp <t>",
      "as the array was at T, or with what was written in T1:T2 (milliseconds since 1970)",
    )
    .option("--encryption-key <key>", "key of an encrypted array")
    .option(
      "--where <condition>",
      "only cells that fulfil the condition (dense arrays: others hold the fill value)",
    )
    .option("--limit <n>", "stop after that many cells")
    .option("--format <format>", "ndjson", "ndjson")
    .option("--explain", "print the plan of the read as JSON instead of cells")
    .addHelpText(
      "after",
      `
Prints a JSON object per line and cell: dimensions first, then attributes, in row-major order. 64-bit integers and
datetimes are decimal strings; NaN, Infinity and -Infinity strings; text is text (bytes that are not UTF-8 as U+DC80
to U+DCFF); blobs base64; several values a cell an array; enumerated attributes their value. Dense arrays print
every cell of the range, fill values where nothing was written. A dimension without --range (or with an open end) is
read to the end of the non-empty domain. Several ranges of one dimension are joined. A colon within a value is
written \\: and negative numbers need nothing special.

Examples:
  $ cellarr array read store/assays/counts --range cell_index=0:10 --range gene_index=5
  $ cellarr array read store/cell_metadata --attr cellarr_sample --limit 3
  $ cellarr array read array --timestamp 1700000000000 --where "quality > 0.5"
${exitCodeHelp}`,
    )
    .action(async (uri, options) => (await import("./array-read.js")).runRead(uri, options, context));
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
