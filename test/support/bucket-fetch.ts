import type { ReadableStore } from "../../src/storage/types.js";

/**
 * In place of fetch: a bucket called "bucket", as S3 answers for it; listings, with a delimiter or without, and objects
 * or ranges of them. The hosts that were asked are added to `hosts`.
 */
export function bucketFetch(store: ReadableStore, hosts: Set<string>): typeof fetch {
  const list = async (query: URLSearchParams): Promise<Response> => {
    const prefix = query.get("prefix") ?? "";
    const found = (await store.list("")).filter(({ key }) => key.startsWith(prefix));
    const below = (key: string) => key.slice(prefix.length).indexOf(query.get("delimiter") ?? "\n");
    const files = found.filter(({ key }) => below(key) < 0);
    const folders = found.flatMap(({ key }) =>
      below(key) < 0 ? [] : [key.slice(0, prefix.length + below(key) + 1)],
    );
    const contents = files.map(
      ({ key, size }) => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`,
    );
    const prefixes = [...new Set(folders)].map(
      (key) => `<CommonPrefixes><Prefix>${key}</Prefix></CommonPrefixes>`,
    );
    const parts = [...contents, ...prefixes].join("");
    return new Response(`<ListBucketResult><IsTruncated>false</IsTruncated>${parts}</ListBucketResult>`);
  };
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    hosts.add(url.host);
    if (url.searchParams.has("list-type")) return list(url.searchParams);
    const bytes = await store.get(decodeURIComponent(url.pathname).replace(/^\/bucket\//, ""));
    if (bytes === undefined) return new Response(null, { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    const body = range === null ? bytes : bytes.slice(Number(range[1]), Number(range[2]) + 1);
    const headers = {
      "content-length": String(body.length),
      ...(range && { "content-range": `bytes ${range[1]}-${range[2]}/${bytes.length}` }),
    };
    return new Response(new Uint8Array(body), { status: range === null ? 200 : 206, headers });
  };
}
