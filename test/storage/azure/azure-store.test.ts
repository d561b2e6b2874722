import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { parseConnectionString } from "../../../src/storage/azure/azure-settings.js";
import { AzureStore } from "../../../src/storage/azure/azure-store.js";
import { readBlobPage } from "../../../src/storage/azure/list-blobs.js";
import type { StorageOptions } from "../../../src/storage/remote/settings.js";
import { azuriteAccount, emulator, hasEmulator } from "../../support/cloud-emulator.js";
import { listedSizes } from "../../support/listed-sizes.js";
import { hasPython } from "../../support/python.js";
import { buildDataset, exchangeArrays } from "../object-store-arrays.js";
import { storeSuite } from "../store-suite.js";

afterEach(() => vi.unstubAllEnvs());

const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) % 251);

/** A shared access signature for a container, as Azure's documents describe it for version 2020-12-06. */
function sasToken(container: string, permissions: string): string {
  const expiry = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
  const version = "2020-12-06";
  const resource = `/blob/${azuriteAccount.name}/${container}`;
  const fields = [permissions, "", expiry, resource, "", "", "", version, "c", "", "", "", "", "", "", ""];
  const key = Buffer.from(azuriteAccount.key, "base64");
  const sig = createHmac("sha256", key).update(fields.join("\n")).digest("base64");
  return `?${new URLSearchParams({ sv: version, sr: "c", sp: permissions, se: expiry, sig })}`;
}

