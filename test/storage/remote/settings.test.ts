import { describe, expect, it } from "vitest";
import { concurrencyOf, readSettings, retryOf } from "../../../src/storage/remote/settings.js";

describe("settings", () => {
  it("come as an object or as pairs, and are texts, numbers or booleans", () => {
    for (const config of [
      { "vfs.s3.region": "eu-west-1", "vfs.s3.no_sign_request": true, "vfs.s3.multipart_part_size": 5242880 },
      new Map<string, string>([
        ["vfs.s3.region", "eu-west-1"],
        ["vfs.s3.no_sign_request", "true"],
        ["vfs.s3.multipart_part_size", "5242880"],
      ]),
    ]) {
      const settings = readSettings(config);
      expect(settings.text("vfs.s3.region")).toBe("eu-west-1");
      expect(settings.flag("vfs.s3.no_sign_request")).toBe(true);
      expect(settings.integer("vfs.s3.multipart_part_size")).toBe(5242880);
    }
  });

  it("that are empty or not given are undefined", () => {
    const settings = readSettings({ "vfs.s3.endpoint_override": "" });
    expect(settings.text("vfs.s3.endpoint_override")).toBeUndefined();
    expect(settings.flag("vfs.s3.use_virtual_addressing")).toBeUndefined();
    expect(settings.integer("vfs.gcs.multi_part_size")).toBeUndefined();
  });

  it.each(["vfs.s3.regoin", "vfs.gcs.region", "vfs.azure.", "vfs.http.proxy"])(
    "refuses %s and says what there is",
    (name) => {
      expect(() => readSettings({ [name]: "x" })).toThrow(/is unknown; vfs\.\w+\. has .*max_parallel_ops/);
    },
  );

  it("takes no notice of TileDB's others", () => {
    expect(() =>
      readSettings({ "sm.tile_cache_size": "1", "vfs.min_batch_size": "2", mine: "3" }),
    ).not.toThrow();
  });

  it("says which value is wrong", () => {
    const settings = readSettings({ "vfs.s3.no_sign_request": "yes", "vfs.s3.max_parallel_ops": "-1" });
    expect(() => settings.flag("vfs.s3.no_sign_request")).toThrow(
      /no_sign_request is 'yes', expected true or false/,
    );
    expect(() => concurrencyOf(settings, "s3")).toThrow(/max_parallel_ops is '-1', expected an integer/);
  });

  it("of retries go to the client", () => {
    const settings = readSettings({
      "vfs.gcs.request_timeout_ms": 3000,
      "vfs.gcs.connect_max_tries": 2,
      "vfs.gcs.connect_scale_factor": 0,
    });
    expect(retryOf(settings, "gcs")).toEqual({ timeout: 3000, tries: 2, baseDelay: 0 });
    expect(retryOf(settings, "azure")).toEqual({});
  });
});
