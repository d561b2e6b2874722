import { describe, expect, it } from "vitest";
import { hasPython, pythonPeer, runPython } from "./python.js";

describe.skipIf(!hasPython)("Python counterparts", () => {
  it("runs a program with JSON in and out", async () => {
    const script = "import json, sys; print('noise'); print(json.dumps(sum(json.load(sys.stdin))))";
    expect(await runPython(script, [1, 2, 3])).toBe(6);
  });

  it("reports a failing program with its traceback", async () => {
    await expect(runPython("raise ValueError('seen')")).rejects.toThrow("ValueError: seen");
  });

  it("has the pinned libraries in each environment", async () => {
    const script =
      "import importlib.metadata as m, json; print(json.dumps([m.version('tiledb'), m.version('cellarr')]))";
    expect(await runPython(script)).toEqual(["0.36.1", "0.3.2"]);
    expect(await runPython(script, undefined, "newest")).toEqual(["0.36.1", "0.6.2"]);
  });

  it("keeps one process that answers calls and survives errors", async () => {
    const peer = await pythonPeer();
    const values = { text: "é", bytes: new Uint8Array([0, 255]), big: 2n ** 63n - 1n, none: null };
    expect(await peer.call("echo", { value: values })).toEqual({
      text: "é",
      bytes: { base64: "AP8=" },
      big: { integer: "9223372036854775807" },
      none: null,
    });
    await expect(peer.call("no_such_function")).rejects.toThrow("no function 'no_such_function'");
    expect(await peer.call("echo", { value: 1 })).toBe(1);
    expect(await pythonPeer()).toBe(peer);
  });

  it("reports the end of the process at once, and starts another", async () => {
    const peer = await pythonPeer();
    await expect(peer.call("end_process")).rejects.toThrow("peer ended with 3");
    await expect(peer.call("echo", { value: 1 })).rejects.toThrow("the peer has ended");
    expect(await (await pythonPeer()).call("echo", { value: 1 })).toBe(1);
  });
});
