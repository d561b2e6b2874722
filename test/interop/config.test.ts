import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/storage/remote/settings.js";
import { hasPython, runPython } from "../support/python.js";

describe.skipIf(!hasPython)("a configuration of TileDB-Py", () => {
  it("is taken whole", async () => {
    const script =
      "import json, tiledb; print(json.dumps(tiledb.Config({'vfs.s3.region': 'eu-west-1'}).dict()))";
    const config = (await runPython(script)) as Record<string, string>;
    expect(Object.keys(config).filter((name) => /^vfs\.(s3|gcs|azure)\./.test(name)).length).toBeGreaterThan(
      50,
    );
    const settings = readSettings(config);
    expect(settings.text("vfs.s3.region")).toBe("eu-west-1");
    expect(settings.flag("vfs.s3.use_virtual_addressing")).toBe(true);
    expect(settings.integer("vfs.s3.multipart_part_size")).toBe(5242880);
  });
});
