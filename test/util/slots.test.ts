import { describe, expect, it } from "vitest";
import { pause } from "../../src/util/pause.js";
import { Slots } from "../../src/util/slots.js";

describe("slots", () => {
  it("let so many in at a time, the others in their order", async () => {
    const slots = new Slots(2);
    const entered: number[] = [];
    const enter = async (id: number) => {
      const release = await slots.take();
      entered.push(id);
      return release;
    };
    const [first, second] = await Promise.all([enter(0), enter(1)]);
    const [third, fourth] = [enter(2), enter(3)];
    await pause(5);
    expect(entered).toEqual([0, 1]);
    second();
    second(); // once is enough: no further one gets in by it
    await third;
    await pause(5);
    expect(entered).toEqual([0, 1, 2]);
    first();
    await fourth;
    expect(entered).toEqual([0, 1, 2, 3]);
  });

  it("are not waited for any longer by whoever aborts, nor lost by it", async () => {
    const slots = new Slots(1);
    const release = await slots.take();
    const controller = new AbortController();
    const given = slots.take(controller.signal);
    const next = slots.take();
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: "ABORTED" });
    release();
    (await next)();
    (await slots.take())();
    await expect(slots.take(AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    (await slots.take())();
  });
});

describe("a pause", () => {
  it("ends with the caller's signal", async () => {
    const controller = new AbortController();
    const start = performance.now();
    setTimeout(() => controller.abort(), 10);
    await expect(pause(60_000, controller.signal)).rejects.toMatchObject({ code: "ABORTED" });
    await expect(pause(60_000, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    expect(performance.now() - start).toBeLessThan(10_000);
    await pause(20);
    expect(performance.now() - start).toBeGreaterThan(20);
  });
});
