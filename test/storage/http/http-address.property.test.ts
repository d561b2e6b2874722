import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCellarrError } from "../../../src/errors.js";
import { HttpAddress } from "../../../src/storage/http/http-address.js";
import { checkKey } from "../../../src/storage/key.js";
import { resolveFile, resolveReadable } from "../../../src/storage/resolve.js";
import { runs } from "../../support/property.js";

/** Texts of which much means something in URLs and paths. */
const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "%",
      "%2e",
      "%2F",
      "#",
      "?",
      "\\",
      ":",
      "@",
      " ",
      "\t",
      "\n",
      "é",
      "🧬",
      "\ud800",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

describe("addresses", () => {
  it("of keys lie in the folder, keep its query, and stand for that key", () => {
    fc.assert(
      fc.property(odd, fc.constantFrom("", "?sig=a%2Fb", "?x"), (key, query) => {
        const address = new HttpAddress(`https://host/some/folder/${query}`);
        let url: URL;
        try {
          url = new URL(address.url(checkKey(key, "store")));
        } catch (error) {
          expect(isCellarrError(error, "ARGUMENT")).toBe(true);
          return;
        }
        expect(url.origin).toBe("https://host");
        expect(url.search).toBe(query);
        expect(url.hash).toBe("");
        const parts = url.pathname.split("/").map(decodeURIComponent);
        expect(parts.join("/")).toBe(`/some/folder/${key}`);
        expect(url.pathname.split("/").length).toBe(3 + key.split("/").length);
      }),
      { numRuns: runs(2000, 200_000) },
    );
  });

  it("whatever they are, are places or errors of ours", () => {
    const scheme = fc.constantFrom("http://", "https://", "https://host/", "s3://", "gs://b/", "az://c", "");
    const end = fc.constantFrom("", "#zip", ".zip", ".zip#zip/a", "?x=1#zip");
    fc.assert(
      fc.property(scheme, odd, end, (start, middle, rest) => {
        for (const resolve of [resolveReadable, resolveFile]) {
          try {
            const { store, path } = resolve(start + middle + rest);
            expect(path.split("/").includes("..")).toBe(false);
            if (start.startsWith("http")) expect(store.uri).not.toContain("?");
          } catch (error) {
            if (!isCellarrError(error)) throw error;
          }
        }
      }),
      { numRuns: runs(2000, 200_000) },
    );
  });
});
