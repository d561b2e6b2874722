import { ByteReader } from "./byte-reader.js";
import { readUint64s } from "./scalar.js";

/**
 * The condition of a delete commit (format_spec/delete_commit_file.md), a tree of nodes. It is that of the cells that
 * stay: the official library negates what it was asked to delete before it writes, by the operators of the values.
 *
 * | Node | Fields |
 * | :--- | :--- |
 * | expression | uint8 0, uint8 operator (0 and, 1 or, 2 not), uint64 number of children, the children |
 * | value | uint8 1, uint8 operator (0 <, 1 <=, 2 >, 3 >=, 4 ==, 5 !=, 6 in, 7 not in), uint32 length, field name, uint64 size, value |
 * | in, not in | also: uint64 size, uint64[]: where each member begins in the value |
 *
 * The specification leaves the last two operators and their offsets out. Values have the bytes of the field's
 * cells: of an enumerated one its positions.
 */
export type StoredCondition =
  | { readonly kind: "and" | "or"; readonly operands: readonly StoredCondition[] }
  | { readonly kind: "not"; readonly operand: StoredCondition }
  | {
      readonly kind: "compare";
      readonly field: string;
      readonly op: "<" | "<=" | ">" | ">=" | "==" | "!=";
      readonly value: Uint8Array;
    }
  | {
      readonly kind: "in";
      readonly field: string;
      readonly values: readonly Uint8Array[];
      readonly negated: boolean;
    };

const operators = ["<", "<=", ">", ">=", "==", "!="] as const;
const IN = 6;
const NOT_IN = 7;

/** Deeper trees are no one's conditions, and would exhaust the stack. */
const MAX_DEPTH = 500;

export function readStoredCondition(bytes: Uint8Array, where?: string): StoredCondition {
  const reader = new ByteReader(bytes, "delete condition", where);
  const condition = readNode(reader, 0);
  reader.end();
  return condition;
}

/** Of an update commit: after the condition come the new values, which the official library does not read either. */
export function readUpdateCondition(bytes: Uint8Array, where?: string): StoredCondition {
  const reader = new ByteReader(bytes, "update condition", where);
  const condition = readNode(reader, 0);
  // A value takes at least two lengths of 8 bytes.
  const count = reader.count("number of update values", 8, 16);
  for (let i = 0; i < count; i++) {
    reader.sizedText(8, "field name");
    reader.skip(reader.u64n("value size"), "update value");
  }
  reader.end();
  return condition;
}

function readNode(reader: ByteReader, depth: number): StoredCondition {
  if (depth > MAX_DEPTH) throw reader.error(`more than ${MAX_DEPTH} levels`);
  const at = reader.offset;
  const type = reader.u8("node type");
  if (type === 0) return readExpression(reader, depth);
  if (type === 1) return readValue(reader);
  throw reader.error(`expected node type 0 or 1 at offset ${at}, found ${type}`);
}

function readExpression(reader: ByteReader, depth: number): StoredCondition {
  const op = reader.u8("combination operator");
  // A node takes at least 10 bytes.
  const count = reader.count("number of children", 8, 10);
  const operands: StoredCondition[] = [];
  for (let i = 0; i < count; i++) operands.push(readNode(reader, depth + 1));
  const [first] = operands;
  if (first === undefined) throw reader.error("expression without children");
  if (op === 0 || op === 1) return { kind: op === 0 ? "and" : "or", operands };
  if (op === 2 && count === 1) return { kind: "not", operand: first };
  throw reader.error(`unknown combination operator ${op} of ${count} children`);
}

function readValue(reader: ByteReader): StoredCondition {
  const code = reader.u8("operator");
  const field = reader.sizedText(4, "field name");
  const value = reader.take(reader.u64n("value size"), "value");
  const op = operators[code];
  if (op !== undefined) return { kind: "compare", field, op, value };
  if (code !== IN && code !== NOT_IN) throw reader.error(`unknown operator ${code} on '${field}'`);
  return { kind: "in", field, values: readMembers(reader, value), negated: code === NOT_IN };
}

function readMembers(reader: ByteReader, data: Uint8Array): Uint8Array[] {
  const size = reader.u64n("size of offsets");
  if (size % 8 !== 0) throw reader.error(`${size} bytes of offsets are no multiple of 8`);
  const offsets = readUint64s(reader, size / 8, "offset");
  const members: Uint8Array[] = [];
  for (const [i, start] of offsets.entries()) {
    const end = offsets[i + 1] ?? data.byteLength;
    if (start > end || end > data.byteLength) {
      throw reader.error(`member ${i} lies at bytes ${start} to ${end} of ${data.byteLength}`);
    }
    members.push(data.subarray(start, end));
  }
  return members;
}
