import { describe, expect, it, vi } from "vitest";
import { AbortedError } from "../../src/errors.js";
import { buildCellArrDataset } from "../../src/index.js";
import { type BodyOptions, makeBody, type Produce } from "../../src/server/body.js";
import { RequestLimitError } from "../../src/server/problem.js";
import { createHandler } from "../../src/server.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { ReadableStore, StoreLocation } from "../../src/storage/types.js";
import { generated } from "../cellarr/samples.js";
import { buildSmall } from "./support.js";

/** Answers that are larger than what is held back, and requests that end early. */

const piece = new Uint8Array(2 ** 18).fill(65);

function made(produce: Produce, options: Partial<BodyOptions> = {}) {
  const ended = new AbortController();
  const defaults = { maxBytes: 1e9, signal: ended.signal, cancel: () => ended.abort(), onBroken: () => {} };
  return { ended, body: makeBody(produce, { ...defaults, ...options }) };
}

const pieces =
  (count: number, seen: (at: number) => void = () => {}): Produce =>
  async (write) => {
    for (let at = 0; at < count; at++) {
      seen(at);
      await write(piece);
    }
  };

async function streamOf(body: Promise<Uint8Array | ReadableStream<Uint8Array>>) {
  const stream = await body;
  if (stream instanceof Uint8Array) throw new Error("expected a stream");
  return stream;
}

describe("a body", () => {
  it("that is short is whole", async () => {
    const body = await made(pieces(3)).body;
    expect(body).toBeInstanceOf(Uint8Array);
    expect((body as Uint8Array).byteLength).toBe(3 * piece.byteLength);
    expect(await made(pieces(0)).body).toEqual(new Uint8Array(0));
  });

  it("that is long streams as fast as it is read", async () => {
    let last = -1;
    const stream = await streamOf(made(pieces(40, (at) => (last = at))).body);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(last).toBeLessThan(8);
    expect((await new Response(stream).arrayBuffer()).byteLength).toBe(40 * piece.byteLength);
    expect(last).toBe(39);
  });

  it("that fails before it streams, fails", async () => {
    const fails: Produce = async (write) => {
      await write(piece);
      throw new Error("broken");
    };
    await expect(made(fails).body).rejects.toThrow("broken");
    await expect(made(pieces(3), { maxBytes: 2 * piece.byteLength }).body).rejects.toThrow(RequestLimitError);
  });

  it("that fails later breaks off, and only the log hears why", async () => {
    const onBroken = vi.fn();
    const fails: Produce = async (write) => {
      await pieces(10)(write);
      throw new Error("secret");
    };
    const stream = await streamOf(made(fails, { onBroken }).body);
    await expect(new Response(stream).arrayBuffer()).rejects.not.toThrow("secret");
    expect(onBroken.mock.calls).toEqual([[expect.objectContaining({ message: "secret" })]]);
    const limited = await streamOf(made(pieces(10), { maxBytes: 8 * piece.byteLength }).body);
    await expect(new Response(limited).arrayBuffer()).rejects.toThrow();
  });

  it("whose reader goes away ends what makes it", async () => {
    let last = -1;
    const onBroken = vi.fn();
    const { body, ended } = made(
      pieces(1000, (at) => (last = at)),
      { onBroken },
    );
    const reader = (await streamOf(body)).getReader();
    await reader.read();
    await reader.cancel("enough");
    expect(ended.signal.aborted).toBe(true);
    await vi.waitFor(() => expect(onBroken).toHaveBeenCalled());
    expect(onBroken.mock.calls[0]![0]).toBeInstanceOf(AbortedError);
    expect(last).toBeLessThan(10);
  });
});

describe("large slices", () => {
  it("stream as CSV and Arrow, block by block", async () => {
    const dataset = await buildCellArrDataset({
      outputPath: { store: new MemoryStore(), path: "" },
      files: [generated(400, 700, 1)],
      matrixOptions: { matrixName: "counts", dtype: "float32" },
    });
    const handler = createHandler(dataset);
    const request = (query: string) => new Request(`http://s.test/stores/store/slice?${query}`);
    const ask = (query: string) => handler(request(query));
    const csv = await ask("format=csv");
    expect(csv.headers.get("content-length")).toBeNull();
    const lines = (await csv.text()).trimEnd().split("\n");
    expect(lines.length).toBe(401);
    expect(new Set(lines.map((line) => line.split(",").length))).toEqual(new Set([701]));
    const json = await (await ask("columns=&geneColumns=")).json();
    expect(json.matrices.counts.data.length).toBe(400 * 700);
    // Of JSON it is known before it streams that it will be too large.
    const strict = createHandler(dataset, { limits: { bytes: 1_500_000 } });
    expect((await strict(request(""))).status).toBe(413);
  });
});

describe("a request that is aborted", () => {
  /** Holds back what is read of the matrices until it is aborted; tells the signals it was given. */
  async function slowStore() {
    const { place } = await buildSmall();
    const signals: (AbortSignal | undefined)[] = [];
    const hold = async <T>(
      key: string,
      signal: AbortSignal | undefined,
      read: () => Promise<T>,
    ): Promise<T> => {
      if (!/assays\/counts\/.*\/[ad]\d+\.tdb$/.test(key)) return read();
      signals.push(signal);
      await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      throw new AbortedError();
    };
    const store: ReadableStore = {
      uri: "memory:slow",
      get: (key, options) => hold(key, options?.signal, () => place.store.get(key, options)),
      getRange: (key, range, options) =>
        hold(key, options?.signal, () => place.store.getRange(key, range, options)),
      list: (prefix, options) => place.store.list(prefix, options),
    };
    return { signals, place: { store, path: place.path } satisfies StoreLocation };
  }

  it("ends the reads it has begun", async () => {
    const { signals, place } = await slowStore();
    const onError = vi.fn();
    const handler = createHandler(place, { onError });
    const ended = new AbortController();
    const answer = handler(new Request("http://s.test/stores/store/slice", { signal: ended.signal }));
    await vi.waitFor(() => expect(signals.length).toBeGreaterThan(0));
    ended.abort();
    expect((await answer).status).toBe(499);
    expect(signals.every((signal) => signal?.aborted)).toBe(true);
    expect(onError).not.toHaveBeenCalled();
  });

  it("and one that was before, answer 499; the next one is none the worse", async () => {
    const { place } = await buildSmall();
    const handler = createHandler(place);
    const request = (signal: AbortSignal) => new Request("http://s.test/stores/store", { signal });
    expect((await handler(request(AbortSignal.abort()))).status).toBe(499);
    const ended = new AbortController();
    const [first, second] = [handler(request(ended.signal)), handler(request(new AbortController().signal))];
    ended.abort();
    expect([(await first).status, (await second).status]).toEqual([499, 200]);
  });
});
