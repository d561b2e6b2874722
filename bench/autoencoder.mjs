// A step of training the default network (1024, 1024, 128; dropout on) beside PyTorch's, on batches of 256 cells: ratios
// of medians of CPU time, both in one thread and measured in turns.
//
//   node scripts/build.mjs --if-stale && node bench/autoencoder.mjs PYTHON [GENES ...]     PYTHON has the packages of
//                                                                    test/python/requirements-torch.txt
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AutoEncoder } from "../dist/autoencoder-node.js";

const CELLS = 256;
const STEPS = 6;
const ROUNDS = 2;
const [python, ...sizes] = process.argv.slice(2);
const script = fileURLToPath(new URL("../test/python/torch_autoencoder.py", import.meta.url));

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** CPU milliseconds since `before`. */
const since = (before) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

/** CPU milliseconds of the steps, the first of which compile; then of embedding the batch. */
async function ours(genes) {
  const values = Float32Array.from({ length: CELLS * genes }, () => Math.random());
  const batch = { cellCount: CELLS, geneCount: genes, values };
  const names = Array.from({ length: genes }, (_, at) => `gene_${at}`);
  const model = new AutoEncoder({ genes: names });
  const times = [];
  let last = process.cpuUsage();
  const data = {
    genes: names,
    async *train() {
      for (let step = 0; step < STEPS; step++) yield batch;
    },
  };
  const onStep = () => {
    times.push(since(last));
    last = process.cpuUsage();
  };
  await model.fit(data, { epochs: 1, onStep });
  await model.encode(batch);
  const start = process.cpuUsage();
  await model.encode(batch);
  const encode = since(start);
  await model.dispose();
  return { steps: times, encode };
}

function theirs(genes) {
  const network = { genes, latent: 128, hidden: [1024, 1024], residual: false };
  const input = JSON.stringify({ command: "speed", args: { network, cells: CELLS, steps: STEPS } });
  const { status, stdout, stderr } = spawnSync(python, [script], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1)).map((seconds) => seconds * 1000);
}

for (const genes of sizes.length > 0 ? sizes.map(Number) : [1000, 5000, 15_000]) {
  const found = { ours: [], encode: [], theirs: [] };
  let first = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { steps, encode } = await ours(genes);
    if (round === 0) first = steps[0];
    found.ours.push(...steps.slice(2));
    found.encode.push(encode);
    found.theirs.push(...theirs(genes).slice(2));
  }
  const [our, their] = [median(found.ours), median(found.theirs)];
  console.log(
    `${genes} genes: ${our.toFixed(0)} ms a step (the first ${first.toFixed(0)}), PyTorch ${their.toFixed(0)} ms: ${(our / their).toFixed(1)} times; ${((CELLS / our) * 1000).toFixed(0)} cells/s, embedding ${((CELLS / median(found.encode)) * 1000).toFixed(0)} cells/s`,
  );
}
