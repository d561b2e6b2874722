// The table that the benchmark is about: what of which question is compared, and the ratio (ours over theirs) to reach.
// `key` names results of run.mjs; `ours` who of us is compared with each peer.

/** The engines compile what runs often: the first three are theirs. */
const warm = ({ runs }) => median(runs.slice(3).map((run) => run.seconds));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

const onPython = { cellarr: "ours", tiledb: "oursMatrix" };
const onOurs = { cellarr: "oursOwn", tiledb: "oursOwnMatrix" };
const same = (name) => ({ cellarr: name, tiledb: name });

const query = (key, name, targets, ours = onPython) => ({
  name,
  key,
  ours,
  targets,
  pick: warm,
  unit: "seconds",
});
const build = (name, pick, unit, targets, ours) => ({
  name,
  key: "build",
  ours: same(ours),
  targets,
  pick,
  unit,
});

export const targets = [
  {
    name: "process start to first slice printed, CPU",
    key: "first",
    ours: same("ours"),
    targets: { cellarr: 1 / 10, tiledb: 0.55 },
    pick: (run) => run.cpu,
    unit: "seconds",
  },
  query("neighbours", "1,000 neighbouring cells, all genes", { cellarr: 1 / 20, tiledb: 1 / 2 }),
  query("random", "1,000 random cells, all genes", { cellarr: 1 / 8, tiledb: 1 / 2 }),
  query("gene", "one gene, all cells, Python's store", { cellarr: 0.6, tiledb: 0.6 }),
  query("gene", "one gene, all cells, our store", { cellarr: 1 / 100, tiledb: 1 / 100 }, onOurs),
  query("genes", "100 genes, all cells, Python's store", { cellarr: 0.6, tiledb: 0.6 }),
  query("genes", "100 genes, all cells, our store", { cellarr: 1 / 20, tiledb: 1 / 20 }, onOurs),
  query("sample", "whole sample as CSR", { cellarr: 1 / 15, tiledb: 1 / 2 }),
  query("all", "full read of the matrix", { tiledb: 0.6 }),
  query("metadata", "cell filter on metadata", { cellarr: 1 / 5, tiledb: 1 }, same("ours")),
  build("build, cell-major alone: CPU", (run) => run.cpu, "seconds", { cellarr: 1 / 12 }, "oursAlone"),
  build("build, cell-major alone: time", (run) => run.seconds, "seconds", { cellarr: 1 / 12 }, "oursAlone"),
  build("build with the gene-major copy: CPU", (run) => run.cpu, "seconds", { cellarr: 1 / 7 }, "ours"),
  build("build with the gene-major copy: time", (run) => run.seconds, "seconds", { cellarr: 1 / 7 }, "ours"),
  build(
    "bytes on disk, cell-major alone",
    (run) => run.matrixBytes,
    "bytes",
    { cellarr: 1 / 3 },
    "oursAlone",
  ),
  build("bytes on disk, both orientations", (run) => run.matrixBytes, "bytes", { cellarr: 0.6 }, "ours"),
];

/** Other figures of the same questions: no targets, worth a look. */
export const further = [
  { title: "query, first in a process", pick: (run) => run.runs[0].seconds, unit: "seconds" },
  { title: "query, median of the fourth to ninth", pick: warm, unit: "seconds" },
  { title: "query, CPU of the first", pick: (run) => run.runs[0].cpu, unit: "seconds" },
  { title: "query, CPU of the last", pick: (run) => run.runs.at(-1).cpu, unit: "seconds" },
  { title: "query, peak memory of the process", pick: (run) => run.runs.at(-1).peak, unit: "bytes" },
];
