import type { Command } from "commander";
import type { StorageOptions } from "../storage/remote/settings.js";
import type { CommandContext } from "./context.js";
import { repeat } from "./help.js";
import { UsageError } from "./usage.js";

/** `--config name=value`, an option of every command that takes a place. */

/** Gives it to all commands that are there, and the context what it says before one of them runs. */
export function addStorageOptions(program: Command, context: CommandContext): void {
  for (const command of leaves(program)) {
    if (command.name() === "demo") continue;
    command.option(
      "--config <name=value>",
      "setting of remote places, named as in TileDB: vfs.s3.region=eu-west-1 (repeatable)",
      repeat,
      [],
    );
  }
  program.hook("preAction", (_, command) => {
    const { config = [] } = command.opts<{ config?: readonly string[] }>();
    context.storage = storageOptions(config);
  });
}

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function storageOptions(texts: readonly string[]): StorageOptions {
  if (texts.length === 0) return {};
  return { config: Object.fromEntries(texts.map(parseSetting)) };
}

function parseSetting(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  // The text may be a secret.
  throw new UsageError("--config: expected NAME=VALUE, such as vfs.s3.region=eu-west-1");
}
