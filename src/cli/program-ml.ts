import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";

export function addTrain(program: Command, context: CommandContext): void {
  program
    .command("train")
    .description("Train an autoencoder on a store's cells (needs the package @jax-js/jax).")
    .argument("<store>", "folder of the store")
    .requiredOption("-o, --out <folder>", "where to write the model")
    .option("--label <column>", "cell metadata with the labels", "celltype_id")
    .option("--study <column>", "cell metadata with the studies", "study")
    .option("--sample <column>", "cell metadata with the samples", "cellarr_sample")
    .option("--val-study <name>", "study kept for validation (repeatable)", repeat, [])
    .option("--matrix <name>", "matrix to learn (default: counts, or the only one)")
    .option("--genes <names>", "gene names between commas (repeatable; default all)", repeat, [])
    .option("--genes-where <condition>", "only genes whose annotation fulfils the condition")
    .option("--no-lognorm", "take values as they are stored")
    .option("--target-sum <sum>", "what a cell's values are scaled to before the logarithm", "10000")
    .option("--latent <n>", "columns of the latent space", "128")
    .option("--hidden <sizes>", "hidden layers", "1024,1024")
    .option("--dropout <rate>", "of hidden layers", "0.5")
    .option("--input-dropout <rate>", "of the genes", "0.4")
    .option("--residual", "inner blocks add to their input")
    .option("--batch-size <n>", "samples of a batch", "100")
    .option("--sample-size <n>", "cells of a sample", "100")
    .option("--sampling <how>", "of cells: sample, class or uniform", "sample")
    .option("--epochs <n>", "passes over the samples", "10")
    .option("--limit-batches <n>", "batches of an epoch at most")
    .option("--learning-rate <rate>", "of AdamW, constant", "0.005")
    .option("--patience <n>", "end after that many epochs without a smaller loss")
    .option("--seed <n>", "of weights, batches and dropout", "0")
    .option("--checkpoint <folder>", "keep the state after each epoch there")
    .option("--resume", "go on from the checkpoint")
    .option("--overwrite", "replace a model that is already there")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Writes encoder.safetensors and decoder.safetensors, which PyTorch loads, and encoder.onnx.
The same store, options and seed make the same model, also after --resume.

Examples:
  $ npm install @jax-js/jax@0.1.25
  $ cellarr train store --label cell_type --study study --val-study study_3 -o model
  $ cellarr train store --label cell_type --latent 32 --hidden 256 --genes-where "cellarr_counts_variance > 2" -o model
  $ cellarr embed store model
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./train.js")).runTrain(store, options, context));
}

export function addEmbed(program: Command, context: CommandContext): void {
  program
    .command("embed")
    .description("Embed all cells of a store with a model, as an array of the store (needs @jax-js/jax).")
    .argument("<store>", "folder of the store")
    .argument("<model>", 'folder that "cellarr train" has written')
    .option("--name <name>", "of the array in the store's folder embeddings", "latent")
    .option("--matrix <name>", "matrix to embed (default: counts, or the only one)")
    .option("-o, --output <file.h5ad>", "write an AnnData file instead: cell metadata, and obsm X_cellarr")
    .option("--overwrite", "replace what is already there")
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
The store must have all genes of the model. The array is dense, cells x latent, attribute "value" of float32.

Examples:
  $ cellarr embed store model
  $ cellarr array read store/embeddings/latent --range cell_index=0:2
  $ cellarr embed store model -o latent.h5ad
${exitCodeHelp}`,
    )
    .action(async (store, model, options) =>
      (await import("./embed.js")).runEmbed(store, model, options, context),
    );
}
