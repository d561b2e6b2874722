import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp } from "./help.js";

export function addZip(program: Command, context: CommandContext): void {
  program
    .command("zip")
    .description("Put a store, or an array or group, into one zip file that is read by ranges as it is.")
    .argument("<store>", "folder of the store")
    .argument("<file.zip>", "file to write: a path or a URI")
    .option("--overwrite", "replace a file that is already there")
    .option("--json", "print a summary as JSON")
    .addHelpText(
      "after",
      `
The entries are not compressed again. Everything that reads stores takes the file in their place, local or remote.

Examples:
  $ cellarr zip store store.zip
  $ cellarr query store.zip --cells 0:10 --genes gene_1
  $ cellarr array inspect store.zip#zip/assays/counts
${exitCodeHelp}`,
    )
    .action(async (store, file, options) =>
      (await import("./zip-store.js")).runZip(store, file, options, context),
    );
}
