import { problem, type Token, tokenize } from "./condition-tokens.js";
import type { ComparisonOperator, ConditionValue, QueryCondition } from "./query-condition.js";

/**
 * Conditions as text, in the Python syntax that TileDB-Py takes:
 *
 *     tissue == 'lung' and n_genes > 500
 *     0.1 <= score < 0.5 or batch in ['a', 'b']
 *     not (age is None) and attr("cell type") != "T"
 *     (tissue == 'lung') & (n_genes > 500)
 *
 * A name that is no Python name is written attr("…") or dim("…"); `val(…)` around a literal is taken too. `&` and `|`
 * bind closer than comparisons, as in Python, and stand between conditions in parentheses. Beyond TileDB-Py: `is None`,
 * tuples and sets after `in`, signs in lists. Throws ArgumentError; with a schema also where attr() or dim() names none.
 */
export function parseCondition(text: string, schema?: FieldNames): QueryCondition {
  return new Parser(text, schema).whole();
}

/** What a schema calls its fields. */
export interface FieldNames {
  readonly attributes: readonly { readonly name: string }[];
  readonly dimensions: readonly { readonly name: string }[];
}

/** What a part of an expression is. */
type Part =
  | { readonly kind: "condition"; readonly condition: QueryCondition }
  | { readonly kind: "field"; readonly field: string }
  | { readonly kind: "value"; readonly value: ConditionValue | null };

/** Parentheses, nots and signs inside one another, as many as Python takes. */
const MAX_DEPTH = 200;