describe.skipIf(!hasEmulator.azurite)("Azure Blob Storage", () => {
  // The first time it is installed.
  beforeAll(() => emulator("azurite"), 900_000);

  const open = async (
    settings: Readonly<Record<string, string | number>> = {},
    fetch?: StorageOptions["fetch"],
  ) => {
    const { config, bucket } = await emulator("azurite");
    return new AzureStore({ container: await bucket(), config: { ...config, ...settings }, fetch });
  };

  storeSuite("AzureStore", () => open(), { canRename: false });

  it("writes values in blocks, several at a time, and drops them on abort", async () => {
    const store = await open({ "vfs.azure.block_list_block_size": 50_000, "vfs.azure.max_parallel_ops": 3 });
    const value = noise(1_234_567);
    const writer = await store.writer("folder/large");
    for (let at = 0; at < value.byteLength; at += 70_001) await writer.write(value.subarray(at, at + 70_001));
    expect(await store.get("folder/large")).toBeUndefined();
    await writer.close();
    expect(Buffer.compare((await store.get("folder/large"))!, value)).toBe(0);
    const other = await store.writer("folder/large");
    await other.write(noise(200_000));
    await other.abort();
    expect(await listedSizes(store, "")).toEqual([{ key: "folder/large", size: value.byteLength }]);
  });

  it("writes a value only if it is new, one of several that ask", async () => {
    const store = await open();
    const asked = [1, 2, 3, 4].map((value) => store.putNew("lock", new Uint8Array([value])));
    const told = await Promise.all(asked);
    expect(told.filter((isNew) => isNew)).toHaveLength(1);
    expect(await store.get("lock")).toEqual(new Uint8Array([told.indexOf(true) + 1]));
    await store.delete("lock");
    // An answer that is lost on the way: asked again, the value is there, and ours.
    let lost = 0;
    const fetch: StorageOptions["fetch"] = async (input, init) => {
      const answer = await globalThis.fetch(input, init);
      if (init?.method === "GET" || lost++ > 0) return answer;
      await answer.arrayBuffer();
      throw new TypeError("connection lost");
    };
    const unlucky = await open({}, fetch);
    expect(await unlucky.putNew("new", noise(10))).toBe(true);
    expect(lost).toBe(2);
    expect(await unlucky.putNew("new", noise(10))).toBe(false);
  });

  it("gives the end of a value with its size", async () => {
    const store = await open();
    const value = noise(1000);
    await store.put("k", value);
    await store.put("empty", new Uint8Array());
    expect(await store.getTail("k", 10)).toEqual({ bytes: value.slice(-10), size: 1000 });
    expect(await store.getTail("k", 5000)).toEqual({ bytes: value, size: 1000 });
    expect(await store.getTail("empty", 10)).toEqual({ bytes: new Uint8Array(), size: 0 });
    expect(await store.getTail("none", 10)).toBeUndefined();
  });

  it("takes shared access signatures, beside the endpoint or in it", async () => {
    const { endpoint, config, bucket } = await emulator("azurite");
    const container = await bucket();
    await new AzureStore({ container, config }).put("a/b", noise(20));
    const token = sasToken(container, "rl");
    for (const settings of [
      { "vfs.azure.blob_endpoint": endpoint, "vfs.azure.storage_sas_token": token },
      { "vfs.azure.blob_endpoint": `${endpoint}${token}` },
    ]) {
      const store = new AzureStore({ container, config: settings });
      expect(await listedSizes(store, "")).toEqual([{ key: "a/b", size: 20 }]);
      expect(await store.getRange("a/b", { start: 3, end: 9 })).toEqual(noise(20).slice(3, 9));
      const error = await store.put("c", noise(3)).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: "STORAGE", where: `azure://${container}/c` });
      expect(String(error)).toMatch(/403.*AuthorizationPermissionMismatch/);
      expect(String(error)).not.toContain("sig=");
    }
  });

  it("reads public containers without credentials, page by page", async () => {
    const { endpoint, config, bucket } = await emulator("azurite");
    const container = await bucket(true);
    const owner = new AzureStore({ container, config });
    const keys = Array.from({ length: 7 }, (_, i) => `a/${i}/x`);
    for (const key of keys) await owner.put(key, noise(5));
    let lists = 0;
    const fetch: StorageOptions["fetch"] = (input, init) => {
      const isList = String(input).includes("comp=list");
      if (isList) lists++;
      return globalThis.fetch(isList ? `${String(input)}&maxresults=2` : input, init);
    };
    const store = new AzureStore({ container, config: { "vfs.azure.blob_endpoint": endpoint }, fetch });
    expect((await store.list("a")).map(({ key }) => key)).toEqual(keys);
    expect(lists).toBe(4);
    expect(await store.list("a", { recursive: false })).toEqual(
      keys.map((key) => ({ key: key.slice(0, 3), size: undefined })),
    );
    expect(await store.get("a/3/x")).toEqual(noise(5));
    await expect(store.put("a/3/x", noise(1))).rejects.toMatchObject({ code: "STORAGE" });
  });

  it("takes account, key and endpoint from the environment", async () => {
    const { endpoint, bucket } = await emulator("azurite");
    const container = await bucket();
    const { name, key } = azuriteAccount;
    const connection = `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${key};BlobEndpoint=${endpoint};`;
    vi.stubEnv("AZURE_STORAGE_CONNECTION_STRING", connection);
    await new AzureStore({ container }).put("a", noise(3));
    vi.stubEnv("AZURE_STORAGE_CONNECTION_STRING", "");
    vi.stubEnv("AZURE_STORAGE_ACCOUNT", name);
    vi.stubEnv("AZURE_STORAGE_KEY", key);
    const store = new AzureStore({ container, config: { "vfs.azure.blob_endpoint": endpoint } });
    expect(await store.get("a")).toEqual(noise(3));
  });

  it("says what is wrong: no container, a wrong key", async () => {
    const { config } = await emulator("azurite");
    const missing = new AzureStore({ container: "none", config });
    await expect(missing.list("")).rejects.toMatchObject({ code: "NOT_FOUND", where: "azure://none" });
    await expect(missing.get("k")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(missing.put("k", noise(1))).rejects.toMatchObject({ code: "NOT_FOUND" });
    const wrong = { ...config, "vfs.azure.storage_account_key": btoa("wrong") };
    await expect(new AzureStore({ container: "none", config: wrong }).list("")).rejects.toThrow(/403/);
  });

  it("holds datasets, built and appended to", async () => {
    const { config, bucket } = await emulator("azurite");
    await buildDataset(`azure://${await bucket()}/store`, { config });
  });

  it.skipIf(!hasPython)("exchanges arrays with TileDB-Py", async () => {
    const { config, bucket } = await emulator("azurite");
    await exchangeArrays(`azure://${await bucket()}/folder`, { config });
  });
});

