import { ArgumentError } from "../../errors.js";
import type { ArraySchema, Attribute, Dimension } from "../../format/array-schema.js";
import { type Datatype, datatypeInfo, isBigDatatype, isDatatype, VAR_NUM } from "../../format/datatype.js";
import type { FilterPipeline } from "../../format/filter-pipeline.js";
import { WRITE_VERSION } from "../../format/version.js";
import { fillBytes } from "../fill-value.js";
import { isInteger, typeRange } from "../integer-types.js";
import { coordsFiltersProblem, pipelineOf } from "./filters-input.js";
import type { AttributeInput, DimensionInput, SchemaInput } from "./write-types.js";

const DEFAULT_CAPACITY = 10_000;

/**
 * A whole, checked schema. What is left out is as the official library has it: row-major orders, capacity 10,000,
 * coordinates and offsets through zstd, validity through RLE, tile extents the whole domain. Enumerations are named
 * but get their files only by `createArray`. Throws ArgumentError that names the dimension or attribute.
 */
export function defineSchema(input: SchemaInput): ArraySchema {
  const { arrayType } = input;
  if (arrayType !== "sparse" && arrayType !== "dense") {
    throw problem(`array type '${String(arrayType)}' is neither "sparse" nor "dense"`);
  }
  checkNames(input);
  checkOrders(input);
  const dimensions = input.dimensions.map((dimension) => defineDimension(dimension, arrayType));
  const datatypes = new Set(dimensions.map((dimension) => dimension.datatype));
  if (arrayType === "dense" && datatypes.size > 1) {
    throw problem(`dense arrays need dimensions of one datatype, found ${[...datatypes].join(", ")}`);
  }
  const coordsFilters = pipelineOf(input.coordsFilters ?? ["zstd"], "coordinates");
  const mistake = coordsFiltersProblem(coordsFilters, dimensions);
  if (mistake !== null) throw problem(mistake);
  return {
    version: WRITE_VERSION,
    arrayType,
    allowsDuplicates: input.allowsDuplicates ?? false,
    tileOrder: input.tileOrder ?? "row-major",
    cellOrder: input.cellOrder ?? "row-major",
    capacity: checkCapacity(input.capacity ?? DEFAULT_CAPACITY),
    coordsFilters,
    offsetsFilters: pipelineOf(input.offsetsFilters ?? ["zstd"], "offsets"),
    validityFilters: pipelineOf(input.validityFilters ?? ["rle"], "validity"),
    dimensions,
    attributes: input.attributes.map((attribute) => defineAttribute(attribute, input)),
    labels: [],
    enumerations: [],
    currentDomain: null,
  };
}

function problem(message: string): ArgumentError {
  return new ArgumentError(`array schema: ${message}`);
}

function checkNames(input: SchemaInput): void {
  if (input.dimensions.length === 0) throw problem("no dimensions");
  if (input.arrayType === "dense" && input.attributes.length === 0) {
    throw problem("a dense array needs at least one attribute");
  }
  const seen = new Set<string>();
  for (const { name } of [...input.dimensions, ...input.attributes]) {
    if (seen.has(name)) throw problem(`two fields are named '${name}'`);
    if (name.startsWith("__")) {
      // The official library keeps such names for its own fields, but Python cellarr has a dimension of one.
      if (input.attributes.some((attribute) => attribute.name === name)) {
        throw problem(`attribute '${name}': names that start with "__" are reserved`);
      }
    }
    seen.add(name);
  }
}

function checkOrders(input: SchemaInput): void {
  const cellOrder = input.cellOrder ?? "row-major";
  if (!["row-major", "col-major", "hilbert"].includes(cellOrder)) {
    throw problem(`cell order '${cellOrder}', expected "row-major", "col-major" or "hilbert"`);
  }
  const tileOrder = input.tileOrder ?? "row-major";
  if (!["row-major", "col-major"].includes(tileOrder)) {
    throw problem(`tile order '${tileOrder}', expected "row-major" or "col-major"`);
  }
  if (input.arrayType === "sparse") return;
  if (cellOrder === "hilbert") throw problem("hilbert order is for sparse arrays only");
  if (input.allowsDuplicates) throw problem("a dense array cannot allow duplicates");
}

function checkCapacity(capacity: number): number {
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > 0x7fffffff) {
    throw problem(`capacity ${capacity}, expected 1 to 2147483647`);
  }
  return capacity;
}

function checkDatatype(datatype: Datatype, what: string): void {
  if (!isDatatype(datatype)) throw problem(`${what}: unknown datatype '${String(datatype)}'`);
}

function defineDimension(input: DimensionInput, arrayType: "sparse" | "dense"): Dimension {
  const what = `dimension '${input.name}'`;
  checkDatatype(input.datatype, what);
  const filters = pipelineOf(input.filters ?? [], what);
  const { name, datatype } = input;
  if (datatype === "string_ascii") {
    if (arrayType === "dense") throw problem(`${what}: string dimensions are for sparse arrays only`);
    if (input.domain !== undefined || (input.tileExtent ?? null) !== null) {
      throw problem(`${what}: a string dimension has neither domain nor tile extent`);
    }
    return { name, datatype, cellValNum: VAR_NUM, filters, domain: null, tileExtent: null };
  }
  const { kind } = datatypeInfo(datatype);
  const allowed = isInteger(datatype) || (kind === "float" && arrayType === "sparse");
  if (!allowed) throw problem(`${what}: datatype ${datatype} cannot be a dimension of a ${arrayType} array`);
  const domain = checkDomain(input, what);
  const tileExtent = checkExtent(input, domain, what);
  return { name, datatype, cellValNum: 1, filters, domain, tileExtent };
}

