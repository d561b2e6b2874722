import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import "../../../src/node-platform.js";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../../src/storage/remote/settings.js";
import { findCredentials } from "../../../src/storage/s3/credentials/chain.js";
import { containerCredentials } from "../../../src/storage/s3/credentials/container.js";
import { instanceCredentials } from "../../../src/storage/s3/credentials/instance.js";
import { parseProfiles } from "../../../src/storage/s3/credentials/parse-profiles.js";
import { RefreshedCredentials } from "../../../src/storage/s3/credentials/refreshed.js";
import type { AwsCredentials } from "../../../src/storage/s3/credentials/types.js";
import { temporaryFolder } from "../../support/temporary.js";
import { errorXml, fakeServer, useEnvironment } from "./fake-s3.js";

const NONE = {
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/none",
  AWS_SHARED_CREDENTIALS_FILE: "/none",
};
const LATER = "2030-01-02T03:04:05Z";

const keys = (name: string): AwsCredentials => ({
  accessKeyId: `id-${name}`,
  secretAccessKey: `secret-${name}`,
});
const answer = (name: string) =>
  JSON.stringify({
    AccessKeyId: `id-${name}`,
    SecretAccessKey: `secret-${name}`,
    Token: name,
    Expiration: LATER,
  });
const answered = (name: string) => ({ ...keys(name), sessionToken: name, expiresAt: Date.parse(LATER) });

function find(config: Record<string, string> = {}): Promise<AwsCredentials> {
  return findCredentials(readSettings(config), { region: "eu-west-1", fetch: globalThis.fetch }).get();
}

async function profileFiles(config: string, credentials = ""): Promise<void> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config"), config);
  await writeFile(join(folder, "credentials"), credentials);
  useEnvironment({
    ...NONE,
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
  });
}

