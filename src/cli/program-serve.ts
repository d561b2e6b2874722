import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";

export function addServe(program: Command, context: CommandContext): void {
  program
    .command("serve")
    .description("Answer requests about stores over HTTP, until interrupted.")
    .argument("<stores...>", "stores, each as STORE (its name is the last folder's) or NAME=STORE")
    .option("--port <n>", "port to listen on; 0: any that is free", "8080")
    .option("--host <address>", "address to listen on; 0.0.0.0: all", "127.0.0.1")
    .option("--cors <origin>", "let pages of this origin read answers; *: of all (repeatable)", repeat, [])
    .option("--cache-control <text>", "Cache-Control of answers (default: no-cache)")
    .option("--refresh <seconds>", "look for changes of a store after so long", "10")
    .option("--max-values <n>", "cells x genes x matrices of an answer (default: 50000000)")
    .option("--max-rows <n>", "rows of metadata of an answer (default: 100000)")
    .option("--max-bytes <n>", "bytes of an answer (default: 134217728)")
    .addHelpText(
      "after",
      `
Prints the URL once it listens. It only reads; there is no access control: whoever reaches the port reads the stores.

  /stores                 names of the stores
  /stores/NAME            shape, matrices, columns, samples
  /stores/NAME/cells      cell metadata: cells, where, sample, columns, offset, limit
  /stores/NAME/genes      gene annotation: genes, rows, where, prefix, columns, offset, limit
  /stores/NAME/samples    sample metadata: samples, rows, where, columns, offset, limit
  /stores/NAME/slice      cells x genes: cells, where, sample, genes, geneWhere, matrix, offset, limit
  /openapi.json           the same for programs
Answers are JSON, CSV or Arrow IPC, by format=json, csv or arrow, or the Accept header.

Examples:
  $ cellarr serve store
  $ cellarr serve pbmc=data/store lung=data/other --port 9000 --cors '*'
  $ curl 'http://127.0.0.1:8080/stores/store/slice?cells=0:10&genes=gene_1,gene_95&format=csv'
${exitCodeHelp}`,
    )
    .action(async (stores, options) => (await import("./serve.js")).runServe(stores, options, context));
}
