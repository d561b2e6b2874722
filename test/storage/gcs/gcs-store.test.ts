import { generateKeyPairSync, verify } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { keptToken } from "../../../src/storage/gcs/access-token.js";
import { GcsStore, type GcsStoreOptions } from "../../../src/storage/gcs/gcs-store.js";
import { setTextFileReader } from "../../../src/storage/remote/machine.js";
import type { StorageOptions } from "../../../src/storage/remote/settings.js";
import { readTextFileNode } from "../../../src/storage/remote/text-file-node.js";
import { emulator, hasEmulator } from "../../support/cloud-emulator.js";
import { hasPython } from "../../support/python.js";
import { temporaryFolder } from "../../support/temporary.js";
import { buildDataset, exchangeArrays } from "../object-store-arrays.js";
import { storeSuite } from "../store-suite.js";

afterEach(() => vi.unstubAllEnvs());

const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) % 251);
const MiB = 2 ** 20;

describe.skipIf(!hasEmulator["fake-gcs"])("Google Cloud Storage", () => {
  // The first time it is installed.
  beforeAll(() => emulator("fake-gcs"), 900_000);

  const open = async (options: Partial<GcsStoreOptions> = {}) => {
    const { config, bucket } = await emulator("fake-gcs");
    return new GcsStore({ bucket: await bucket(), config, ...options });
  };

  storeSuite("GcsStore", () => open(), { canRename: false });

  it("writes values in parts, and drops them on abort", async () => {
    const { config } = await emulator("fake-gcs");
    const store = await open({ config: { ...config, "vfs.gcs.multi_part_size": 300_000 } });
    for (const [key, size] of [
      ["odd", 1_234_567],
      ["whole parts", 2 * MiB],
      ["one part", MiB / 2],
    ] as const) {
      const value = noise(size);
      const writer = await store.writer(key);
      for (let at = 0; at < size; at += 70_001) await writer.write(value.subarray(at, at + 70_001));
      expect(await store.get(key)).toBeUndefined();
      await writer.close();
      expect(Buffer.compare((await store.get(key))!, value)).toBe(0);
    }
    const other = await store.writer("odd");
    await other.write(noise(2 * MiB));
    await other.abort();
    expect((await store.list("")).map(({ size }) => size)).toEqual([1_234_567, MiB / 2, 2 * MiB]);
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
    const unlucky = await open({ fetch });
    expect(await unlucky.putNew("new", noise(10))).toBe(true);
    expect(lost).toBe(2);
    expect(await unlucky.putNew("new", noise(10))).toBe(false);
  });

  it("gives the end of a value with its size", async () => {
    const store = await open();
    const value = noise(1000);
    await store.put("k", value);
    expect(await store.getTail("k", 10)).toEqual({ bytes: value.slice(-10), size: 1000 });
    expect(await store.getTail("k", 5000)).toEqual({ bytes: value, size: 1000 });
    expect(await store.getTail("none", 10)).toBeUndefined();
  });

  it("lists page by page", async () => {
    let lists = 0;
    const fetch: StorageOptions["fetch"] = (input, init) => {
      const isList = String(input).includes("/o?") && (init?.method ?? "GET") === "GET";
      if (isList) lists++;
      return globalThis.fetch(isList ? `${String(input)}&maxResults=2` : input, init);
    };
    const store = await open({ fetch });
    const keys = Array.from({ length: 7 }, (_, i) => `a/${i}/x`);
    for (const key of keys) await store.put(key, noise(5));
    expect((await store.list("a")).map(({ key }) => key)).toEqual(keys);
    expect(lists).toBe(4);
    expect(await store.list("a", { recursive: false })).toEqual(
      keys.map((key) => ({ key: key.slice(0, 3), size: undefined })),
    );
  });

  it("is found where STORAGE_EMULATOR_HOST says", async () => {
    const { endpoint, bucket } = await emulator("fake-gcs");
    for (const host of [endpoint, endpoint.slice("http://".length)]) {
      vi.stubEnv("STORAGE_EMULATOR_HOST", host);
      const store = new GcsStore({ bucket: await bucket() });
      await store.put("a", noise(3));
      expect(await store.get("a")).toEqual(noise(3));
    }
  });

  it("says that there is no such bucket", async () => {
    const { config } = await emulator("fake-gcs");
    const missing = new GcsStore({ bucket: "none", config });
    await expect(missing.list("")).rejects.toMatchObject({ code: "NOT_FOUND", where: "gs://none" });
    expect(await missing.get("k")).toBeUndefined();
  });

  it("holds datasets, built and appended to", async () => {
    const { config, bucket } = await emulator("fake-gcs");
    await buildDataset(`gs://${await bucket()}/store`, { config });
  });

  it.skipIf(!hasPython)("exchanges arrays with TileDB-Py", async () => {
    const { config, bucket } = await emulator("fake-gcs");
    await exchangeArrays(`gs://${await bucket()}/folder`, { config });
  });
});

