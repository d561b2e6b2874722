import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { canHaveEmulator, ensureEmulator } from "../../scripts/cloud-servers.mjs";
import { SharedKeySigner } from "../../src/storage/azure/shared-key.js";

/**
 * Emulators of Azure Blob Storage and Google Cloud Storage. One process each per test file, started at the first call,
 * ended after the file's tests. `describe.skipIf(!hasEmulator.azurite)(...)`: false only where the machine cannot install
 * it, which CI does not forgive.
 */

type EmulatorName = "azurite" | "fake-gcs";

export const hasEmulator: Readonly<Record<EmulatorName, boolean>> = {
  azurite: canHaveEmulator("azurite"),
  "fake-gcs": canHaveEmulator("fake-gcs"),
};

for (const [name, isThere] of Object.entries(hasEmulator)) {
  if (!isThere && process.env.CI === "true")
    throw new Error(`${name} can't be installed: its tests must run in CI`);
}

export interface Emulator {
  /** As the settings of TileDB have it. */
  readonly endpoint: string;
  /** TileDB's settings, for us and for TileDB-Py. */
  readonly config: Readonly<Record<string, string>>;
  /** Makes a container or bucket, empty; returns its name. Azure: `isPublic` lets everybody read and list. */
  bucket(isPublic?: boolean): Promise<string>;
}

interface Running {
  readonly emulator: Emulator;
  stop(): Promise<void>;
}

const started = new Map<EmulatorName, Promise<Running>>();

export async function emulator(name: EmulatorName): Promise<Emulator> {
  let running = started.get(name);
  if (running === undefined) {
    running = start(name);
    started.set(name, running);
  }
  return (await running).emulator;
}

afterAll(async () => {
  const all = [...started.values()];
  started.clear();
  for (const running of all) await running.then(({ stop }) => stop());
});

/** Of Azurite, the same everywhere. */
export const azuriteAccount = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

async function start(name: EmulatorName): Promise<Running> {
  const program = await ensureEmulator[name]();
  const folder = await mkdtemp(join(tmpdir(), `cellarr-${name}-`));
  const port = await freePort();
  const child = (name === "azurite" ? startAzurite : startFakeGcs)(program, folder, port);
  let complaints = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (text: Buffer) => {
      complaints = (complaints + text.toString()).slice(-10_000);
    });
  }
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    kill();
    await ended;
    process.off("exit", kill);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answering(url, child);
  } catch (error) {
    await stop();
    throw new Error(`${name} does not start:\n${complaints}`, { cause: error });
  }
  return { emulator: name === "azurite" ? azurite(url) : fakeGcs(url), stop };
}

function startAzurite(module: string, folder: string, port: number): ChildProcess {
  // TileDB's client speaks a version that is newer than the emulator.
  const options = ["--blobPort", String(port), "--location", folder, "--silent", "--skipApiVersionCheck"];
  return spawn(process.execPath, [module, ...options, "--disableTelemetry"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function startFakeGcs(program: string, folder: string, port: number): ChildProcess {
  const url = `http://127.0.0.1:${port}`;
  const place = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-external-url", url];
  const options = ["-backend", "filesystem", "-filesystem-root", folder, "-log-level", "error"];
  return spawn(program, [...place, ...options], { stdio: ["ignore", "pipe", "pipe"] });
}

function azurite(url: string): Emulator {
  const endpoint = `${url}/${azuriteAccount.name}`;
  const signer = new SharedKeySigner(azuriteAccount.name, azuriteAccount.key);
  return {
    endpoint,
    config: {
      "vfs.azure.blob_endpoint": endpoint,
      "vfs.azure.storage_account_name": azuriteAccount.name,
      "vfs.azure.storage_account_key": azuriteAccount.key,
    },
    async bucket(isPublic = false) {
      const name = `container-${randomBytes(6).toString("hex")}`;
      const { headers } = await signer.sign({
        method: "PUT",
        url: `${endpoint}/${name}?restype=container`,
        headers: {
          "x-ms-version": "2021-08-06",
          ...(isPublic && { "x-ms-blob-public-access": "container" }),
        },
        accept: [201],
        where: name,
      });
      await expectOk(
        fetch(`${endpoint}/${name}?restype=container`, { method: "PUT", headers: headers ?? {} }),
      );
      return name;
    },
  };
}

function fakeGcs(endpoint: string): Emulator {
  return {
    endpoint,
    config: { "vfs.gcs.endpoint": endpoint },
    async bucket() {
      const name = `bucket-${randomBytes(6).toString("hex")}`;
      const headers = { "Content-Type": "application/json" };
      await expectOk(
        fetch(`${endpoint}/storage/v1/b?project=test`, {
          method: "POST",
          headers,
          body: JSON.stringify({ name }),
        }),
      );
      return name;
    },
  };
}

async function expectOk(answer: Promise<Response>): Promise<void> {
  const { ok, status, text } = await answer.then(async (one) => ({
    ok: one.ok,
    status: one.status,
    text: await one.text(),
  }));
  if (!ok) throw new Error(`the emulator answered ${status}: ${text}`);
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
    const isThere = await fetch(url).then(
      async (answer) => {
        await answer.arrayBuffer();
        return true;
      },
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("does not answer");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}