const keywords: readonly string[] = ["and", "or", "not", "in", "is"];
const closers: Readonly<Record<string, string>> = { "[": "]", "(": ")", "{": "}" };
const flipped: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #schema: FieldNames | undefined;
  #next = 0;
  #depth = 0;

  constructor(text: string, schema: FieldNames | undefined) {
    this.#text = text;
    this.#tokens = tokenize(text);
    this.#schema = schema;
  }

  whole(): QueryCondition {
    const part = this.#or();
    if (this.#peek.kind !== "end" && part.kind === "condition") {
      throw this.#unexpected("'and', 'or' or the end");
    }
    return this.#condition(part);
  }

  #or(): Part {
    return this.#joined("or", ["or"], () => this.#joined("and", ["and"], () => this.#not()));
  }

  /** Operands between and, or, & or |. */
  #joined(kind: "and" | "or", words: readonly string[], operand: () => Part): Part {
    const first = operand();
    if (!words.includes(this.#peek.text) || this.#peek.kind === "string") return first;
    const operands = [this.#condition(first)];
    while (words.some((word) => this.#take(word))) operands.push(this.#condition(operand()));
    return { kind: "condition", condition: { kind, operands } };
  }

  #not(): Part {
    if (!this.#take("not")) return this.#comparison();
    const operand = this.#deeper(() => this.#condition(this.#not()));
    return { kind: "condition", condition: { kind: "not", operand } };
  }

  /** A chain such as 1 < a <= 5 is the conjunction of its links. */
  #comparison(): Part {
    let left = this.#bits();
    const links: QueryCondition[] = [];
    for (;;) {
      const { text, kind, at } = this.#peek;
      if (links.length === 0 && kind === "name") {
        const test = this.#wordTest(left, at);
        if (test !== null) return { kind: "condition", condition: test };
      }
      if (kind !== "symbol" || !isComparison(text)) break;
      this.#next++;
      const right = this.#bits();
      links.push(this.#link(left, text, right, at));
      left = right;
    }
    if (links.length === 0) return left;
    const condition: QueryCondition = links.length === 1 ? links[0]! : { kind: "and", operands: links };
    return { kind: "condition", condition };
  }

  /** The tests written as words: in, not in, is, is not. */
  #wordTest(left: Part, at: number): QueryCondition | null {
    if (this.#take("in")) return this.#members(left, false, at);
    if (this.#take("not")) {
      this.#expect("in");
      return this.#members(left, true, at);
    }
    if (!this.#take("is")) return null;
    const negated = this.#take("not");
    if (left.kind !== "field") throw problem(this.#text, at, "'is' needs a name on its left");
    this.#expect("None");
    return { kind: "null", field: left.field, negated };
  }

  #bits(): Part {
    return this.#joined("or", ["|"], () => this.#joined("and", ["&"], () => this.#signed()));
  }

  #signed(): Part {
    const { at } = this.#peek;
    const negative = this.#take("-");
    if (!negative && !this.#take("+")) return this.#single();
    const part = this.#deeper(() => this.#signed());
    const value = part.kind === "value" ? part.value : null;
    if (value === null || typeof value === "string") throw problem(this.#text, at, "a sign needs a number");
    const number = typeof value === "boolean" ? Number(value) : value;
    return { kind: "value", value: negative ? -number : number };
  }

  #single(): Part {
    const { kind, text, value } = this.#peek;
    if (kind === "string") return { kind: "value", value: this.#strings() };
    if (kind === "symbol" && text === "(") {
      this.#next++;
      const inner = this.#deeper(() => this.#or());
      this.#expect(")");
      return inner;
    }
    if (kind === "end" || kind === "symbol" || keywords.includes(text)) {
      throw this.#unexpected("a name or a value");
    }
    this.#next++;
    if (kind === "number") return { kind: "value", value: value! };
    if (text === "True" || text === "False") return { kind: "value", value: text === "True" };
    if (text === "None") return { kind: "value", value: null };
    const isCall = this.#peek.text === "(" && ["attr", "dim", "val"].includes(text);
    return isCall ? this.#call(text) : { kind: "field", field: text };
  }

  #call(callee: string): Part {
    this.#expect("(");
    const { at } = this.#peek;
    if (callee === "val") {
      const inner = this.#signed();
      if (inner.kind !== "value") throw problem(this.#text, at, "val() takes a value");
      this.#expect(")");
      return inner;
    }
    const field = this.#strings();
    this.#expect(")");
    const known = callee === "attr" ? this.#schema?.attributes : this.#schema?.dimensions;
    if (known !== undefined && !known.some((one) => one.name === field)) {
      const what = callee === "attr" ? "attribute" : "dimension";
      throw problem(this.#text, at, `'${field}' is no ${what} of the array`);
    }
    return { kind: "field", field };
  }

  #link(left: Part, op: ComparisonOperator, right: Part, at: number): QueryCondition {
    if (left.kind === "field" && right.kind === "value")
      return this.#compare(left.field, op, right.value, at);
    if (left.kind === "value" && right.kind === "field") {
      return this.#compare(right.field, flipped[op], left.value, at);
    }
    throw problem(this.#text, at, "a comparison needs a name on one side and a value on the other");
  }

  #compare(field: string, op: ComparisonOperator, value: ConditionValue | null, at: number): QueryCondition {
    if (value !== null) return { kind: "compare", field, op, value };
    if (op === "==" || op === "!=") return { kind: "null", field, negated: op === "!=" };
    throw problem(this.#text, at, `None has no order, so ${op} means nothing`);
  }

  #members(left: Part, negated: boolean, at: number): QueryCondition {
    if (left.kind !== "field") throw problem(this.#text, at, "'in' needs a name on its left");
    const open = this.#peek;
    const close = open.kind === "symbol" ? closers[open.text] : undefined;
    if (close === undefined) throw this.#unexpected("'['");
    this.#next++;
    const values: ConditionValue[] = [];
    while (!this.#take(close)) {
      const start = this.#peek.at;
      const member = this.#signed();
      if (member.kind !== "value" || member.value === null) {
        throw problem(this.#text, start, "a list after 'in' holds values");
      }
      values.push(member.value);
      if (!this.#take(",") && this.#peek.text !== close) throw this.#unexpected(`',' or '${close}'`);
    }
    if (values.length === 0) throw problem(this.#text, open.at, "a list after 'in' needs at least one value");
    return { kind: "in", field: left.field, values, negated };
  }

  /** A condition, where something else is a mistake. */
  #condition(part: Part): QueryCondition {
    if (part.kind === "condition") return part.condition;
    const { kind, text, at } = this.#peek;
    if (kind === "symbol" && (text === "&" || text === "|")) {
      throw problem(this.#text, at, `${text} binds closer than comparisons: put these in parentheses`);
    }
    throw this.#unexpected("a comparison");
  }

  /** Texts that stand next to one another are one. */
  #strings(): string {
    if (this.#peek.kind !== "string") throw this.#unexpected("a text in quotes");
    let text = "";
    while (this.#peek.kind === "string") text += this.#tokens[this.#next++]!.value;
    return text;
  }

  #deeper<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw problem(this.#text, this.#peek.at, `more than ${MAX_DEPTH} conditions inside one another`);
    }
    const found = parse();
    this.#depth--;
    return found;
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

  #unexpected(expected: string) {
    const { text, at } = this.#peek;
    return problem(this.#text, at, `expected ${expected}, found ${text}`);
  }
}

function isComparison(text: string): text is ComparisonOperator {
  return Object.hasOwn(flipped, text);
}