describe("who asks Google", () => {
  const requests: { url: string; headers: Headers; body: string }[] = [];
  let answers: (url: string) => Response = () => new Response("", { status: 404 });
  const fetch: StorageOptions["fetch"] = async (input, init) => {
    const request = new Request(input, init);
    requests.push({ url: request.url, headers: request.headers, body: await request.text() });
    return answers(request.url);
  };
  const send = async (options: Partial<GcsStoreOptions>) => {
    requests.length = 0;
    await new GcsStore({ bucket: "b", fetch, ...options }).get("a/ü");
    return requests.at(-1)!;
  };
  const token = (text: string) =>
    Response.json({ access_token: text, expires_in: 3600, token_type: "Bearer" });

  beforeEach(() => {
    for (const name of ["GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST", "GCE_METADATA_HOST"]) {
      vi.stubEnv(name, "");
    }
    vi.stubEnv("HOME", "/nowhere");
    setTextFileReader(readTextFileNode);
    answers = () => new Response("", { status: 404 });
    return () => setTextFileReader(undefined);
  });

  it("is nobody, where nothing says more", async () => {
    const { url, headers } = await send({});
    expect(url).toBe("https://storage.googleapis.com/storage/v1/b/b/o/a%2F%C3%BC?alt=media");
    expect(headers.get("authorization")).toBeNull();
    // The metadata server was asked for, once.
    expect(requests.map((one) => new URL(one.url).host)).toEqual([
      "metadata.google.internal",
      "storage.googleapis.com",
    ]);
  });

  it("has a token, or gives one for each request", async () => {
    expect((await send({ accessToken: "t" })).headers.get("authorization")).toBe("Bearer t");
    expect(requests).toHaveLength(1);
    const accessToken = () => "u";
    expect((await send({ accessToken })).headers.get("authorization")).toBe("Bearer u");
  });

  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const account = {
    type: "service_account",
    client_email: "me@project.example",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    private_key_id: "id",
    token_uri: "https://token.example/token",
  };

  it("is a service account, whose key signs a request for a token", async () => {
    answers = (url) =>
      url.startsWith("https://token.example") ? token("signed") : new Response("", { status: 404 });
    const config = { "vfs.gcs.service_account_key": JSON.stringify(account) };
    expect((await send({ config })).headers.get("authorization")).toBe("Bearer signed");
    const form = new URLSearchParams(requests[0]!.body);
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header, claims, signature] = form.get("assertion")!.split(".") as [string, string, string];
    expect(
      verify(
        "RSA-SHA256",
        Buffer.from(`${header}.${claims}`),
        publicKey,
        Buffer.from(signature, "base64url"),
      ),
    ).toBe(true);
    const decode = (part: string) =>
      JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
    expect(decode(header)).toEqual({ alg: "RS256", typ: "JWT", kid: "id" });
    expect(decode(claims)).toMatchObject({ iss: account.client_email, aud: account.token_uri });
    expect(Number(decode(claims).exp) - Number(decode(claims).iat)).toBe(3600);
  });

  it("is in the file that GOOGLE_APPLICATION_CREDENTIALS names: a service account, or a user", async () => {
    answers = (url) => (url.includes("token") ? token("found") : new Response("", { status: 404 }));
    const path = join(await temporaryFolder(), "key.json");
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", path);
    await expect(send({})).rejects.toMatchObject({ code: "NOT_FOUND", where: path });
    await writeFile(path, JSON.stringify(account));
    expect((await send({})).headers.get("authorization")).toBe("Bearer found");
    const user = { type: "authorized_user", client_id: "i", client_secret: "s", refresh_token: "r" };
    await writeFile(path, JSON.stringify(user));
    expect((await send({})).headers.get("authorization")).toBe("Bearer found");
    expect(requests[0]!.url).toBe("https://oauth2.googleapis.com/token");
    expect(Object.fromEntries(new URLSearchParams(requests[0]!.body))).toEqual({
      grant_type: "refresh_token",
      client_id: "i",
      client_secret: "s",
      refresh_token: "r",
    });
    await writeFile(path, JSON.stringify({ type: "external_account" }));
    await expect(send({})).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await writeFile(path, "no JSON");
    await expect(send({})).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("is the service account of the machine", async () => {
    answers = (url) => {
      if (url.endsWith("/email")) return new Response("me", { headers: { "Metadata-Flavor": "Google" } });
      return url.endsWith("/token") ? token("machine") : new Response("", { status: 404 });
    };
    const store = new GcsStore({ bucket: "b", fetch });
    requests.length = 0;
    await Promise.all([store.get("a"), store.get("b")]);
    const asked = requests.filter(({ url }) => url.includes("storage.googleapis.com"));
    expect(asked.map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer machine",
      "Bearer machine",
    ]);
    expect(requests.filter(({ url }) => url.includes("metadata"))).toHaveLength(2);
    expect(requests[0]!.headers.get("metadata-flavor")).toBe("Google");
  });

  it("is nobody at another endpoint: credentials are Google's only", async () => {
    const path = join(await temporaryFolder(), "key.json");
    await writeFile(path, JSON.stringify(account));
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", path);
    const { headers, url } = await send({ config: { "vfs.gcs.endpoint": "https://other.example/" } });
    expect(url).toMatch(/^https:\/\/other\.example\/storage\/v1\//);
    expect([headers.get("authorization"), requests.length]).toEqual([null, 1]);
  });

  it("may hold signed URLs, which list nothing", async () => {
    const signedUrl = async (key: string, method: string) =>
      `https://signed.example/${key}?m=${method}&sig=x`;
    const { url, headers } = await send({ signedUrl });
    expect([url, headers.get("authorization")]).toEqual([
      "https://signed.example/a/%C3%BC?m=GET&sig=x",
      null,
    ]);
    answers = () => new Response("");
    const store = new GcsStore({ bucket: "b", fetch, signedUrl });
    await store.put("k", noise(3));
    expect(requests.at(-1)!.url).toBe("https://signed.example/k?m=PUT&sig=x");
    await expect(store.list("")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(store.writer("k")).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("is refused where settings say what is not known", () => {
    const make = (config: StorageOptions["config"]) => () => new GcsStore({ bucket: "b", config });
    expect(make({ "vfs.gcs.impersonate_service_account": "x" })).toThrow("is not supported");
    expect(make({ "vfs.gcs.endpoint": "host" })).toThrow("must begin with https://");
    expect(make({ "vfs.gcs.service_account_key": "{" })).toThrow("must be a JSON object");
    const old = JSON.stringify({ ...account, private_key: undefined });
    expect(make({ "vfs.gcs.service_account_key": old })).toThrow("lack 'private_key'");
  });
});

describe("kept tokens", () => {
  it("are renewed shortly before they expire, once for all who ask", async () => {
    let now = 0;
    let asked = 0;
    let fails = false;
    const source = keptToken(
      async () => {
        asked++;
        if (fails) throw new Error("the server is away");
        return { token: `t${asked}`, expiresAt: now + 3_600_000 };
      },
      () => now,
    );
    expect(await Promise.all([source(), source()])).toEqual(["t1", "t1"]);
    now = 3_000_000;
    expect(await source()).toBe("t1");
    now = 3_500_000;
    fails = true;
    // Still good, if not for long.
    expect(await source()).toBe("t1");
    fails = false;
    expect(await source()).toBe("t3");
    fails = true;
    now += 4_000_000;
    await expect(source()).rejects.toThrow("the server is away");
  });
});