function checkDomain(input: DimensionInput, what: string): readonly [number | bigint, number | bigint] {
  if (input.domain === undefined) throw problem(`${what}: no domain`);
  const [low, high] = input.domain;
  const text = `[${low}, ${high}]`;
  if (!isInteger(input.datatype)) {
    const [lo, hi] = [Number(low), Number(high)];
    if (!Number.isFinite(lo) || !Number.isFinite(hi) || lo > hi) {
      throw problem(`${what}: domain ${text} is not two finite numbers in order`);
    }
    return [lo, hi];
  }
  const [lo, hi] = [integerOf(low, what), integerOf(high, what)];
  const [smallest, largest] = typeRange(input.datatype);
  if (lo < smallest || hi > largest || lo > hi) {
    throw problem(`${what}: domain ${text} is not two values of ${input.datatype} in order`);
  }
  if (lo === smallest && hi === largest) {
    throw problem(
      `${what}: domain ${text} is all of ${input.datatype}; it must leave out at least one value`,
    );
  }
  return isBigDatatype(input.datatype) ? [lo, hi] : [Number(lo), Number(hi)];
}

function integerOf(value: number | bigint, what: string): bigint {
  if (typeof value === "bigint") return value;
  if (!Number.isSafeInteger(value)) throw problem(`${what}: ${value} is not an integer below 2^53`);
  return BigInt(value);
}

function checkExtent(
  input: DimensionInput,
  domain: readonly [number | bigint, number | bigint],
  what: string,
): number | bigint {
  if (!isInteger(input.datatype)) {
    const range = Number(domain[1]) - Number(domain[0]);
    const extent = Number(input.tileExtent ?? range);
    // One more than the range is what the official library lets through.
    if (extent > 0 && extent <= range + 1) return extent;
    if (range === 0 && (input.tileExtent ?? null) === null) return 1;
    throw problem(`${what}: tile extent ${extent} is not above 0 and within the domain's range ${range}`);
  }
  const [low, high] = [BigInt(domain[0]), BigInt(domain[1])];
  const range = high - low + 1n;
  const extent = integerOf(input.tileExtent ?? range, what);
  if (extent < 1n || extent > range) {
    throw problem(`${what}: tile extent ${extent} is not between 1 and the domain's ${range} values`);
  }
  const largest = typeRange(input.datatype)[1];
  const expanded = low + ((range - 1n) / extent + 1n) * extent - 1n;
  if (expanded > largest) {
    throw problem(
      `${what}: the domain in whole tiles of ${extent} ends at ${expanded}, beyond ${input.datatype}'s ${largest}`,
    );
  }
  return isBigDatatype(input.datatype) ? extent : Number(extent);
}

function defineAttribute(input: AttributeInput, schema: SchemaInput): Attribute {
  const what = `attribute '${input.name}'`;
  checkDatatype(input.datatype, what);
  const { name, datatype } = input;
  const byDefault = datatypeInfo(datatype).kind === "string" || datatype === "any" ? "var" : 1;
  const wanted = input.cellValNum ?? byDefault;
  const cellValNum = wanted === "var" ? VAR_NUM : wanted;
  if (!Number.isSafeInteger(cellValNum) || cellValNum < 1 || cellValNum > VAR_NUM) {
    throw problem(`${what}: ${cellValNum} values per cell`);
  }
  if (datatype === "any" && cellValNum !== VAR_NUM) throw problem(`${what}: "any" is always variable-length`);
  const filters: FilterPipeline = pipelineOf(input.filters ?? [], what);
  const enumeration = input.enumeration ?? null;
  if (enumeration !== null) checkEnumerated(input, cellValNum, schema, what);
  const fill = fillBytes(datatype, cellValNum, input.fill, what);
  const nullable = input.nullable ?? false;
  return {
    name,
    datatype,
    cellValNum,
    filters,
    fill,
    nullable,
    fillValid: false,
    order: "unordered",
    enumeration,
  };
}

function checkEnumerated(input: AttributeInput, cellValNum: number, schema: SchemaInput, what: string): void {
  const kind = datatypeInfo(input.datatype).kind;
  if ((kind !== "int" && kind !== "uint") || cellValNum !== 1) {
    throw problem(`${what}: an enumerated attribute has one integer per cell, not ${input.datatype}`);
  }
  const enumeration = schema.enumerations?.find(({ name }) => name === input.enumeration);
  if (enumeration === undefined) throw problem(`${what}: no enumeration '${input.enumeration}' is defined`);
  if (BigInt(enumeration.values.length) > typeRange(input.datatype)[1] + 1n) {
    throw problem(`${what}: ${input.datatype} cannot number the ${enumeration.values.length} values`);
  }
}
