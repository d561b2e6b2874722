// A network of one's own in the place of Python cellarr's: no hidden layers, the decoder with its own weights, and a
// loss that adds a penalty to the reconstruction's error.
//
//   node examples/custom-architecture.mjs STORE LABEL_COLUMN MODEL_FOLDER
import { CellArrDataset } from "cellarr";
import { DataModule } from "cellarr/ml";
import { AutoEncoder, allSpecs, batchNorm, linear, prelu } from "cellarr/ml/autoencoder";

/** What a network is: the numbers it learns, and what it makes of cells. Arrays that a function is given are used up. */
function sparseCode(geneCount, latentDim, penalty) {
  return {
    name: "sparse-code",
    geneCount,
    latentDim,
    options: { penalty },
    ...allSpecs([
      linear("encoder.linear", geneCount, latentDim),
      batchNorm("encoder.norm", latentDim),
      prelu("encoder.prelu"),
      linear("decoder.linear", latentDim, geneCount),
    ]),
    encode: (layers, x) =>
      layers.prelu("encoder.prelu", layers.batchNorm("encoder.norm", layers.linear("encoder.linear", x))),
    decode: (layers, z) => layers.linear("decoder.linear", layers.dropout(0.1, z)),
    loss: ({ jax: { numpy } }, x, reconstruction, latent) =>
      numpy.square(reconstruction.sub(x)).mean().add(numpy.abs(latent).mean().mul(penalty)),
  };
}

const [store, labelColumnName, folder] = process.argv.slice(2);
const dataset = await CellArrDataset.open(store);
const options = { labelColumnName, studyColumnName: labelColumnName, batchSize: 5, sampleSize: 50 };
const data = await DataModule.open(dataset, options);
const architecture = sparseCode(data.genes.length, 8, 0.01);
const model = new AutoEncoder({ genes: data.genes, architecture });
const { epochs } = await model.fit(data, { epochs: 5 });
await model.saveAll(folder);
const loaded = await AutoEncoder.load(folder, { architecture });
const latent = await loaded.encode(await dataset.getSlice([0, 1, 2]));
console.log(JSON.stringify({ losses: epochs.map(({ trainLoss }) => trainLoss), shape: latent.shape }));
