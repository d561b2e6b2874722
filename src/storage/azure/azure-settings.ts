import { ArgumentError } from "../../errors.js";
import type { HttpRequest } from "../remote/http-client.js";
import { environmentVariable } from "../remote/machine.js";
import { readSettings, type Settings, type StorageOptions } from "../remote/settings.js";
import { SharedKeySigner } from "./shared-key.js";

/** Where an Azure account is and how its requests are signed: from settings, then from the environment. */

export interface AzureAccount {
  /** Without a trailing slash or a query. */
  readonly endpoint: string;
  /** Parameters of every URL: a shared access signature without its "?", or "". */
  readonly query: string;
  /** Signs a request, anew for each attempt; undefined where the query is all there is, or nothing. */
  readonly sign: ((request: HttpRequest) => Promise<HttpRequest>) | undefined;
}

/** What one source says. */
interface AccountParts {
  readonly account?: string | undefined;
  readonly key?: string | undefined;
  readonly sas?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Microsoft's emulator, as `UseDevelopmentStorage=true` means it: its account and key are the same everywhere. */
const DEVELOPMENT: AccountParts = {
  account: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
};

/** Throws ArgumentError where nothing says which account it is, or settings contradict each other. */
export function azureAccount(options: StorageOptions, where: string): AzureAccount {
  const parts = mergeParts(partsOfSettings(readSettings(options.config)), partsOfEnvironment());
  const [endpoint, query] = endpointOf(parts, where);
  return { endpoint, query, sign: signerOf(parts, query, options, where) };
}

function partsOfSettings(settings: Settings): AccountParts {
  return {
    account: settings.text("vfs.azure.storage_account_name"),
    key: settings.text("vfs.azure.storage_account_key"),
    sas: settings.text("vfs.azure.storage_sas_token") ?? settings.text("vfs.azure.storage_account_sas_token"),
    endpoint: settings.text("vfs.azure.blob_endpoint"),
  };
}

function partsOfEnvironment(): AccountParts {
  const connection = environmentVariable("AZURE_STORAGE_CONNECTION_STRING");
  const single = {
    account: environmentVariable("AZURE_STORAGE_ACCOUNT"),
    key: environmentVariable("AZURE_STORAGE_KEY"),
    sas: environmentVariable("AZURE_STORAGE_SAS_TOKEN"),
    endpoint: environmentVariable("AZURE_BLOB_ENDPOINT"),
  };
  return connection === undefined ? single : mergeParts(single, parseConnectionString(connection));
}

/**
 * What `first` says and, where it names neither another account nor another endpoint, the rest of `second`: the key of
 * one account is not sent to another.
 */
function mergeParts(first: AccountParts, second: AccountParts): AccountParts {
  if (differ(first.account, second.account) || differ(first.endpoint, second.endpoint)) return first;
  const hasCredential = first.key !== undefined || first.sas !== undefined;
  return {
    account: first.account ?? second.account,
    endpoint: first.endpoint ?? second.endpoint,
    key: hasCredential ? first.key : second.key,
    sas: hasCredential ? first.sas : second.sas,
  };
}

const differ = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;

/** "DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net" and its kin. */
export function parseConnectionString(text: string): AccountParts {
  const fields = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) fields.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
    else if (part.trim() !== "") {
      throw new ArgumentError("AZURE_STORAGE_CONNECTION_STRING must be name=value pairs separated by ';'");
    }
  }
  if (fields.get("usedevelopmentstorage")?.toLowerCase() === "true") return DEVELOPMENT;
  const account = fields.get("accountname");
  const suffix = fields.get("endpointsuffix") ?? "core.windows.net";
  const scheme = fields.get("defaultendpointsprotocol") ?? "https";
  return {
    account,
    key: fields.get("accountkey"),
    sas: fields.get("sharedaccesssignature"),
    endpoint: fields.get("blobendpoint") ?? (account && `${scheme}://${account}.blob.${suffix}`),
  };
}

/** The endpoint and what its query, or a token beside it, adds to every URL. */
function endpointOf({ account, sas, endpoint }: AccountParts, where: string): [string, string] {
  const text = endpoint ?? (account && `https://${account}.blob.core.windows.net`);
  if (text === undefined) {
    throw new ArgumentError(
      "no Azure account: set vfs.azure.storage_account_name or vfs.azure.blob_endpoint, or AZURE_STORAGE_ACCOUNT " +
        "or AZURE_STORAGE_CONNECTION_STRING in the environment",
      { where },
    );
  }
  const [base = "", ...queries] = text.split("?");
  if (!/^https?:\/\/[^/]/.test(base)) {
    // It may be a connection string, whose key is a secret.
    throw new ArgumentError("vfs.azure.blob_endpoint must begin with https:// or http://", { where });
  }
  const token = sas?.replace(/^\?/, "");
  if (queries.length > 0 && token !== undefined) {
    throw new ArgumentError("a SAS token stands both in vfs.azure.blob_endpoint and beside it", { where });
  }
  return [base.replace(/\/+$/, ""), token ?? queries.join("?")];
}

function signerOf(
  { account, key }: AccountParts,
  query: string,
  { accessToken }: StorageOptions,
  where: string,
): AzureAccount["sign"] {
  if (accessToken !== undefined) return (request) => withBearer(request, accessToken);
  // A token is what someone was given to use in place of the key.
  if (query !== "" || key === undefined) return undefined;
  if (account === undefined) {
    throw new ArgumentError("vfs.azure.storage_account_key needs vfs.azure.storage_account_name", { where });
  }
  const signer = new SharedKeySigner(account, key);
  return (request) => signer.sign(request);
}

async function withBearer(
  request: HttpRequest,
  accessToken: NonNullable<StorageOptions["accessToken"]>,
): Promise<HttpRequest> {
  const token = typeof accessToken === "string" ? accessToken : await accessToken();
  // Bearer tokens are taken with a date as well as without; a version is asked for.
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } };
}
