import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CommandContext } from "../../src/cli/context.js";
import { createProgram } from "../../src/cli/program.js";
import { addStorageOptions } from "../../src/cli/storage-options.js";

/** What `--config` makes of a command line. */
async function settingsOf(...args: readonly string[]): Promise<unknown> {
  const context: CommandContext = { signal: new AbortController().signal };
  let seen: unknown;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  program
    .command("array")
    .command("read")
    .argument("<uri>")
    .action(() => {
      seen = context.storage;
    });
  addStorageOptions(program, context);
  await program.parseAsync(["array", "read", "s3://b/x", ...args], { from: "user" });
  return seen;
}

describe("--config", () => {
  it("gives settings by their names, of which the last counts", async () => {
    expect(await settingsOf()).toEqual({});
    const args = [
      "--config",
      "vfs.s3.region=x",
      "--config=a=b=c",
      "--config",
      "e=",
      "--config",
      "vfs.s3.region=y",
    ];
    expect(await settingsOf(...args)).toEqual({ config: { "vfs.s3.region": "y", a: "b=c", e: "" } });
  });

  it.each(["", "name", "=value"])("refuses '%s'", async (text) => {
    await expect(settingsOf("--config", text)).rejects.toThrow(/expected NAME=VALUE/);
  });

  it("does not repeat what it refuses, which may be a secret", async () => {
    await expect(settingsOf("--config", "secret_key:geheim")).rejects.not.toThrow(/geheim/);
  });

  it("is an option of every command but the demo", () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
    const all = leaves(createProgram({ signal: new AbortController().signal }));
    const without = all.filter((command) => !command.options.some(({ long }) => long === "--config"));
    expect(without.map((command) => command.name())).toEqual(["demo"]);
  });
});