const stsXml = (action: string, name: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
  <AccessKeyId>id-${name}</AccessKeyId><SecretAccessKey>secret-${name}</SecretAccessKey>
  <SessionToken>${name}</SessionToken><Expiration>${LATER}</Expiration></Credentials></${action}Result></${action}Response>`;

describe("credentials", () => {
  it("of the settings come before all others, and only together", async () => {
    useEnvironment({ ...NONE, AWS_ACCESS_KEY_ID: "id-env", AWS_SECRET_ACCESS_KEY: "secret-env" });
    const config = { "vfs.s3.aws_access_key_id": "id-own", "vfs.s3.aws_secret_access_key": "secret-own" };
    expect(await find(config)).toMatchObject(keys("own"));
    expect(await find({ ...config, "vfs.s3.aws_session_token": "t" })).toMatchObject({ sessionToken: "t" });
    expect(() => find({ "vfs.s3.aws_access_key_id": "id-own" })).toThrow("must be given together");
    expect(() => find({ ...config, "vfs.s3.aws_role_arn": "arn" })).toThrow("only one");
    expect(() => find({ "vfs.s3.config_source": "elsewhere" })).toThrow("expected auto, config_files");
  });

  it("of the environment", async () => {
    useEnvironment({
      ...NONE,
      AWS_ACCESS_KEY_ID: "id-env",
      AWS_SECRET_ACCESS_KEY: "secret-env",
      AWS_SESSION_TOKEN: "t",
    });
    expect(await find()).toEqual({ ...keys("env"), sessionToken: "t" });
  });

  it("that are nowhere: says where was looked and how to do without", async () => {
    useEnvironment(NONE);
    await expect(find()).rejects.toMatchObject({ code: "STORAGE" });
    await expect(find()).rejects.toThrow("vfs.s3.no_sign_request");
  });
});

describe("profiles", () => {
  it("are read from both files", () => {
    const profiles = parseProfiles(
      "[default]\nregion = eu-north-1 # cold\ns3 =\n  region = wrong\n[profile 'my lab']\r\nrole_arn=arn:x\r\n[sso-session a]\nregion=no\n",
      "; keys\n[default]\naws_access_key_id = A=B\nREGION= eu-south-1\n",
    );
    expect(Object.fromEntries(profiles)).toEqual({
      default: { region: "eu-south-1", s3: "", aws_access_key_id: "A=B" },
      "my lab": { role_arn: "arn:x" },
    });
  });

  it("give keys: the default's, or those of AWS_PROFILE", async () => {
    await profileFiles(
      "[profile other]\naws_access_key_id=id-other\naws_secret_access_key=secret-other\n",
      "[default]\naws_access_key_id=id-default\naws_secret_access_key=secret-default\naws_session_token=t\n",
    );
    expect(await find()).toEqual({ ...keys("default"), sessionToken: "t" });
    process.env.AWS_PROFILE = "other";
    expect(await find()).toMatchObject(keys("other"));
    process.env.AWS_PROFILE = "missing";
    await expect(find()).rejects.toThrow("there is no such profile");
  });

  it("alone count where the settings say so", async () => {
    await profileFiles("", "[default]\naws_access_key_id=id-file\naws_secret_access_key=secret-file\n");
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "id-env", AWS_SECRET_ACCESS_KEY: "secret-env" });
    expect(await find()).toMatchObject(keys("env"));
    expect(await find({ "vfs.s3.config_source": "config_files" })).toMatchObject(keys("file"));
  });

  it("take roles by other profiles", async () => {
    const sts = await fakeServer(() => ({ body: stsXml("AssumeRole", "role") }));
    await profileFiles(
      "[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nexternal_id=ext\n[profile base]\naws_access_key_id=id-base\naws_secret_access_key=secret-base\n",
    );
    process.env.AWS_ENDPOINT_URL_STS = sts.url;
    expect(await find()).toEqual(answered("role"));
    const form = new URLSearchParams(sts.seen[0]!.body);
    expect(form.get("RoleArn")).toBe("arn:aws:iam::1:role/r");
    expect(form.get("ExternalId")).toBe("ext");
    expect(sts.seen[0]!.headers.authorization).toMatch(
      /Credential=id-base\/\d{8}\/eu-west-1\/sts\/aws4_request/,
    );
  });

  it("that name each other end with an error", async () => {
    await profileFiles(
      "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\nsource_profile=default\n",
    );
    await expect(find()).rejects.toThrow("profiles name each other");
  });

  it("that need a program or a browser say so", async () => {
    await profileFiles("[default]\ncredential_process = /bin/keys\n");
    await expect(find()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await profileFiles("[default]\nsso_session = lab\n");
    await expect(find()).rejects.toThrow("aws configure export-credentials");
  });
});

describe("roles", () => {
  it("by web identity, from the environment", async () => {
    const sts = await fakeServer(() => ({ body: stsXml("AssumeRoleWithWebIdentity", "pod") }));
    const token = join(await temporaryFolder(), "token");
    await writeFile(token, "the+token=\n");
    useEnvironment({
      ...NONE,
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: "arn:aws:iam::1:role/pod",
      AWS_ROLE_SESSION_NAME: "me",
      AWS_ENDPOINT_URL_STS: sts.url,
    });
    expect(await find()).toEqual(answered("pod"));
    const form = Object.fromEntries(new URLSearchParams(sts.seen[0]!.body));
    expect(form).toEqual({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: "arn:aws:iam::1:role/pod",
      RoleSessionName: "me",
      WebIdentityToken: "the+token=",
    });
    expect(sts.seen[0]!.headers.authorization).toBeUndefined();
  });

  it("that are refused say why", async () => {
    const body = `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`;
    const sts = await fakeServer(() => ({ status: 403, body }));
    useEnvironment({
      ...NONE,
      AWS_ACCESS_KEY_ID: "id-env",
      AWS_SECRET_ACCESS_KEY: "secret-env",
      AWS_ENDPOINT_URL_STS: sts.url,
    });
    await expect(find({ "vfs.s3.aws_role_arn": "arn:x" })).rejects.toThrow("AccessDenied: not you");
    expect(sts.seen).toHaveLength(1);
  });
});

describe("containers", () => {
  it("are asked with their token", async () => {
    const service = await fakeServer(() => ({ body: answer("task") }));
    const file = join(await temporaryFolder(), "token");
    await writeFile(file, "from file\n");
    const AWS_CONTAINER_CREDENTIALS_FULL_URI = `${service.url}/creds?a=b`;
    useEnvironment({
      ...NONE,
      AWS_CONTAINER_CREDENTIALS_FULL_URI,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "plain",
    });
    expect(await find()).toEqual(answered("task"));
    process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = file;
    await containerCredentials(fetch);
    expect(service.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/creds?a=b", "plain"],
      ["/creds?a=b", "from file"],
    ]);
  });

  it("are asked at their fixed address where only a path is given", async () => {
    useEnvironment({ ...NONE, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/1" });
    const asked: string[] = [];
    await containerCredentials(async (input) => {
      asked.push(String(input));
      return new Response(answer("ecs"));
    });
    expect(asked).toEqual(["http://169.254.170.2/v2/credentials/1"]);
  });

  it("elsewhere without encryption are not asked", async () => {
    useEnvironment({ ...NONE, AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://example.com/creds" });
    await expect(containerCredentials(fetch)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("that answer something else, or stumble", async () => {
    let count = 0;
    const service = await fakeServer(() => (count++ === 0 ? { status: 500 } : { body: '{"Code":"Nope"}' }));
    useEnvironment({ ...NONE, AWS_CONTAINER_CREDENTIALS_FULL_URI: service.url });
    await expect(containerCredentials(fetch)).rejects.toThrow("gave no credentials: Nope");
    expect(service.seen).toHaveLength(2);
  });
});

describe("instances", () => {
  it("are asked with a session token (IMDSv2)", async () => {
    const service = await fakeServer(({ method, url, headers }) => {
      if (method === "PUT") return url === "/latest/api/token" ? { body: "session" } : { status: 404 };
      if (headers["x-aws-ec2-metadata-token"] !== "session") return { status: 401 };
      if (url === "/latest/meta-data/iam/security-credentials/") return { body: "my-role" };
      return url.endsWith("/my-role") ? { body: answer("instance") } : { status: 404 };
    });
    useEnvironment({
      ...NONE,
      AWS_EC2_METADATA_DISABLED: "false",
      AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
    });
    expect(await find()).toEqual(answered("instance"));
    expect(service.seen[0]!.headers["x-aws-ec2-metadata-token-ttl-seconds"]).toBe("21600");
  });

  it("without a role, or without such a service, have none", async () => {
    const service = await fakeServer(({ method }) =>
      method === "PUT" ? { body: "session" } : { status: 404 },
    );
    useEnvironment({ AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url });
    expect(await instanceCredentials(fetch)).toBeUndefined();
    const nothing = async () => {
      throw new TypeError("fetch failed");
    };
    expect(await instanceCredentials(nothing)).toBeUndefined();
    useEnvironment({ AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url, AWS_EC2_METADATA_DISABLED: "true" });
    const asked = service.seen.length;
    expect(await instanceCredentials(fetch)).toBeUndefined();
    expect(service.seen).toHaveLength(asked);
  });
});

describe("credentials that expire", () => {
  const lasting = (minutes: number, name: string) => ({
    ...keys(name),
    expiresAt: Date.now() + minutes * 60_000,
  });

  it("are asked once, whoever waits", async () => {
    let count = 0;
    const credentials = new RefreshedCredentials(async () => lasting(60, String(count++)));
    const all = await Promise.all(Array.from({ length: 5 }, () => credentials.get()));
    expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(["id-0"]));
    await credentials.get();
    expect(count).toBe(1);
    credentials.forget();
    expect((await credentials.get()).accessKeyId).toBe("id-1");
  });

  it("are asked anew before they end, and kept while the source fails", async () => {
    const answers = [() => lasting(4, "a"), () => lasting(4, "b"), fail, () => lasting(60, "c")];
    const credentials = new RefreshedCredentials(async () => answers.shift()!());
    expect((await credentials.get()).accessKeyId).toBe("id-a");
    expect((await credentials.get()).accessKeyId).toBe("id-b");
    expect((await credentials.get()).accessKeyId).toBe("id-b");
    expect((await credentials.get()).accessKeyId).toBe("id-c");
    expect((await credentials.get()).accessKeyId).toBe("id-c");
  });

  it("and have ended are no use when the source fails", async () => {
    const answers = [() => lasting(-1, "a"), fail];
    const credentials = new RefreshedCredentials(async () => answers.shift()!());
    await credentials.get();
    await expect(credentials.get()).rejects.toThrow("the source is down");
  });

  function fail(): AwsCredentials {
    throw new Error("the source is down");
  }
});

it("an error of the token service is not taken for credentials", async () => {
  const sts = await fakeServer(() => ({ body: errorXml("Odd", "status 200") }));
  useEnvironment({
    ...NONE,
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    AWS_ENDPOINT_URL_STS: sts.url,
  });
  await expect(find({ "vfs.s3.aws_role_arn": "arn:y" })).rejects.toThrow("has no credentials");
});
