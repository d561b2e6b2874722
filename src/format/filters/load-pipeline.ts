import { UnsupportedError } from "../../errors.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../datatype.js";
import type { FilterPipeline, FilterSpec } from "../filter-pipeline.js";
import { integerOf } from "./element.js";
import type { LoadedPipeline, LoadedStep, LoadOptions, PipelineContext } from "./pipeline.js";
import { decodeStrings, loadFilter, loadRunsEncoder } from "./registry.js";
import { Scratch } from "./scratch.js";

/** Makes loaded pipelines of those that schemas describe. */

/** See pipeline.ts. */
export async function loadPipeline(
  pipeline: FilterPipeline,
  context: PipelineContext,
  options: LoadOptions = {},
): Promise<LoadedPipeline> {
  const stringCoding = stringCodingOf(pipeline, context);
  const specs = stringCoding === null ? pipeline.filters : pipeline.filters.slice(1);
  const info = datatypeInfo(context.datatype);
  const cellBytes = context.cellValNum === VAR_NUM ? info.bytes : info.bytes * context.cellValNum;
  let datatype = context.datatype;
  const steps: LoadedStep[] = [];
  const scratch = new Scratch();
  const { encryptionKey: key } = options;
  const copiedBelow = specs.findLastIndex(({ type }) => makesOwnMemory.has(type));
  for (const spec of key === undefined ? specs : encrypted(specs)) {
    checkInput(spec, datatype, options.encode === true && context.version >= 20);
    const filter = await (options.withoutRepeats === true && spec.type === "zstd"
      ? loadRunsEncoder()
      : loadFilter(spec.type, options.encode === true, key));
    const slot = steps.length;
    const output = slot < copiedBelow ? (bytes: number) => scratch.take(slot, bytes) : undefined;
    steps.push({ filter, spec, datatype, cellBytes, version: context.version, output });
    // Before version 20 (core 2.17) all filters were told the type of the cells.
    if (context.version >= 20) datatype = outputOf(spec, datatype);
  }
  return {
    context,
    maxChunkSize: pipeline.maxChunkSize,
    stringCoding,
    decodeStrings: stringCoding && decodeStrings,
    steps,
    scratch,
  };
}

/** Compressors whose output is no view of their input and is not used again, so that what comes before them may be. */
const makesOwnMemory: ReadonlySet<string> = new Set(["gzip", "zstd", "bzip2", "lz4"]);

/** Encryption comes last; only generic tiles' pipelines say so themselves. */
function encrypted(specs: readonly FilterSpec[]): readonly FilterSpec[] {
  return specs.at(-1)?.type === "aes_256_gcm" ? specs : [...specs, { type: "aes_256_gcm" }];
}

/** RLE since version 12, dictionary since 13, both since 17 for UTF-8; only as the first filter of the pipeline. */
function stringCodingOf(pipeline: FilterPipeline, context: PipelineContext): "rle" | "dictionary" | null {
  const first = pipeline.filters[0]?.type;
  if (context.cellValNum !== VAR_NUM || (first !== "rle" && first !== "dictionary")) return null;
  if (context.datatype === "string_utf8") return context.version >= 17 ? first : null;
  if (context.datatype !== "string_ascii") return null;
  return context.version >= (first === "rle" ? 12 : 13) ? first : null;
}

/** The type of the values that a filter puts out. */
function outputOf(spec: FilterSpec, input: Datatype): Datatype {
  switch (spec.type) {
    case "delta":
    case "double_delta":
      return spec.reinterpret ?? input;
    case "scale_float":
      return integers[spec.byteWidth] ?? input;
    case "xor":
      return integers[datatypeInfo(input).bytes] ?? input;
    default:
      return input;
  }
}

const integers: Readonly<Record<number, Datatype>> = { 1: "int8", 2: "int16", 4: "int32", 8: "int64" };

/** The official library refuses to make arrays with what is refused here; `strict` is for writing. */
function checkInput(spec: FilterSpec, input: Datatype, strict: boolean): void {
  const { bytes } = datatypeInfo(input);
  if (spec.type === "delta" || spec.type === "double_delta") {
    const as = datatypeInfo(spec.reinterpret ?? input);
    if (as.kind === "float") throw new UnsupportedError(`${spec.type} filter: no values of type ${as.name}`);
    if (spec.reinterpret === undefined || bytes % as.bytes === 0) return;
    throw new UnsupportedError(`${spec.type} filter: ${input} cannot be reinterpreted as ${as.name}`);
  }
  const windowed = spec.type === "bit_width_reduction" || spec.type === "positive_delta";
  if (strict && windowed && integerOf(input) === null) {
    throw new UnsupportedError(`${spec.type} filter: no values of type ${input}`);
  }
  if (spec.type === "scale_float" && bytes !== 4 && bytes !== 8) {
    throw new UnsupportedError(`scale_float filter: no values of type ${input}`);
  }
}
