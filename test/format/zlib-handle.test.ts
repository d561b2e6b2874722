import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decompressGzip } from "../../src/format/filters/gzip.js";
import { reusedInflate } from "../../src/format/filters/zlib-handle-node.js";

const step = { spec: { type: "gzip", level: -1 }, datatype: "uint8", cellBytes: 1, version: 22 } as const;
const inflate = reusedInflate();

it("is there in this Node", () => {
  expect(inflate).not.toBeNull();
});

it("inflates what zlib deflates, one part after the other, as the portable decoder does", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 4 }), (parts) => {
      for (const part of parts) {
        const stored = deflateSync(part);
        const [found, portable] = [new Uint8Array(part.length), new Uint8Array(part.length)];
        inflate!(stored, found, step);
        decompressGzip(stored, portable, step);
        expect(found).toEqual(part);
        expect(portable).toEqual(part);
      }
    }),
  );
});

it("takes no stream that is cut, goes on, gives more or less, or fails its checksum; and works afterwards", () => {
  const data = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);
  const stored = deflateSync(data);
  const good = () => {
    const out = new Uint8Array(data.length);
    inflate!(stored, out, step);
    expect(out).toEqual(data);
  };
  const fails = (bytes: Uint8Array, size: number) => {
    expect(() => inflate!(bytes, new Uint8Array(size), step)).toThrow(/gzip filter/);
    good();
  };
  good();
  for (const cut of [0, 1, 2, 3, 4, 5, 100]) fails(stored.subarray(0, stored.length - 1 - cut), data.length);
  fails(new Uint8Array(0), data.length);
  fails(Buffer.concat([stored, Buffer.from([0])]), data.length);
  fails(Buffer.concat([stored, stored]), data.length);
  for (const size of [0, 1, data.length - 1, data.length + 1, data.length * 2]) fails(stored, size);
  const damaged = Uint8Array.from(stored);
  damaged[damaged.length - 1]! ^= 1;
  fails(damaged, data.length);
  fails(new Uint8Array(40), data.length);
});