describe("settings of Azure", () => {
  const requests: Request[] = [];
  const fetch: StorageOptions["fetch"] = async (input, init) => {
    requests.push(new Request(input, init));
    return new Response("", { status: 404 });
  };
  const send = async (options: StorageOptions) => {
    requests.length = 0;
    await new AzureStore({ container: "c", fetch, ...options }).get("a b/ü");
    return requests[0]!;
  };

  it("say where the account is", async () => {
    const { url, headers } = await send({ config: { "vfs.azure.storage_account_name": "one" } });
    expect(url).toBe("https://one.blob.core.windows.net/c/a%20b/%C3%BC");
    expect(headers.get("authorization")).toBeNull();
  });

  it("may be a token, or give one for each request", async () => {
    let count = 0;
    const config = { "vfs.azure.storage_account_name": "one", "vfs.azure.storage_account_key": "a2V5" };
    const accessToken = async () => `t${++count}`;
    expect((await send({ config, accessToken: "t" })).headers.get("authorization")).toBe("Bearer t");
    const store = new AzureStore({ container: "c", fetch, config, accessToken });
    await store.get("k");
    await store.get("k");
    expect(requests.slice(-2).map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer t1",
      "Bearer t2",
    ]);
    expect(requests.at(-1)!.headers.get("x-ms-version")).toBe("2021-08-06");
  });

  it("of one account are not sent to another", async () => {
    vi.stubEnv("AZURE_STORAGE_ACCOUNT", "mine");
    vi.stubEnv("AZURE_STORAGE_KEY", "a2V5");
    const own = await send({});
    expect(own.url).toContain("https://mine.blob.");
    expect(own.headers.get("authorization")).toMatch(/^SharedKey mine:/);
    const other = await send({ config: { "vfs.azure.storage_account_name": "other" } });
    expect(other.headers.get("authorization")).toBeNull();
  });

  it("are refused where they cannot be right", () => {
    const make = (config: StorageOptions["config"]) => () => new AzureStore({ container: "c", config });
    expect(make({})).toThrow("no Azure account");
    expect(make({ "vfs.azure.blob_endpoint": "host/path" })).toThrow("must begin with https://");
    expect(make({ "vfs.azure.blob_endpoint": "AccountName=a;AccountKey=geheim" })).not.toThrow("geheim");
    expect(
      make({ "vfs.azure.blob_endpoint": "https://h?sig=1", "vfs.azure.storage_sas_token": "sig=2" }),
    ).toThrow("both");
    const key = { "vfs.azure.storage_account_name": "a", "vfs.azure.storage_account_key": "%%" };
    expect(make(key)).toThrow("is not base64");
    expect(make({ "vfs.azure.nonsense": "1" })).toThrow("vfs.azure.nonsense");
  });

  it("read connection strings", () => {
    const text = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;EndpointSuffix=core.example";
    expect(parseConnectionString(text)).toEqual({
      account: "a",
      key: "k==",
      sas: undefined,
      endpoint: "https://a.blob.core.example",
    });
    const sas = parseConnectionString("BlobEndpoint=https://x.example/;SharedAccessSignature=sv=1&sig=a%3D");
    expect(sas).toMatchObject({ endpoint: "https://x.example/", sas: "sv=1&sig=a%3D" });
    expect(parseConnectionString("UseDevelopmentStorage=true").account).toBe("devstoreaccount1");
    expect(() => parseConnectionString("nonsense")).toThrow("name=value pairs");
  });
});

describe("listings of Azure", () => {
  const page = (blobs: string) =>
    readBlobPage(
      new TextEncoder().encode(
        `\uFEFF<?xml version="1.0"?><EnumerationResults><Blobs>${blobs}</Blobs><NextMarker/></EnumerationResults>`,
      ),
      "here",
    );
  const blob = (name: string, size: string, more = "") =>
    `<Blob><Name>${name}</Name><Properties><Content-Length>${size}</Content-Length>${more}</Properties></Blob>`;

  it("leave out folders of accounts with a hierarchy", () => {
    const folder = blob("a", "0", "<ResourceType>directory</ResourceType>");
    expect(page(folder + blob("a/b", "3") + blob("c/", "0"))).toEqual({
      entries: [{ key: "a/b", size: 3 }],
      nextMarker: "",
    });
  });

  it("are refused where they are none", () => {
    expect(() => page("<Blob><Name>a</Name></Blob>")).toThrow("has no properties");
    expect(() => page(blob("a", ""))).toThrow("how large");
    expect(() => page(blob("a", "-1"))).toThrow("how large");
    expect(() => readBlobPage(new TextEncoder().encode("<html></html>"), "here")).toThrow("got <html>");
  });
});
