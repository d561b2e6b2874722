import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { replaceFile, StreamSink, withTextSink } from "../../src/cli/output.js";
import { temporaryFolder } from "../support/temporary.js";

describe("StreamSink", () => {
  it("waits while the stream is full", async () => {
    const written: string[] = [];
    let release: (() => void) | undefined;
    const slow = new Writable({
      highWaterMark: 16,
      decodeStrings: false,
      write(chunk: string, _, done) {
        written.push(chunk);
        release = done;
      },
    });
    const sink = new StreamSink(slow);
    const waiting = sink.write("x".repeat(200_000));
    expect(waiting).toBeInstanceOf(Promise);
    let resolved = false;
    const done = waiting!.then(() => {
      resolved = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(resolved).toBe(false);
    release!();
    await done;
    expect(written.join("")).toHaveLength(200_000);
  });

  it("collects small pieces", async () => {
    const written: string[] = [];
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string, _, done) {
        written.push(chunk);
        done();
      },
    });
    const sink = new StreamSink(stream);
    for (let i = 0; i < 100; i++) expect(sink.write("ab")).toBeUndefined();
    await sink.flush();
    expect(written).toEqual(["ab".repeat(100)]);
  });

  it("ends a wait when aborted", async () => {
    const stuck = new Writable({ highWaterMark: 1, write() {} });
    const controller = new AbortController();
    const sink = new StreamSink(stuck, controller.signal);
    const waiting = sink.write("x".repeat(200_000));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("files", () => {
  it("appear when they are complete, and replace what was there", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "answer.txt");
    await writeFile(path, "old");
    await withTextSink(path, undefined, async (sink) => {
      await sink.write("new");
      expect(await readFile(path, "utf8")).toBe("old");
    });
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["answer.txt"]);
  });

  it("leave nothing half-written", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "answer.txt");
    await expect(
      withTextSink(path, undefined, async (sink) => {
        await sink.write("x".repeat(300_000));
        throw new Error("no more");
      }),
    ).rejects.toThrow("no more");
    expect(await readdir(folder)).toEqual([]);
  });

  it("that cannot be written are a StorageError that names them", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "missing", "answer.txt");
    await expect(withTextSink(path, undefined, async () => {})).rejects.toMatchObject({
      code: "STORAGE",
      where: path,
    });
    await expect(replaceFile(folder, (temporary) => writeFile(temporary, "x"))).rejects.toMatchObject({
      code: "STORAGE",
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
