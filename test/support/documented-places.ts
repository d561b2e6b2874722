import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { buildCellArrDataset, publishStore } from "../../src/node.js";
import { S3Store } from "../../src/storage/s3/s3-store.js";
import { serveFolders } from "./folder-server.js";
import { s3Server } from "./s3-server.js";

/**
 * What stands in for the places that documentation names: `s3://bucket/store` and `s3://my-bucket/store` are in s3proxy,
 * `https://host/store` is a static server of this machine that lists nothing.
 */

export interface DocumentedPlaces {
  /** Of a process that runs the code. */
  readonly env: Readonly<Record<string, string>>;
  /** Options of `node` before the file. */
  readonly options: readonly string[];
}

const BUCKETS = ["bucket", "my-bucket"];

/** @param folder has a.h5ad; what is needed besides is written into a folder in it */
export async function documentedPlaces(folder: string): Promise<DocumentedPlaces> {
  const store = join(folder, "elsewhere", "store");
  await buildCellArrDataset({
    outputPath: store,
    files: [join(folder, "a.h5ad")],
    matrixOptions: { matrixName: "counts", dtype: "uint16" },
    cellMetadataOptions: { columnTypes: { tissue: "ascii" } },
  });
  await publishStore(store);
  const env = await buckets(store);
  const web = await serveFolders({ store });
  onTestFinished(() => web.close());
  const module = join(folder, "elsewhere", "host.mjs");
  await writeFile(
    module,
    // A global fetch that is put there later than the package goes before its transport.
    `import "cellarr";
const { fetch } = globalThis;
globalThis.fetch = (input, init) => fetch(String(input).replace(/^https:\\/\\/host(?=\\/)/, "${web.url}"), init);
`,
  );
  return { env, options: ["--import", pathToFileURL(module).href] };
}

/** The store in buckets of these names; returns the environment with which they are found. */
async function buckets(store: string): Promise<Record<string, string>> {
  const server = await s3Server("s3proxy");
  for (const bucket of BUCKETS) {
    // There already for a document before this one.
    await server.request("PUT", bucket);
    const place = new S3Store({ bucket, config: server.config });
    for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      await place.put(`store/${relative(store, path).split(sep).join("/")}`, await readFile(path));
    }
  }
  return {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: server.accessKey,
    AWS_SECRET_ACCESS_KEY: server.secretKey,
  };
}
