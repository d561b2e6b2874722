import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp } from "./help.js";

/** `cellarr publish`. */
export function addPublish(program: Command, context: CommandContext): void {
  program
    .command("publish")
    .description(
      "Write the index file of a store, with which it opens quickly from static hosting and buckets.",
    )
    .argument("<store>", "folder of the store or of a single array, or its URI")
    .option("--max-bytes <n>", "bytes of files that the index holds at most", "1048576")
    .option("--break-lock", "go on although a killed process left the store locked")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
The index, __cellarr/index.bin in the store's folder, names all files with their sizes and holds the small ones that
every opening reads, and columns of the metadata as far as there is room. Where nothing can be listed, as on plain web
servers, a store opens by its index alone. TileDB and Python cellarr take no notice of it. Commands that change the
store remove it: publish again then.

Examples:
  $ cellarr publish store
  $ cellarr publish s3://bucket/store --config vfs.s3.region=eu-west-1
${exitCodeHelp}`,
    )
    .action(async (store, options) => (await import("./publish.js")).runPublish(store, options, context));
}
