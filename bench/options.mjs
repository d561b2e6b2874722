// Options of the command line, and what they are for each size.
import { parseArgs } from "node:util";

/** Cells of each file, rounds, cells of the metadata table, sizes of the growth part (times the cells of one file). */
const sizes = {
  quick: { cells: 300, repeat: 1, metadataCells: 20_000, growth: [1, 2] },
  usual: { cells: 3000, repeat: 3, metadataCells: 1_000_000, growth: [1, 4, 16] },
  full: { cells: 9000, repeat: 3, metadataCells: 1_000_000, growth: [1, 4, 16] },
};

const usage = `npm run bench -- [--quick | --full] [--cells N] [--files N] [--genes N] [--repeat N] [--threads N] [--seed N]
                 [--only peers,growth,memory,loader] [--keep]
  --quick   a minute, for wrong answers only      --full    2 files x 9,000 cells, as the targets were measured
  --only    parts: peers (beside Python), growth (how cost grows with the store), memory (of builds of x1 and x10), loader (of batches for
            training, beside Python's where CELLARR_TORCH_PYTHON names an interpreter that has torch and pytorch_lightning)
  --keep    keep the simulated files and stores`;

export function readOptions() {
  const names = ["cells", "files", "genes", "repeat", "threads", "seed", "only"];
  const text = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const flags = Object.fromEntries(
    ["quick", "full", "keep", "help"].map((name) => [name, { type: "boolean" }]),
  );
  let values;
  try {
    ({ values } = parseArgs({ options: { ...text, ...flags } }));
  } catch (error) {
    stop(`bench: ${error.message}\n${usage}`);
  }
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  const size = sizes[values.quick ? "quick" : values.full ? "full" : "usual"];
  const number = (name, usual) => {
    const value = values[name] === undefined ? usual : Number(values[name]);
    if (Number.isInteger(value) && value > 0) return value;
    stop(`bench: --${name} ${values[name]}: expected a whole number from 1 on`);
  };
  const parts = ["peers", "growth", "memory", "loader"];
  const only = values.only?.split(",") ?? (values.quick ? ["peers", "growth"] : parts);
  for (const part of only) {
    if (!parts.includes(part)) stop(`bench: --only ${part}: expected some of ${parts.join(", ")}`);
  }
  return {
    ...size,
    cells: number("cells", size.cells),
    files: number("files", 2),
    genes: number("genes", 15_000),
    repeat: number("repeat", size.repeat),
    threads: number("threads", 2),
    seed: number("seed", 1),
    only: new Set(only),
    keep: values.keep ?? false,
  };
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
