import { ArgumentError } from "../../errors.js";
import type { ComparisonOperator, ConditionValue, QueryCondition } from "./query-condition.js";

/**
 * Conditions as text, in the Python syntax that TileDB-Py takes:
 *
 *     tissue == 'lung' and n_genes > 500
 *     0.1 <= score < 0.5 or batch in ['a', 'b']
 *     not (age is None) and attr("cell type") != "T"
 *
 * A name that is no Python name is written attr("…") or dim("…"); `val(…)` around a literal is taken too, and `&`
 * and `|` mean `and` and `or`.
 */
export function parseCondition(text: string): QueryCondition {
  const parser = new Parser(text);
  return parser.whole();
}

interface Token {
  readonly kind: "name" | "number" | "string" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

/** One side of a comparison. */
type Side = { readonly field: string } | { readonly value: ConditionValue | null };

/** Parentheses and nots inside one another; more is no condition that somebody wrote. */
const MAX_DEPTH = 500;

const comparisons: readonly string[] = ["==", "!=", "<=", ">=", "<", ">"];
const flipped: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

const tokenPattern =
  /\s*(?:([\p{L}_][\p{L}\p{N}_]*)|(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(==|!=|<=|>=|[<>()[\],&|+-]))/uy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) throw problem(text, at + text.slice(at).search(/\S/), "this means nothing here");
    at = tokenPattern.lastIndex;
    const [, name, number, string, symbol] = match;
    if (name !== undefined) tokens.push({ kind: "name", text: name, at: at - name.length });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, at: at - number.length });
    else if (string !== undefined) tokens.push({ kind: "string", text: string, at: at - string.length });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, at: at - symbol.length });
  }
  tokens.push({ kind: "end", text: "the end", at: text.length });
  return tokens;
}

function problem(text: string, at: number, message: string): ArgumentError {
  return new ArgumentError(`condition: ${message}, at character ${at + 1} of ${JSON.stringify(text)}`);
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  whole(): QueryCondition {
    const condition = this.#or();
    if (this.#peek.kind !== "end") throw this.#unexpected("'and', 'or' or the end");
    return condition;
  }

  #or(): QueryCondition {
    const operands = [this.#and()];
    while (this.#take("or") || this.#take("|")) operands.push(this.#and());
    return operands.length === 1 ? operands[0]! : { kind: "or", operands };
  }

  #and(): QueryCondition {
    const operands = [this.#not()];
    while (this.#take("and") || this.#take("&")) operands.push(this.#not());
    return operands.length === 1 ? operands[0]! : { kind: "and", operands };
  }

  #not(): QueryCondition {
    if (++this.#depth > MAX_DEPTH) {
      throw problem(this.#text, this.#peek.at, `more than ${MAX_DEPTH} conditions inside one another`);
    }
    const condition = this.#single();
    this.#depth--;
    return condition;
  }

  #single(): QueryCondition {
    if (this.#take("not")) return { kind: "not", operand: this.#not() };
    if (!this.#take("(")) return this.#comparison();
    const inner = this.#or();
    this.#expect(")");
    return inner;
  }

  /** A chain such as 1 < a <= 5 is the conjunction of its links. */
  #comparison(): QueryCondition {
    const links: QueryCondition[] = [];
    let left = this.#side();
    do {
      const at = this.#peek.at;
      if (this.#take("in")) return this.#members(left, false, at);
      if (this.#take("not")) {
        this.#expect("in");
        return this.#members(left, true, at);
      }
      if (this.#take("is")) return this.#nullTest(left, this.#take("not"), at);
      const op = this.#operator();
      const right = this.#side();
      links.push(this.#link(left, op, right, at));
      left = right;
    } while (comparisons.includes(this.#peek.text) && this.#peek.kind === "symbol");
    return links.length === 1 ? links[0]! : { kind: "and", operands: links };
  }

  #link(left: Side, op: ComparisonOperator, right: Side, at: number): QueryCondition {
    if ("field" in left && "value" in right) return this.#compare(left.field, op, right.value, at);
    if ("value" in left && "field" in right) return this.#compare(right.field, flipped[op], left.value, at);
    throw problem(this.#text, at, "a comparison needs a name on one side and a value on the other");
  }

  #compare(field: string, op: ComparisonOperator, value: ConditionValue | null, at: number): QueryCondition {
    if (value !== null) return { kind: "compare", field, op, value };
    if (op === "==" || op === "!=") return { kind: "null", field, negated: op === "!=" };
    throw problem(this.#text, at, `None has no order, so ${op} means nothing`);
  }

  #members(left: Side, negated: boolean, at: number): QueryCondition {
    if (!("field" in left)) throw problem(this.#text, at, "'in' needs a name on its left");
    const close = this.#take("(") ? ")" : "]";
    if (close === "]") this.#expect("[");
    const values: ConditionValue[] = [];
    while (!this.#take(close)) {
      const member = this.#side();
      if (!("value" in member) || member.value === null) {
        throw problem(this.#text, this.#peek.at, "a list after 'in' holds values");
      }
      values.push(member.value);
      if (!this.#take(",") && this.#peek.text !== close) throw this.#unexpected(`',' or '${close}'`);
    }
    return { kind: "in", field: left.field, values, negated };
  }

  #nullTest(left: Side, negated: boolean, at: number): QueryCondition {
    if (!("field" in left)) throw problem(this.#text, at, "'is' needs a name on its left");
    this.#expect("None");
    return { kind: "null", field: left.field, negated };
  }

  #operator(): ComparisonOperator {
    const { kind, text } = this.#peek;
    if (kind !== "symbol" || !isComparison(text)) throw this.#unexpected("a comparison");
    this.#next++;
    return text;
  }

  #side(): Side {
    const token = this.#peek;
    if (token.kind === "string") return { value: this.#string() };
    if (token.kind === "number" || token.text === "-" || token.text === "+") return { value: this.#number() };
    if (token.kind !== "name" || ["and", "or", "not", "in", "is"].includes(token.text)) {
      throw this.#unexpected("a name or a value");
    }
    this.#next++;
    if (token.text === "True") return { value: true };
    if (token.text === "False") return { value: false };
    if (token.text === "None") return { value: null };
    if (this.#peek.text !== "(" || !["attr", "dim", "val"].includes(token.text)) return { field: token.text };
    this.#expect("(");
    const inner: Side = token.text === "val" ? this.#side() : { field: this.#string() };
    this.#expect(")");
    return inner;
  }

  #number(): number | bigint {
    const negative = this.#take("-");
    if (!negative) this.#take("+");
    const { kind, text } = this.#peek;
    if (kind !== "number") throw this.#unexpected("a number");
    this.#next++;
    const number = Number(text);
    const exact = /^\d+$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : number;
    return negative ? -exact : exact;
  }

  #string(): string {
    const { kind, text } = this.#peek;
    if (kind !== "string") throw this.#unexpected("a text in quotes");
    this.#next++;
    return text.slice(1, -1).replace(/\\(.)/gsu, (_, escaped: string) => {
      return { n: "\n", t: "\t", r: "\r" }[escaped] ?? escaped;
    });
  }

  get #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(text: string): boolean {
    const token = this.#peek;
    if (token.text !== text || (token.kind !== "name" && token.kind !== "symbol")) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(`'${text}'`);
  }

  #unexpected(expected: string): ArgumentError {
    return problem(this.#text, this.#peek.at, `expected ${expected}, found ${this.#peek.text}`);
  }
}

function isComparison(text: string): text is ComparisonOperator {
  return comparisons.includes(text);
}
