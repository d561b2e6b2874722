import type { Command } from "commander";
import type { CommandContext } from "./context.js";
import { exitCodeHelp, repeat } from "./help.js";

export function addArray(program: Command, context: CommandContext): void {
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
