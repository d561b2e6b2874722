// A network, trained and asked. No import: whoever runs it says where the package's module comes from.

/**
 * @param modules { AutoEncoder }
 * @param task { geneCount, cellCount: of a batch, hiddenDim, latentDim, dropout: of all layers, steps: of an epoch }
 * @returns losses before each step, and of validation after each epoch; latent values and what is decoded of them; weights
 */
export async function train({ AutoEncoder }, { geneCount, cellCount, dropout, steps, ...sizes }) {
  const batch = (seed) => makeBatch(cellCount, geneCount, seed);
  const genes = Array.from({ length: geneCount }, (_, at) => `gene_${at}`);
  const data = {
    genes,
    async *train({ epoch = 0, from = 0 } = {}) {
      for (let step = from; step < steps; step++) yield batch(1 + epoch * steps + step);
    },
    async *val() {
      yield batch(999);
    },
  };
  const model = new AutoEncoder({ genes, ...sizes, dropout, inputDropout: dropout, seed: 5 });
  const losses = [];
  const { epochs } = await model.fit(data, { epochs: 3, onStep: ({ loss }) => losses.push(loss) });
  const weights = [...model.weights].map(([name, { values }]) => [name, Array.from(values, Number)]);
  const asked = await ask(model, cellCount);
  await model.dispose();
  return { losses, valLosses: epochs.map(({ valLoss }) => valLoss), weights, ...asked };
}

/** Latent values of a batch and what is decoded of them. */
export async function ask(model, cellCount) {
  const latent = await model.encode(makeBatch(cellCount, model.genes.length, 555));
  const decoded = await model.decode(latent);
  return { latent: Array.from(latent.values), decoded: Array.from(decoded.values) };
}

/**
 * Latent values of a model that was asked before the default device changed, of the same after that, and of the same
 * once it was disposed of; losses of training while the device changes.
 *
 * @param modules { AutoEncoder, defaultDevice }
 * @param task { from, to: devices }
 */
export async function switchDevices({ AutoEncoder, defaultDevice }, { from, to }) {
  const genes = Array.from({ length: 20 }, (_, at) => `gene_${at}`);
  const make = () => new AutoEncoder({ genes, hiddenDim: [8], latentDim: 3, seed: 9 });
  const model = make();
  const latent = async () => Array.from((await model.encode(makeBatch(6, 20, 1))).values);
  defaultDevice(from);
  const before = await latent();
  defaultDevice(to);
  const after = await latent();
  await model.dispose();
  const again = await latent();
  await model.dispose();
  const losses = async (change) => {
    const found = [];
    defaultDevice(from);
    const data = {
      genes,
      train: async function* () {
        for (let i = 0; i < 3; i++) yield makeBatch(8, 20, i);
      },
    };
    await make().fit(data, {
      epochs: 1,
      onStep: ({ loss }) => {
        found.push(loss);
        if (change) defaultDevice(to);
      },
    });
    return found;
  };
  return { before, after, again, steady: await losses(false), switched: await losses(true) };
}

/** Four kinds of cells, each with genes of its own, and noise by whole numbers alone: the same values everywhere. */
function makeBatch(cellCount, geneCount, seed) {
  let state = seed * 7919;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) / 65536;
  };
  const values = Float32Array.from({ length: cellCount * geneCount }, (_, at) => {
    const kind = Math.floor(at / geneCount) % 4;
    return (at % geneCount) % 4 === kind ? 1 + noise() : 0.2 * noise();
  });
  return { cellCount, geneCount, values };
}
