import { beforeAll, describe, expect, it } from "vitest";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { createHandler, type Handler } from "../../src/server.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { experiment } from "../cellarr/samples.js";
import { buildSmall } from "../server/support.js";
import { hasPython, runPython } from "../support/python.js";

/** Answers of the server as pyarrow and pandas read them. */

const READ = `
import base64, io, json, sys
import pandas as pd
import pyarrow as pa

def read(kind, data):
    if kind == "csv":
        frame = pd.read_csv(io.BytesIO(data), keep_default_na=False, na_values=[""])
        return {"types": {n: str(t) for n, t in frame.dtypes.items()}, "columns": json.loads(frame.to_json(orient="split"))["data"]}
    with pa.ipc.open_stream(data) as stream:
        batches = list(stream)
        table = pa.Table.from_batches(batches, stream.schema)
    table.validate(full=True)
    plain = {n: table.column(n).to_pylist() for n in table.column_names}
    return {"types": {f.name: str(f.type) for f in table.schema}, "batches": len(batches), "rows": table.num_rows,
            "columns": plain if table.num_rows < 1000 else {n: v[:3] + v[-3:] for n, v in plain.items()}}

print(json.dumps([read(kind, base64.b64decode(data)) for kind, data in json.load(sys.stdin)]))
`;

async function readByPython(handler: Handler, asked: readonly (readonly [string, string])[]) {
  const input = await Promise.all(
    asked.map(async ([kind, path]) => {
      const response = await handler(new Request(`http://s.test/stores/store/${path}&format=${kind}`));
      expect(response.status).toBe(200);
      return [kind, Buffer.from(await response.arrayBuffer()).toString("base64")];
    }),
  );
  return (await runPython(READ, input, "exports")) as Record<string, unknown>[];
}

describe.skipIf(!hasPython)("pyarrow and pandas", () => {
  let handler: Handler;

  beforeAll(async () => {
    handler = createHandler((await buildSmall()).place);
  });

  it("read metadata", async () => {
    const [arrow, csv, genes] = await readByPython(handler, [
      ["arrow", "cells?cells=8,2,1&columns=tissue,age"],
      ["csv", "cells?cells=8,2,1&columns=tissue,age"],
      ["arrow", "genes?genes=gC,gA1&columns="],
    ]);
    expect(arrow).toMatchObject({
      types: { cell_index: "uint32", tissue: "string", age: "double" },
      columns: { cell_index: [8, 2, 1], tissue: ["heart, left", null, "heart, left"], age: [2, 30, 20] },
    });
    expect(csv).toMatchObject({
      columns: [
        [8, "heart, left", 2],
        [2, null, 30],
        [1, "heart, left", 20],
      ],
    });
    expect(genes).toMatchObject({ columns: { cellarr_gene_index: ["gA1", "gC"] } });
  });

  it("read slices of several blocks of cells", async () => {
    const cells = 70_000;
    const rows = Array.from({ length: cells }, (_, cell) => [cell % 7 === 0 ? 0 : 1 + (cell % 50), cell % 3]);
    const dataset = await buildCellArrDataset({
      outputPath: { store: new MemoryStore(), path: "" },
      files: [experiment({ genes: ["first", "second"], rows })],
      matrixOptions: { matrixName: "counts", dtype: "uint16" },
    });
    const large = createHandler(dataset);
    const query = "slice?genes=second,first&order=asked";
    const [arrow, long, dense] = await readByPython(large, [
      ["arrow", query],
      ["csv", `${query}&layout=long&cells=69990:`],
      ["csv", `${query}&cells=69990:`],
    ]);
    const stored = rows.flatMap(([first, second], cell) => [
      ...(second === 0 ? [] : [[cell, "second", second]]),
      ...(first === 0 ? [] : [[cell, "first", first]]),
    ]);
    const ends = [...stored.slice(0, 3), ...stored.slice(-3)];
    expect(arrow).toMatchObject({
      types: { cell: "uint32", gene: "dictionary<values=string, indices=int32, ordered=0>", value: "uint16" },
      batches: 2,
      rows: stored.length,
      columns: {
        cell: ends.map(([cell]) => cell),
        gene: ends.map(([, gene]) => gene),
        value: ends.map(([, , value]) => value),
      },
    });
    expect(long).toMatchObject({ columns: stored.filter(([cell]) => Number(cell) >= 69_990) });
    const tail = rows.slice(69_990).map(([first, second], at) => [69_990 + at, second, first]);
    expect(dense).toMatchObject({ types: { cell: "int64", second: "int64", first: "int64" }, columns: tail });
  });
});
