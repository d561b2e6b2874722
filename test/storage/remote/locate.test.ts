import { describe, expect, it } from "vitest";
import { isRemote, locateRemoteFile, zipPlace } from "../../../src/storage/remote/locate.js";
import { locationUri, resolveLocation, resolveReadable } from "../../../src/storage/resolve.js";

describe("remote places", () => {
  it.each([
    ["s3://bucket/a/b", "s3://bucket", "a/b"],
    ["S3://bucket", "s3://bucket", ""],
    ["s3://bucket/", "s3://bucket", ""],
    ["s3://bucket/a%20b #?c/", "s3://bucket", "a%20b #?c"],
    ["gs://bucket/a", "gs://bucket", "a"],
    ["gcs://bucket/a", "gs://bucket", "a"],
    ["az://container/a", "azure://container", "a"],
    ["azure://container/a", "azure://container", "a"],
    ["https://host:8080/a/b/", "https://host:8080/a/b", ""],
    ["HTTPS://Host/a?sig=x#y", "https://host/a", ""],
    ["http://user:secret@host", "http://host", ""],
  ])("%s", (text, uri, path) => {
    const place = resolveReadable(text);
    expect({ uri: place.store.uri, path: place.path }).toEqual({ uri, path });
    expect(place.store.isRemote).toBe(true);
    expect(isRemote(text)).toBe(true);
  });

  it("in buckets can be written to", () => {
    for (const text of ["s3://b/x", "gs://b/x", "azure://c/x"]) {
      expect(locationUri(resolveLocation(text))).toBe(text);
    }
  });

  it.each([
    "s3://",
    "s3:///a",
    "s3://bucket/../a",
    "gs://bucket/a//b",
    "azure://c?sig=x/a",
    "s3://key:secret@bucket/a",
    "http://",
    "https://[x/",
  ])("refuses %s", (text) => {
    expect(() => resolveReadable(text)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  });

  it("of single files over HTTP are a folder and a name", () => {
    const { store, path } = locateRemoteFile("https://host/a/b%20c.zip?sig=x")!;
    expect({ uri: store.uri, path }).toEqual({ uri: "https://host/a", path: "b c.zip" });
    expect(locateRemoteFile("s3://bucket/a/b.zip")).toMatchObject({ path: "a/b.zip" });
    expect(() => locateRemoteFile("https://host/a/%ff")).toThrow(/digits of UTF-8/);
    expect(() => locateRemoteFile("https://host/a/")).toThrow(/empty key/);
    expect(() => locateRemoteFile("https://host/a/b%2Fc/..%2F..")).toThrow(/'\.\.'/);
  });

  it("inside zip files are told by #zip", () => {
    expect(zipPlace("https://host/a.zip?x=1#zip")).toEqual({ file: "https://host/a.zip?x=1", folder: "" });
    expect(zipPlace("s3://bucket/a#zip/b/c/")).toEqual({ file: "s3://bucket/a", folder: "b/c" });
    expect(zipPlace("folder/a.zip#zip")).toEqual({ file: "folder/a.zip", folder: "" });
    expect(zipPlace("folder/a#zip")).toBeUndefined();
    expect(zipPlace("https://host/a.zip")).toBeUndefined();
    expect(resolveReadable("https://host/x/a.zip?s=1#zip/in").path).toBe("in");
  });
});
