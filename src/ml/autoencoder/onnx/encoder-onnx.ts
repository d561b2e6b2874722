import { LimitError, UnsupportedError } from "../../../errors.js";
import type { Architecture } from "../architecture.js";
import { BATCH_NORM_EPSILON, NORMALIZE_EPSILON } from "../layers.js";
import { AUTOENCODER } from "../network.js";
import { littleEndian } from "../safetensors.js";
import type { Weights } from "../weights.js";
import { ProtobufWriter } from "./protobuf.js";

/** Python cellarr's encoder as an ONNX model, operators of version 17. */

const IR_VERSION = 8;
const OPERATORS = 17;
/** What a protocol buffer holds. */
const MOST_BYTES = 2 ** 31 - 1;
const FLOAT = 1;
const INPUT = "cells";
const OUTPUT = "latent";

type AttributeValue =
  | { readonly float: number }
  | { readonly integer: number }
  | { readonly integers: readonly number[] };

/** The graph in the making: nodes one after another, constants as they are needed. */
class Graph {
  readonly message = new ProtobufWriter();
  readonly #weights: Weights;
  #count = 0;

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  /** Adds a node and the weights among its inputs; returns its output's name. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = `${operator.toLowerCase()}_${this.#count}`,
  ): string {
    for (const name of inputs) {
      const tensor = this.#weights.get(name);
      if (tensor !== undefined) this.constant(name, tensor.shape, tensor.values as Float32Array);
    }
    const node = new ProtobufWriter();
    for (const name of inputs) node.text(1, name);
    node
      .text(2, output)
      .text(3, `${operator}_${this.#count++}`)
      .text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.message.message(1, node);
    return output;
  }

  constant(name: string, shape: readonly number[], values: Float32Array): string {
    const tensor = new ProtobufWriter();
    for (const size of shape) tensor.integer(1, size);
    tensor.integer(2, FLOAT).text(8, name).bytes(9, littleEndian(values));
    this.message.message(5, tensor);
    return name;
  }
}

/** Throws UnsupportedError for other networks, LimitError for one that no ONNX file holds. */
export function encoderToOnnx(
  architecture: Architecture,
  weights: Weights,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  if (architecture.name !== AUTOENCODER) {
    throw new UnsupportedError(`ONNX is written of '${AUTOENCODER}' alone, not of '${architecture.name}'`);
  }
  const graph = new Graph(weights);
  addNodes(graph, weights, architecture.options.residual === true);
  graph.message.text(2, "encoder");
  graph.message.message(11, valueInfo(INPUT, architecture.geneCount));
  graph.message.message(12, valueInfo(OUTPUT, architecture.latentDim));
  const model = new ProtobufWriter().integer(1, IR_VERSION).text(2, "cellarr").message(7, graph.message);
  model.message(8, new ProtobufWriter().text(1, "").integer(2, OPERATORS));
  for (const [key, value] of Object.entries(metadata)) {
    model.message(14, new ProtobufWriter().text(1, key).text(2, value));
  }
  if (model.length > MOST_BYTES) {
    throw new LimitError(`the encoder takes ${model.length} bytes, an ONNX file at most ${MOST_BYTES}`);
  }
  return model.finish();
}

function addNodes(graph: Graph, weights: Weights, isResidual: boolean): void {
  let x = INPUT;
  let block = 0;
  for (; weights.has(`encoder.network.${block}.1.weight`); block++) {
    const name = `encoder.network.${block}`;
    const before = x;
    x = gemm(graph, x, `${name}.1`);
    const norm = ["weight", "bias", "running_mean", "running_var"].map((one) => `${name}.2.${one}`);
    x = graph.node("BatchNormalization", [x, ...norm], { epsilon: { float: BATCH_NORM_EPSILON } });
    x = graph.node("PRelu", [x, `${name}.3.weight`]);
    if (isResidual && block > 0) x = graph.node("Add", [x, before]);
  }
  x = gemm(graph, x, `encoder.network.${block}`);
  const length = graph.node("ReduceL2", [x], { axes: { integers: [1] }, keepdims: { integer: 1 } });
  const least = graph.constant("least_length", [1], Float32Array.of(NORMALIZE_EPSILON));
  graph.node("Div", [x, graph.node("Max", [length, least])], {}, OUTPUT);
}

/** x W^T + b. */
function gemm(graph: Graph, x: string, name: string): string {
  return graph.node("Gemm", [x, `${name}.weight`, `${name}.bias`], { transB: { integer: 1 } });
}

function attribute(name: string, value: AttributeValue): ProtobufWriter {
  const message = new ProtobufWriter().text(1, name);
  if ("float" in value) return message.float(2, value.float).integer(20, 1);
  if ("integer" in value) return message.integer(3, value.integer).integer(20, 2);
  for (const one of value.integers) message.integer(8, one);
  return message.integer(20, 7);
}

/** float32, any number of rows. */
function valueInfo(name: string, columns: number): ProtobufWriter {
  const rows = new ProtobufWriter().text(2, "n");
  const shape = new ProtobufWriter().message(1, rows).message(1, new ProtobufWriter().integer(1, columns));
  const tensor = new ProtobufWriter().integer(1, FLOAT).message(2, shape);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
}
