import { FormatError, NotFoundError } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { StoredCondition } from "../../format/delete-condition.js";
import { viewAs } from "../../util/typed-arrays.js";
import type { ConditionValue, QueryCondition } from "./query-condition.js";

/**
 * From a delete commit's condition, whose values are bytes, to one over columns. Of enumerated attributes it compares
 * positions, see `prepareCondition`.
 */
export function queryConditionOf(
  stored: StoredCondition,
  schema: ArraySchema,
  where: string,
): QueryCondition {
  switch (stored.kind) {
    case "and":
    case "or": {
      const operands = stored.operands.map((operand) => queryConditionOf(operand, schema, where));
      return { kind: stored.kind, operands };
    }
    case "not":
      return { kind: "not", operand: queryConditionOf(stored.operand, schema, where) };
    case "compare": {
      const { field, op, value } = stored;
      return { kind: "compare", field, op, value: valueReader(schema, field, where)(value) };
    }
    case "in": {
      const { field, negated, values } = stored;
      return { kind: "in", field, negated, values: values.map(valueReader(schema, field, where)) };
    }
  }
}

function valueReader(
  schema: ArraySchema,
  field: string,
  where: string,
): (bytes: Uint8Array) => ConditionValue {
  const datatype = typeOf(schema, field, where);
  const { kind, bytes: width, array: type } = datatypeInfo(datatype);
  if (kind === "char" || (kind === "string" && width === 1)) return (bytes) => textOf(bytes, field, where);
  return (bytes) => {
    const value = bytes.byteLength === width ? viewAs(bytes, type)[0] : undefined;
    if (value !== undefined) return value;
    throw new FormatError(
      `delete condition on '${field}': ${bytes.byteLength} bytes of value, expected ${width} (${datatype})`,
      { where },
    );
  };
}

function typeOf({ attributes, dimensions }: ArraySchema, field: string, where: string): Datatype {
  const found = [...attributes, ...dimensions].find((one) => one.name === field);
  if (found !== undefined) return found.datatype;
  throw new NotFoundError(`a delete condition asks for '${field}', which the array does not have any more`, {
    where,
  });
}

function textOf(bytes: Uint8Array, field: string, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`delete condition on '${field}': the text is no UTF-8`, { where, cause });
  }
}
