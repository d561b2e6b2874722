import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";

/** Commands that make stores and change them. */

export function addBuild(program: Command, context: CommandContext): void {
  const command = program
    .command("build")
    .description("Build a store from H5AD or 10x files; each file is a sample.")
    .argument(
      "<files...>",
      "H5AD and 10x HDF5 files or their URLs, Matrix Market folders, in the order in which their cells are to stand",
    )
    .requiredOption("-o, --out <store>", "folder of the new store");
  addInputOptions(command, {
    matrix: [
      "name[:dtype]",
      "layer to store, or X or raw/X; dtype is uint16 unless given (repeatable; default: counts)",
    ],
    cellColumn:
      "column of obs to keep as cell metadata; unless a type is given that of the files' columns (repeatable)",
    geneAnnotation: "genes to store: first column their names, others annotation",
    cellMetadata: "a row per cell, in the order of the files",
    misfit: "values that dtype cannot hold: error, round, clip or round-clip",
  });
  command
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
      "--resume",
      "keep what is done when the build is interrupted, and go on from there the next time with the same arguments",
    )
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
what is missing even if nothing is yet: string, boolean, Int8 to Int64, UInt8 to UInt64, Float32, Float64. What a file
lacks is null; 'NA' in columns of type ascii or utf8, and in all text with --metadata python.

Examples:
  $ cellarr build --out store a.h5ad b.h5ad
  $ cellarr build --out store --matrix counts:uint16 --matrix log-norm:float32 --cell-column tissue *.h5ad
  $ cellarr build --out store --matrix raw/X:float32 --gene-annotation genes.csv --threads 2 *.h5ad
  $ cellarr build --out store --resume *.h5ad
${exitCodeHelp}`,
    )
    .action(async (files, options) => (await import("./build.js")).runBuild(files, options, context));
}

export function addAppend(program: Command, context: CommandContext): void {
  const command = program
    .command("append")
    .description("Add files to a store that is there; each file is a further sample.")
    .argument("<store>", "folder of the store, whoever built it")
    .argument("<files...>", "files as for build");
  addInputOptions(command, {
    matrix: [
      "[stored=]name",
      "matrix of the files for the store's matrix of that name (repeatable; default: of the same names)",
    ],
    cellColumn: "column of obs to keep that the store does not have yet (repeatable)",
    geneAnnotation: "annotation of the new genes",
    cellMetadata: "a row per new cell, in the order of the files",
    misfit: "values that the store's type cannot hold: error, round, clip or round-clip",
  });
  command
    .option("--new-genes <rule>", "genes that the store does not have: add, ignore or error", "add")
    .option("--optimize", "make one fragment of each matrix afterwards");
  addChangeOptions(command)
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

export function addDropSample(program: Command, context: CommandContext): void {
  const command = program
    .command("drop-sample")
    .description("Take samples out of a store, with their cells; other cells are numbered anew.")
    .argument("<store>", "folder of the store, whoever built it")
    .argument("<names...>", "names of the samples");
  addChangeOptions(command)
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

interface InputTexts {
  /** What follows the option, and what it does. */
  readonly matrix: readonly [string, string];
  readonly cellColumn: string;
  readonly geneAnnotation: string;
  readonly cellMetadata: string;
  readonly misfit: string;
}

/** Options of commands that take files; see input-options.ts. */
function addInputOptions(command: Command, texts: InputTexts): void {
  command
    .option(`--matrix <${texts.matrix[0]}>`, texts.matrix[1], repeat, [])
    .option("--cell-column <name[:type]>", texts.cellColumn, repeat, [])
    .option("--feature-column <name>", "column of var that names the genes (default: the index)")
    .option("--gene-annotation <file.csv>", texts.geneAnnotation)
    .option("--sample-metadata <file.csv>", "a row per file, in the same order")
    .option("--cell-metadata <file.csv>", texts.cellMetadata)
    .option("--misfit <rule>", texts.misfit, "error");
}

function addChangeOptions(command: Command): Command {
  return command
    .option("--break-lock", "go on although a killed process left the store locked")
    .option("--json", "print a summary as JSON");
}
