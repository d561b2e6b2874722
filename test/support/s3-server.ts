import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { canHaveServer, ensureServer } from "../../scripts/s3-servers.mjs";
import { EMPTY_SHA256, sha256Hex, signRequest } from "../../src/storage/s3/sign.js";

/**
 * Real servers that speak S3. s3proxy checks signatures and keeps objects in files; versitygw has bucket policies,
 * anonymous access and CORS as well. One process each per test file, started at the first call, ended after the file's
 * tests. `describe.skipIf(!hasServer.s3proxy)(...)`: false only where the machine cannot install it, which CI does not
 * forgive.
 */

export type S3ServerName = "s3proxy" | "versitygw";

export const hasServer: Readonly<Record<S3ServerName, boolean>> = {
  s3proxy: canHaveServer("s3proxy"),
  versitygw: canHaveServer("versitygw"),
};

for (const [name, isThere] of Object.entries(hasServer)) {
  if (!isThere && process.env.CI === "true")
    throw new Error(`${name} can't be installed: its tests must run in CI`);
}

export interface S3Server {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** TileDB's settings, for us and for TileDB-Py. */
  readonly config: Readonly<Record<string, string>>;
  /** Makes a bucket, empty; returns its name. */
  bucket(): Promise<string>;
  /** A signed request, for what stores do not do: policies and the like. `path` is escaped already. */
  request(method: string, path: string, body?: string): Promise<Response>;
}

const started = new Map<S3ServerName, Promise<Running>>();

interface Running {
  readonly server: S3Server;
  stop(): Promise<void>;
}

export async function s3Server(name: S3ServerName = "s3proxy"): Promise<S3Server> {
  let running = started.get(name);
  if (running === undefined) {
    running = start(name);
    started.set(name, running);
  }
  return (await running).server;
}

// A first installation takes longer than a test may.
beforeAll(async () => {
  for (const name of ["s3proxy", "versitygw"] as const) if (hasServer[name]) await ensureServer[name]();
}, 1_800_000);

afterAll(async () => {
  const all = [...started.values()];
  started.clear();
  for (const running of all) await running.then(({ stop }) => stop());
});

const ACCESS_KEY = "testkey";
const SECRET_KEY = "testsecret123";
const REGION = "us-east-1";

async function start(name: S3ServerName): Promise<Running> {
  const program = await ensureServer[name]();
  const folder = await mkdtemp(join(tmpdir(), `cellarr-${name}-`));
  const port = await freePort();
  const child = await (name === "s3proxy" ? startS3proxy : startVersitygw)(program, folder, port);
  let complaints = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (text: Buffer) => {
      complaints = (complaints + text.toString()).slice(-10_000);
    });
  }
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    kill();
    await ended;
    process.off("exit", kill);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answering(endpoint, child);
  } catch (error) {
    await stop();
    throw new Error(`${name} does not start:\n${complaints}`, { cause: error });
  }
  return { server: serverAt(endpoint), stop };
}

async function startS3proxy(jar: string, folder: string, port: number): Promise<ChildProcess> {
  const settings = {
    "s3proxy.endpoint": `http://127.0.0.1:${port}`,
    "s3proxy.authorization": "aws-v2-or-v4",
    "s3proxy.identity": ACCESS_KEY,
    "s3proxy.credential": SECRET_KEY,
    "jclouds.provider": "transient",
    "jclouds.filesystem.basedir": join(folder, "data"),
    "jclouds.identity": "local",
    "jclouds.credential": "local",
  };
  const file = join(folder, "s3proxy.conf");
  await mkdir(join(folder, "data"));
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(file, lines.join(""));
  return spawn("java", ["-Xmx512m", "-jar", jar, "--properties", file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function startVersitygw(program: string, folder: string, port: number): Promise<ChildProcess> {
  for (const name of ["data", "iam", "versions"]) await mkdir(join(folder, name));
  const options = [
    "--port",
    `127.0.0.1:${port}`,
    "--region",
    REGION,
    "--iam-dir",
    join(folder, "iam"),
    "--quiet",
    "--virtual-domain",
    "s3.test",
  ];
  const backend = ["posix", "--versioning-dir", join(folder, "versions"), join(folder, "data")];
  return spawn(program, [...options, ...backend], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
  });
}

function serverAt(endpoint: string): S3Server {
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  const request = async (method: string, path: string, body?: string) => {
    const hash = body === undefined ? EMPTY_SHA256 : await sha256Hex(new TextEncoder().encode(body));
    const url = `${endpoint}/${path}`;
    const headers: Record<string, string> = { "x-amz-content-sha256": hash };
    if (body !== undefined) headers["content-md5"] = createHash("md5").update(body).digest("base64");
    const signed = await signRequest({ method, url, headers }, credentials, {
      service: "s3",
      region: REGION,
    });
    return fetch(url, { method, headers: signed, ...(body === undefined ? {} : { body }) });
  };
  return {
    endpoint,
    region: REGION,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    config: {
      "vfs.s3.endpoint_override": endpoint.slice("http://".length),
      "vfs.s3.scheme": "http",
      "vfs.s3.use_virtual_addressing": "false",
      "vfs.s3.region": REGION,
      "vfs.s3.aws_access_key_id": ACCESS_KEY,
      "vfs.s3.aws_secret_access_key": SECRET_KEY,
    },
    request,
    async bucket() {
      const name = `bucket-${randomBytes(6).toString("hex")}`;
      const answer = await request("PUT", name);
      if (answer.status !== 200) throw new Error(`no bucket: ${answer.status} ${await answer.text()}`);
      return name;
    },
  };
}

/** Java takes some seconds on a busy machine. */
async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
    const isThere = await fetch(endpoint).then(
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
