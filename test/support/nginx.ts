import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach } from "vitest";
import { findNginx } from "../../scripts/nginx.mjs";

/** A real web server. */

export interface Nginx {
  /** `http://127.0.0.1:PORT`, without a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Skips the tests of a file where nginx is missing, which CI does not forgive. */
export function needsNginx(): boolean {
  const isThere = findNginx() !== null;
  beforeEach((context) => {
    if (!isThere) context.skip("needs nginx, which is missing");
  });
  return isThere;
}

/**
 * Starts nginx in `folder`, where it keeps what it needs.
 *
 * @param server directives of its server block, `root` among them
 */
export async function startNginx(folder: string, server: string, http = ""): Promise<Nginx> {
  const port = await freePort();
  await mkdir(join(folder, "temporary"), { recursive: true });
  await writeFile(join(folder, "nginx.conf"), configuration(port, server, http));
  const child = spawn(findNginx()!, ["-p", folder, "-c", "nginx.conf", "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${complaints}`);
    await sleep(20);
  }
  return {
    url,
    close: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function configuration(port: number, server: string, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path temporary/${name};`,
  );
  return `daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  default_type application/octet-stream;
  ${temporary.join("\n  ")}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`;
}
